// Clients that behave badly without saying anything wrong: too many of them, silent ones, greedy ones.
#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <random>
#include <thread>

#include <sys/resource.h>
#include <unistd.h>

#include "raw_peer.hpp"
#include "server_fixture.hpp"

namespace bahi::test {
namespace {

using namespace std::chrono_literals;

/// What the server has logged.
class LogLines {
 public:
  LogSink sink() {
    return [this](LogLevel, std::string_view line) {
      const std::scoped_lock lock(mutex_);
      lines_.emplace_back(line);
      changed_.notify_all();
    };
  }
  /// Waits for a line that holds `text`; false after two minutes.
  bool wait_for(const std::string& text) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 2min, [&] { return has(text); });
  }
  bool holds(const std::string& text) {
    const std::scoped_lock lock(mutex_);
    return has(text);
  }

 private:
  bool has(const std::string& text) const {
    return std::any_of(lines_.begin(), lines_.end(),
                       [&text](const std::string& line) { return line.find(text) != std::string::npos; });
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

/// Sets the number of descriptors that the process may have, until its end.
class DescriptorLimit {
 public:
  DescriptorLimit() { ::getrlimit(RLIMIT_NOFILE, &before_); }
  ~DescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;
  void set(rlim_t count) const {
    rlimit limit = before_;
    limit.rlim_cur = std::min(count, before_.rlim_max);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  }
  [[nodiscard]] rlim_t hard() const { return before_.rlim_max; }

 private:
  rlimit before_{};
};

/// Appends, one after the other, for as long as it lives.
class SteadyWriter {
 public:
  explicit SteadyWriter(const TestServer& server) : client_(server.client()), thread_([this] { run(); }) {}
  ~SteadyWriter() { stop(); }
  SteadyWriter(const SteadyWriter&) = delete;
  SteadyWriter& operator=(const SteadyWriter&) = delete;
  /// Waits for that many more.
  void wait_for_more(std::uint64_t count) const {
    const std::uint64_t wanted = stored_.load() + count;
    for (auto stored = stored_.load(); stored < wanted && failed_.load() == 0; stored = stored_.load()) {
      stored_.wait(stored);
    }
  }
  void stop() {
    stopping_.store(true);
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] std::uint64_t failed() const { return failed_.load(); }

 private:
  void run() {
    while (!stopping_.load()) {
      const bool good = client_->append(request_of({}, {{"steady-1"}})).has_value();
      if (!good) failed_.fetch_add(1);
      stored_.fetch_add(1);
      stored_.notify_all();
    }
  }
  std::unique_ptr<client::Client> client_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> stored_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::thread thread_;
};

std::uint64_t counter(TestServer& server, const std::string& name) {
  const auto status = server.client("system")->status();
  REQUIRE(status);
  for (const auto& [known, value] : status->counters) {
    if (known == name) return value;
  }
  FAIL("no counter " << name);
  return 0;
}

std::size_t resident_bytes() {
  std::ifstream in("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  in >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// BAHI_TEST_CONNECTIONS, or as many as make a quick test.
std::size_t crowd_size(const DescriptorLimit& descriptors) {
  const char* const wanted = std::getenv("BAHI_TEST_CONNECTIONS");
  const std::size_t count = wanted == nullptr ? 2'000 : std::strtoul(wanted, nullptr, 10);
  return std::min<std::size_t>(count, (descriptors.hard() - 200) / 2);
}

TEST_CASE("e2e: a crowd that never authenticates is shown out while others work", "[e2e][bad-input]") {
  const DescriptorLimit descriptors;
  descriptors.set(descriptors.hard());
  auto options = TestServer::server_options();
  options.limits.handshake_deadline = 1s;
  TestServer server(options);
  SteadyWriter writer(server);
  writer.wait_for_more(1);
  const std::size_t before = resident_bytes();
  const std::size_t count = crowd_size(descriptors);
  std::vector<RawPeer> crowd;
  crowd.reserve(count);
  std::string hello;
  wire::put_frame(0, wire::Hello{}, 0, hello);
  for (std::size_t i = 0; i < count; ++i) {
    crowd.emplace_back(server.port());
    if (i % 3 == 1) crowd.back().send(std::string_view(hello).substr(0, 5));
    if (i % 3 == 2) crowd.back().send(std::string_view(hello).substr(0, hello.size() - 1));
  }
  [[maybe_unused]] const std::size_t grown = resident_bytes() - std::min(before, resident_bytes());
  writer.wait_for_more(20);
  for (RawPeer& peer : crowd) {
    const auto error = peer.hear_the_end();
    REQUIRE(error);
    CHECK(error->code() == ErrorCode::kDeadlineExceeded);
  }
  writer.wait_for_more(20);
  writer.stop();
  CHECK(writer.failed() == 0);
  CHECK(counter(server, "server.connections_accepted") >= count);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  CHECK(grown < count * 12 * 1024 + (std::size_t{16} << 20U));
#endif
}

TEST_CASE("e2e: more connections than are allowed are closed at once, and room is given again", "[e2e][bad-input]") {
  auto options = TestServer::server_options();
  options.limits.connections_max = 3;
  TestServer server(options);
  RawPeer first(server.port());
  RawPeer second(server.port());
  RawPeer third(server.port());
  first.enter();
  second.enter();
  third.enter();
  RawPeer fourth(server.port());
  CHECK_FALSE(fourth.hear());
  second.close();
  // A client goes on trying; by and by the server notices that there is room.
  CHECK(server.client()->ping());
}

TEST_CASE("e2e: without descriptors the server waits, and goes on when there are some", "[e2e][bad-input]") {
  LogLines log;
  auto options = TestServer::server_options();
  options.log = log.sink();
  TestServer server(options);
  const auto client = server.client();
  REQUIRE(client->append(request_of({}, {{"order-1"}})));
  std::vector<RawPeer> peers(8);
  std::vector<int> fillers;
  {
    const DescriptorLimit descriptors;
    const int highest = ::dup(0);
    descriptors.set(static_cast<rlim_t>(highest) + 1);
    fillers.push_back(highest);
    for (int filler = ::dup(0); filler >= 0; filler = ::dup(0)) fillers.push_back(filler);
    for (const RawPeer& peer : peers) peer.connect(server.port());
    REQUIRE(log.wait_for("accepting a connection: Too many open files"));
    for (int i = 0; i < 20; ++i) REQUIRE(client->append(request_of({}, {{"order-1"}})));
  }
  for (const int filler : fillers) ::close(filler);
  for (RawPeer& peer : peers) peer.enter();
  CHECK(server.client()->ping());
}

TEST_CASE("e2e: a connection through which nothing comes any more is found on both sides", "[e2e][bad-input]") {
  auto options = TestServer::server_options();
  options.limits.heartbeat_interval = 100ms;
  options.limits.idle_deadline = 600ms;
  TestServer server(options);
  Relay relay(server.port());
  auto client_options = server.client_options();
  client_options.port = relay.port();
  client_options.connect_deadline = 300ms;
  client_options.retry_for = 500ms;
  const auto connected = client::Client::connect(client_options);
  REQUIRE(connected);
  const auto& client = *connected;
  const auto subscription = client->subscribe({});
  REQUIRE(client->append(request_of({}, {{"order-1"}})));
  CHECK(take(*subscription, 1).size() == 1);
  relay.fall_silent();
  const auto lost = client->append(request_of({}, {{"order-1"}}));
  REQUIRE_FALSE(lost);
  CHECK(lost.error().code() == ErrorCode::kConnectionLost);
  EventView event;
  const auto ended = subscription->next(event);
  REQUIRE_FALSE(ended);
  CHECK(ended.error().code() == ErrorCode::kConnectionLost);
  while (!relay.server_hung_up()) std::this_thread::sleep_for(10ms);
  while (counter(server, "server.connections") > 1) std::this_thread::sleep_for(10ms);
}

TEST_CASE("e2e: who never reads holds its credit, and is closed", "[e2e][bad-input]") {
  LogLines log;
  auto options = TestServer::server_options();
  options.log = log.sink();
  options.limits.write_deadline = 500ms;
  // More than the operating system takes for a peer that does not read.
  options.limits.credit_bytes_max = 6U << 20U;
  TestServer server(options);
  constexpr std::size_t kEventBytes = 100'000;
  std::mt19937_64 random(1);
  for (int i = 0; i < 80; ++i) {
    std::string data(kEventBytes, '\0');
    for (char& byte : data) byte = static_cast<char>('!' + random() % 90);
    REQUIRE(append(server.engine(), server.shop(), {{"order-1", "placed", data}}));
  }
  RawPeer greedy(server.port(), 4096);
  greedy.enter();
  SECTION("a subscription with all the credit there is") {
    greedy.send(1, wire::Read{{}, true, ~std::uint64_t{0}});
    const SteadyWriter writer(server);
    writer.wait_for_more(10);
    REQUIRE(log.wait_for("takes nothing of what waits"));
    CHECK(writer.failed() == 0);
    std::size_t given = 0;
    while (const auto envelope = greedy.hear()) {
      const auto* batches = std::get_if<wire::Batches>(&envelope->message);
      if (batches == nullptr) continue;
      for (const std::uint32_t size : batches->sizes) given += size;
    }
    CHECK(given <= options.limits.credit_bytes_max + (256U << 10U) + 2 * kEventBytes);
  }
  SECTION("requests whose answers nobody takes") {
    std::string pings;
    for (std::uint64_t i = 1; i <= 10'000; ++i) wire::put_frame(i, wire::Ping{}, 0, pings);
    // The server stops receiving when its queue is full; so what it takes is bounded.
    std::size_t sent = 0;
    while (!log.holds("takes nothing of what waits")) sent += greedy.send_without_waiting(pings);
    CHECK(sent < (std::size_t{64} << 20U));
  }
  CHECK(server.client()->ping());
}

}  // namespace
}  // namespace bahi::test
