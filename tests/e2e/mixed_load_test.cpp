// Everything at once: what ThreadSanitizer is to see.
#include <atomic>
#include <mutex>
#include <thread>

#include "bahi/client/batcher.hpp"
#include "server_fixture.hpp"

namespace bahi::test {
namespace {

using std::chrono::milliseconds;

/// What the threads share. They take down what is wrong, for Catch is used by one thread only.
class Load {
 public:
  explicit Load(const TestServer& server)
      : shop(server.client_options("shop")), system(server.client_options("system")) {}

  const client::ClientOptions shop;
  const client::ClientOptions system;
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> stored{0};  ///< events acknowledged in the category "order"

  std::unique_ptr<client::Client> connect(const client::ClientOptions& options) {
    auto connected = client::Client::connect(options);
    expect(connected.has_value(), "connecting");
    return connected ? std::move(*connected) : nullptr;
  }
  void expect(bool is_so, const std::string& what) {
    if (is_so) return;
    const std::scoped_lock lock(mutex_);
    problems_.push_back(what);
  }
  template <class T>
  void expect_value(const Result<T>& result, const std::string& what) {
    expect(result.has_value(), what + (result ? "" : ": " + result.error().to_string()));
  }
  std::vector<std::string> problems() {
    const std::scoped_lock lock(mutex_);
    return problems_;
  }

  void operation_done() {
    operations_.fetch_add(1);
    operations_.notify_all();
  }
  void await_operations(std::uint64_t more) {
    const std::uint64_t wanted = operations_.load() + more;
    for (auto done = operations_.load(); done < wanted; done = operations_.load()) operations_.wait(done);
  }

 private:
  std::atomic<std::uint64_t> operations_{0};
  std::mutex mutex_;
  std::vector<std::string> problems_;  // protected by mutex_
};

AppendRequest orders(std::size_t count, const std::string& category = "order") {
  AppendRequest request;
  BatchBuilder builder;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string stream = category + "-" + std::to_string(i);
    NewEvent event;
    event.stream = stream;
    event.type = i % 2 == 0 ? "placed" : "paid";
    (void)builder.add(event);
  }
  request.body = builder.finish().value();
  return request;
}

void append_one_by_one(Load& load) {
  const auto client = load.connect(load.shop);
  while (client && !load.stop) {
    const auto result = client->append(orders(3));
    load.expect_value(result, "append");
    load.stored.fetch_add(3);
    load.operation_done();
  }
}

void append_many_at_once(Load& load) {
  const auto client = load.connect(load.shop);
  while (client && !load.stop) {
    constexpr std::size_t kAppends = 10;
    std::atomic<std::size_t> answered{0};
    for (std::size_t i = 0; i < kAppends; ++i) {
      client->submit(orders(2), [&](const Result<AppendResult>& result) {
        load.expect_value(result, "submit");
        load.stored.fetch_add(2);
        answered.fetch_add(1);
        answered.notify_one();
      });
    }
    for (auto n = answered.load(); n != kAppends; n = answered.load()) answered.wait(n);
    load.operation_done();
  }
}

void append_in_batches(Load& load) {
  const auto client = load.connect(load.shop);
  while (client && !load.stop) {
    constexpr std::size_t kEvents = 20;
    std::atomic<std::size_t> answered{0};
    {
      client::Batcher batcher(*client);
      for (std::size_t i = 0; i < kEvents; ++i) {
        NewEvent event;
        event.stream = "order-batched";
        event.type = "placed";
        const Status added = batcher.add(event, [&](const Result<Offset>& offset) {
          load.expect_value(offset, "batched event");
          load.stored.fetch_add(1);
          answered.fetch_add(1);
          answered.notify_one();
        });
        load.expect(added.has_value(), "adding to a batch");
      }
    }
    for (auto n = answered.load(); n != kEvents; n = answered.load()) answered.wait(n);
    load.operation_done();
  }
}

void read(Load& load) {
  const auto client = load.connect(load.shop);
  for (std::uint64_t round = 0; client && !load.stop; ++round) {
    ReadRequest request;
    request.filter.category = "order";
    if (round % 3 == 1) request.direction = Direction::kBackward;
    if (round % 3 == 2) request.filter = {};
    const std::uint64_t promised = load.stored.load();
    const auto reader = client->read(request);
    EventView event;
    std::uint64_t count = 0;
    std::optional<std::uint64_t> last;
    for (;;) {
      const auto more = reader->next(event);
      load.expect_value(more, "read");
      if (!more || !*more) break;
      const bool in_order = !last || (round % 3 == 1 ? event.offset.value < *last : event.offset.value > *last);
      load.expect(in_order, "a read out of order");
      last = event.offset.value;
      ++count;
    }
    load.expect(count >= promised, "a read that lacks what was acknowledged before it began");
    load.operation_done();
  }
}

void subscribe(Load& load) {
  client::ClientOptions options = load.shop;
  options.read_credit_bytes = 10'000;
  while (!load.stop) {
    const auto client = load.connect(options);
    if (!client) return;
    const auto all = client->subscribe({});
    ReadRequest request;
    request.filter.types = {"paid"};
    const auto paid = client->subscribe(request);
    EventView event;
    std::uint64_t due = 0;
    for (int taken = 0; taken < 300 && !load.stop; ++taken) {
      const auto more = all->next(event, milliseconds(20));
      load.expect(more || more.error().code() == ErrorCode::kDeadlineExceeded, "subscription");
      if (more) load.expect(event.offset.value == due++, "a gap or a repeat in a subscription");
      const auto one_paid = paid->next(event, milliseconds(0));
      if (one_paid) load.expect(event.type == "paid", "an event that was not asked for");
    }
    load.operation_done();
  }
}

void administer(Load& load) {
  const auto client = load.connect(load.system);
  for (std::uint64_t round = 0; client && !load.stop; ++round) {
    // What is not repeated may be lost with the connection.
    const auto lost = [](const Error& error) {
      return error.code() == ErrorCode::kConnectionLost || error.code() == ErrorCode::kShuttingDown;
    };
    const Status created = client->create_tenant("tenant-" + std::to_string(round));
    load.expect(created || lost(created.error()), "create_tenant");
    const auto token = client->create_token({"shop", Role::kWriter, "mixed", {}});
    load.expect(token || lost(token.error()), "create_token");
    load.expect_value(client->tenants(), "tenants");
    load.expect_value(client->tokens(), "tokens");
    load.expect_value(client->status(), "status");
    load.expect_value(client->verify(), "verify");
    load.expect_value(client->ping(), "ping");
    if (token) {
      client::ClientOptions options = load.shop;
      options.token = token->secret;
      const auto writer = load.connect(options);
      const Status revoked = client->revoke_token(token->id);
      load.expect(revoked || lost(revoked.error()), "revoke_token");
      if (writer && revoked) load.expect(!writer->append(orders(1, "revoked")), "an append with a revoked token");
    }
    load.operation_done();
  }
}

/// Connects and leaves in the middle of things.
void come_and_go(Load& load) {
  while (!load.stop) {
    auto client = load.connect(load.shop);
    if (!client) return;
    std::atomic<int> answered{0};
    for (int i = 0; i < 5; ++i) {
      client->submit(orders(1, "left"), [&answered](const Result<AppendResult>&) { answered.fetch_add(1); });
    }
    const auto reader = client->subscribe({});
    EventView event;
    (void)reader->next(event, milliseconds(1));
    client.reset();
    load.expect(answered == 5, "a call without an answer when its client has ended");
    load.operation_done();
  }
}

TEST_CASE("e2e: a mixed load, with a stop of the server in its middle, loses and repeats nothing", "[e2e][mixed]") {
  auto options = TestServer::server_options();
  options.credentials = server::Credentials::kNone;
  TestServer server(options);
  Load load(server);
  std::vector<std::thread> threads;
  for (const auto work : {append_one_by_one, append_one_by_one, append_many_at_once, append_in_batches, read, read,
                          subscribe, subscribe, administer, come_and_go, come_and_go}) {
    threads.emplace_back([&load, work] { work(load); });
  }
  for (int restart = 0; restart < 2; ++restart) {
    load.await_operations(150);
    server.stop();
    server.start();
  }
  load.await_operations(150);
  load.stop = true;
  for (std::thread& thread : threads) thread.join();
  for (const std::string& problem : load.problems()) FAIL_CHECK(problem);
  ReadRequest request;
  request.filter.category = "order";
  const auto client = server.client();
  CHECK(drain(*client->read(request)).size() == load.stored);
  require_sound(server.engine());
}

}  // namespace
}  // namespace bahi::test
