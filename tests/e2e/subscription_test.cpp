// Subscriptions: history, the seam, and what comes live; across lost connections and slow readers.
#include <atomic>
#include <thread>

#include "server_fixture.hpp"

namespace bahi::test {
namespace {

std::vector<std::uint64_t> offsets_of(const std::vector<ReadEvent>& events) {
  std::vector<std::uint64_t> offsets;
  for (const ReadEvent& event : events) offsets.push_back(event.offset);
  return offsets;
}

std::vector<std::uint64_t> offsets_from(std::uint64_t from, std::size_t count) {
  std::vector<std::uint64_t> offsets(count);
  for (std::size_t i = 0; i < count; ++i) offsets[i] = from + i;
  return offsets;
}

void append_many(Engine& engine, TenantId tenant, std::size_t batches, std::size_t events_per_batch) {
  for (std::size_t i = 0; i < batches; ++i) {
    std::vector<Event> events;
    for (std::size_t k = 0; k < events_per_batch; ++k) {
      events.push_back({"order-" + std::to_string(k % 3), k % 2 == 0 ? "placed" : "paid", "{}", {}});
    }
    REQUIRE(append(engine, tenant, events));
  }
}

TEST_CASE("e2e: a subscription gives history, then what is appended", "[e2e][subscription]") {
  TestServer server;
  append_many(server.engine(), server.shop(), 10, 5);
  const auto client = server.client();
  ReadRequest from_middle;
  from_middle.from = Offset{13};
  const auto reader = client->subscribe(from_middle);
  CHECK(offsets_of(take(*reader, 37)) == offsets_from(13, 37));
  append_many(server.engine(), server.shop(), 3, 4);
  CHECK(offsets_of(take(*reader, 12)) == offsets_from(50, 12));
  CHECK(reader->caught_up());
  CHECK(reader->position() == Offset{62});
  EventView event;
  const auto nothing = reader->next(event, std::chrono::milliseconds(1));
  REQUIRE_FALSE(nothing);
  CHECK(nothing.error().code() == ErrorCode::kDeadlineExceeded);
}

TEST_CASE("e2e: a subscription that waits in vain stays where it began", "[e2e][subscription]") {
  TestServer server;
  append_many(server.engine(), server.shop(), 2, 5);
  const auto client = server.client();
  ReadRequest request;
  request.from = Offset{10};
  const auto reader = client->subscribe(request);
  EventView event;
  CHECK_FALSE(reader->next(event, std::chrono::milliseconds(0)));
  CHECK(reader->position() == Offset{10});
  // And so does one whose filter passes over all there is.
  request.from = Offset{7};
  request.filter.types = {"unheard-of"};
  const auto other = client->subscribe(request);
  CHECK_FALSE(other->next(event, std::chrono::milliseconds(1)));
  CHECK(other->position() >= Offset{7});
}

TEST_CASE("e2e: no gap and no repeat at the seam, with writers at work", "[e2e][subscription]") {
  TestServer server;
  std::atomic<bool> stop{false};
  std::vector<std::thread> writers;
  for (int w = 0; w < 2; ++w) {
    writers.emplace_back([&] {
      const auto client = client::Client::connect(server.client_options());
      while (client && !stop) {
        AppendRequest request;
        BatchBuilder builder;
        for (int k = 0; k < 3; ++k) {
          NewEvent event;
          event.stream = k == 1 ? "order-1" : "stock-1";
          event.type = "moved";
          (void)builder.add(event);
        }
        request.body = builder.finish().value();
        if (!(*client)->append(std::move(request))) return;
      }
    });
  }
  const auto client = server.client();
  // Each begins somewhere in what is there by now, and so crosses the seam at another moment.
  for (int round = 0; round < 12; ++round) {
    ReadRequest request;
    request.from = Offset{server.engine().durable_offset(server.shop()).value / 2};
    const auto all = client->subscribe(request);
    request.filter.category = "order";
    const auto some = client->subscribe(request);
    CHECK(offsets_of(take(*all, 400)) == offsets_from(request.from.value, 400));
    std::uint64_t last = request.from.value;
    for (const ReadEvent& event : take(*some, 100)) {
      // Every third event is an order's.
      CHECK(event.offset % 3 == 1);
      CHECK(event.offset - last <= 3);
      last = event.offset;
    }
  }
  stop = true;
  for (std::thread& writer : writers) writer.join();
}

TEST_CASE("e2e: several subscriptions share a connection, each with its filter", "[e2e][subscription]") {
  TestServer server;
  const auto client = server.client();
  ReadRequest placed;
  placed.filter.types = {"placed"};
  ReadRequest second_order;
  second_order.filter.stream = "order-2";
  second_order.limit = 4;
  const auto first = client->subscribe(placed);
  const auto second = client->subscribe(second_order);
  append_many(server.engine(), server.shop(), 20, 6);
  CHECK(take(*first, 60).size() == 60);
  const auto limited = drain(*second);
  CHECK(offsets_of(limited) == std::vector<std::uint64_t>{2, 5, 8, 11});
}

TEST_CASE("e2e: a subscription goes on behind a restart of the server", "[e2e][subscription]") {
  TestServer server;
  const auto client = server.client();
  const auto all = client->subscribe({});
  ReadRequest request;
  request.filter.types = {"paid"};
  const auto some = client->subscribe(request);
  for (std::uint64_t round = 0; round < 3; ++round) {
    append_many(server.engine(), server.shop(), 5, 4);
    CHECK(offsets_of(take(*all, 20)) == offsets_from(round * 20, 20));
    CHECK(take(*some, 10).size() == 10);
    server.stop();
    server.start();
  }
}

TEST_CASE("e2e: a reader that does not read holds its credit and nothing else", "[e2e][subscription]") {
  TestServer server;
  const std::string filler(10'000, 'x');
  for (int i = 0; i < 300; ++i) {
    BatchBuilder builder({Codec::kNone, 0});
    NewEvent event;
    event.stream = "order-1";
    event.type = "placed";
    event.data = filler;
    event.content_type = "text/plain";
    REQUIRE(builder.add(event));
    AppendRequest request;
    request.tenant = server.shop();
    request.body = builder.finish().value();
    REQUIRE(server.engine().append(std::move(request)));
  }
  client::ClientOptions options = server.client_options();
  options.read_credit_bytes = 100'000;
  const auto client = client::Client::connect(options).value();
  const auto lazy = client->subscribe({});
  const auto eager = client->read({});
  CHECK(drain(*eager).size() == 300);
  // Other requests of the connection are answered meanwhile.
  CHECK(client->append(request_of({}, {{"order-2"}})));
  CHECK(client->ping());
  const auto status = server.client("system")->status();
  REQUIRE(status);
  for (const auto& [name, value] : status->counters) {
    if (name == "server.bytes_sent") CHECK(value < 300 * 10'000 + 400'000);
  }
  CHECK(take(*lazy, 301).size() == 301);
}

}  // namespace
}  // namespace bahi::test
