// Lost connections: what was asked for is done, once.
#include <array>
#include <atomic>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include "bahi/schemas/frame.hpp"
#include "server_fixture.hpp"

namespace bahi::test {
namespace {

using boost::asio::ip::tcp;

/// The id of the next request that comes.
std::uint64_t await_request(tcp::socket& socket, FrameSplitter& splitter) {
  std::array<char, 4096> bytes{};
  FrameView frame;
  for (;;) {
    splitter.push({bytes.data(), socket.read_some(boost::asio::buffer(bytes))});
    while (splitter.next(frame).value()) return wire::decode_head(frame.head).value().request;
  }
}

/// Lets a client in twice: hangs up on its first append, and answers `answer` to the repeat.
void serve_badly(tcp::acceptor& acceptor, const Error& answer) {
  const auto send = [](tcp::socket& socket, std::uint64_t request, const wire::Message& message) {
    std::string frame;
    wire::put_frame(request, message, 0, frame);
    boost::asio::write(socket, boost::asio::buffer(frame));
  };
  for (const bool repeated : {false, true}) {
    tcp::socket socket = acceptor.accept();
    FrameSplitter splitter(kFrameBytesMax);
    (void)await_request(socket, splitter);
    wire::Welcome welcome;
    welcome.in_flight_max = 10;
    welcome.heartbeat_interval_ms = 60'000;
    send(socket, 0, welcome);
    const std::uint64_t append = await_request(socket, splitter);
    if (!repeated) continue;
    send(socket, append, wire::Failure{answer});
    boost::system::error_code hung_up;
    std::array<char, 16> bytes{};
    while (!hung_up) (void)socket.read_some(boost::asio::buffer(bytes), hung_up);
  }
}

TEST_CASE("e2e: an append whose repeat is refused may be stored, and is not said to be refused", "[e2e][reconnect]") {
  const std::vector<std::pair<ErrorCode, ErrorCode>> answers{
      {ErrorCode::kOverloaded, ErrorCode::kConnectionLost},
      {ErrorCode::kDiskFull, ErrorCode::kConnectionLost},
      {ErrorCode::kReadOnly, ErrorCode::kConnectionLost},
      // These are found out after the look for an earlier result.
      {ErrorCode::kWrongExpectedVersion, ErrorCode::kWrongExpectedVersion},
      {ErrorCode::kConditionFailed, ErrorCode::kConditionFailed},
      {ErrorCode::kWriteFailed, ErrorCode::kWriteFailed}};
  for (const auto& [answered, told] : answers) {
    boost::asio::io_context context;
    tcp::acceptor acceptor(context, {boost::asio::ip::address_v4::loopback(), 0});
    std::thread server([&, answer = Error(answered, "no")] { serve_badly(acceptor, answer); });
    client::ClientOptions options;
    options.port = acceptor.local_endpoint().port();
    options.retry_for = std::chrono::minutes(5);
    auto client = client::Client::connect(options);
    REQUIRE(client);
    const auto result = (*client)->append(request_of({}, {{"order-1"}}));
    client->reset();
    server.join();
    REQUIRE_FALSE(result);
    CHECK(result.error().code() == told);
  }
}

TEST_CASE("e2e: appends survive restarts of the server and are stored once", "[e2e][reconnect]") {
  TestServer server;
  constexpr std::size_t kWriters = 3;
  constexpr std::size_t kAppends = 400;
  const client::ClientOptions options = server.client_options();
  std::atomic<std::size_t> stored{0};
  std::vector<std::thread> writers;
  for (std::size_t w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      const auto client = client::Client::connect(options);
      if (!client) return;
      std::atomic<std::size_t> answered{0};
      for (std::size_t i = 0; i < kAppends; ++i) {
        const std::string stream = "writer-" + std::to_string(w);
        const std::string data = std::to_string(i);
        BatchBuilder builder;
        NewEvent event;
        event.stream = stream;
        event.type = "counted";
        event.data = data;
        (void)builder.add(event);
        AppendRequest request;
        request.body = builder.finish().value();
        (*client)->submit(std::move(request), [&](const Result<AppendResult>& result) {
          if (result) stored.fetch_add(1);
          answered.fetch_add(1);
          answered.notify_one();
        });
        if (i % 50 == 49) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
      for (auto n = answered.load(); n != kAppends; n = answered.load()) answered.wait(n);
    });
  }
  for (int restart = 0; restart < 4; ++restart) {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    server.stop();
    server.start();
  }
  for (std::thread& writer : writers) writer.join();
  CHECK(stored == kWriters * kAppends);
  const auto client = server.client();
  for (std::size_t w = 0; w < kWriters; ++w) {
    ReadRequest request;
    request.filter.stream = "writer-" + std::to_string(w);
    const auto events = drain(*client->read(request));
    REQUIRE(events.size() == kAppends);
    for (std::size_t i = 0; i < kAppends; ++i) CHECK(events[i].event.data == std::to_string(i));
  }
  require_sound(server.engine());
}

TEST_CASE("e2e: without a server a client gives up after the time it was given", "[e2e][reconnect]") {
  std::uint16_t port = 0;
  {
    const TestServer server;
    port = server.port();
  }
  client::ClientOptions options;
  options.port = port;
  options.retry_for = std::chrono::milliseconds(100);
  const auto client = client::Client::connect(options);
  REQUIRE_FALSE(client);
  CHECK(client.error().code() == ErrorCode::kConnectionLost);
}

TEST_CASE("e2e: closing a client fails what it waits for", "[e2e][reconnect]") {
  TestServer server;
  auto client = server.client();
  const auto reader = client->subscribe({});
  server.stop();
  std::atomic<int> answered{0};
  client->submit(request_of({}, {{"order-1"}}), [&](const Result<AppendResult>& result) {
    if (!result && result.error().code() == ErrorCode::kCancelled) answered.fetch_add(1);
  });
  client.reset();
  CHECK(answered == 1);
  EventView event;
  const auto ended = reader->next(event);
  REQUIRE_FALSE(ended);
  CHECK(ended.error().code() == ErrorCode::kCancelled);
}

TEST_CASE("e2e: a stop answers what is in flight and loses nothing", "[e2e][shutdown]") {
  TestServer server;
  for (int round = 0; round < 5; ++round) {
    client::ClientOptions options = server.client_options();
    const auto client = client::Client::connect(options).value();
    constexpr std::size_t kAppends = 200;
    std::atomic<std::size_t> stored{0};
    std::atomic<std::size_t> answered{0};
    for (std::size_t i = 0; i < kAppends; ++i) {
      client->submit(request_of({}, {{"order-1"}}), [&](const Result<AppendResult>& result) {
        if (result) stored.fetch_add(1);
        answered.fetch_add(1);
        answered.notify_one();
      });
    }
    server.stop();
    server.start();
    for (auto n = answered.load(); n != kAppends; n = answered.load()) answered.wait(n);
    CHECK(stored == kAppends);
    CHECK(drain(*client->read({})).size() == kAppends * static_cast<std::size_t>(round + 1));
  }
}

}  // namespace
}  // namespace bahi::test
