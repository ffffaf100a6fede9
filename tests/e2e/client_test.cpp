// The other faces of the client: coroutines, and batches that gather by themselves.
#include <atomic>
#include <future>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "bahi/client/async_client.hpp"
#include "bahi/client/batcher.hpp"
#include "server_fixture.hpp"

namespace bahi::test {
namespace {

namespace asio = boost::asio;

// Outside the coroutine, since g++ 12 cannot take braced lists into one.
AppendRequest two_orders() {
  return request_of({}, {{"order-1"}, {"order-2"}});
}
AppendRequest second_order() {
  return request_of({}, {{"order-2"}});
}

TEST_CASE("e2e: coroutines append, read and subscribe", "[e2e][client]") {
  TestServer server;
  asio::io_context context;
  bool done = false;
  const auto talk = [&]() -> asio::awaitable<void> {
    client::AsyncClient client(context.get_executor(), server.client_options());
    const auto welcome = co_await client.connected();
    CHECK(welcome);
    for (int i = 0; i < 10; ++i) {
      const auto appended = co_await client.append(two_orders());
      CHECK(appended);
      if (appended) CHECK(appended->first_offset == Offset{static_cast<std::uint64_t>(i) * 2});
    }
    ReadRequest request;
    request.filter.stream = "order-2";
    auto reader = client.read(request);
    EventView event;
    std::int64_t count = 0;
    for (;;) {
      const auto found = co_await reader.next(event);
      CHECK(found);
      if (!found || !*found) break;
      CHECK(event.version == Version{count++});
    }
    CHECK(count == 10);
    request.limit = 3;
    auto limited = client.read(request);
    for (count = 0; count < 10; ++count) {
      const auto more = co_await limited.next(event);
      CHECK(more);
      if (!more || !*more) break;
    }
    CHECK(count == 3);
    request.limit.reset();
    request.from = Offset{20};
    auto live = client.subscribe(request);
    const auto last = co_await client.append(second_order());
    CHECK(last);
    const auto found = co_await live.next(event);
    CHECK((found && *found));
    CHECK(event.offset == Offset{20});
    live.cancel();
    const auto cancelled = co_await live.next(event);
    CHECK_FALSE(cancelled);
    done = true;
  };
  asio::co_spawn(context, talk(), asio::detached);
  context.run();
  CHECK(done);
}

TEST_CASE("e2e: single events share batches, in order, each told its offset", "[e2e][client]") {
  TestServer server;
  const auto client = server.client();
  constexpr std::size_t kEvents = 500;
  std::atomic<std::size_t> right{0};
  std::atomic<std::size_t> told{0};
  {
    client::BatcherOptions options;
    options.events_max = 60;
    client::Batcher batcher(*client, options);
    for (std::size_t i = 0; i < kEvents; ++i) {
      const std::string data = std::to_string(i);
      NewEvent event;
      event.stream = "order-1";
      event.type = "counted";
      event.data = data;
      REQUIRE(batcher.add(event, [&, i](const Result<Offset>& offset) {
        if (offset && *offset == Offset{i}) right.fetch_add(1);
        told.fetch_add(1);
        told.notify_one();
      }));
    }
    NewEvent nameless;
    CHECK_FALSE(batcher.add(nameless, [](const Result<Offset>&) {}));
  }
  for (auto n = told.load(); n != kEvents; n = told.load()) told.wait(n);
  CHECK(right == kEvents);
  CHECK(server.engine().stats().appended_batches < kEvents / 5);
  const auto events = drain(*client->read({}));
  REQUIRE(events.size() == kEvents);
  for (std::size_t i = 0; i < kEvents; ++i) CHECK(events[i].event.data == std::to_string(i));
}

TEST_CASE("e2e: a lone event of a batcher goes out when its time is up", "[e2e][client]") {
  TestServer server;
  const auto client = server.client();
  client::Batcher batcher(*client);
  NewEvent event;
  event.stream = "order-1";
  event.type = "counted";
  std::promise<Result<Offset>> offset;
  REQUIRE(batcher.add(event, [&offset](const Result<Offset>& told) { offset.set_value(told); }));
  const Result<Offset> told = offset.get_future().get();
  REQUIRE(told);
  CHECK(*told == Offset{0});
}

}  // namespace
}  // namespace bahi::test
