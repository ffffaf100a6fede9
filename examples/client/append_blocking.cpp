// Appends from threads that may block: append_blocking HOST PORT TENANT
// First a decision on a stream's state, taken again when somebody else was faster; then many small events that share
// requests.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include <bahi/client/batcher.hpp>
#include <bahi/client/client.hpp>

namespace {

using bahi::client::Batcher;
using bahi::client::Client;

constexpr const char* kStream = "counter-1";
constexpr int kReadings = 500;

/// The version of the stream's last event.
bahi::Result<bahi::Version> current_version(Client& client) {
  bahi::ReadRequest request;
  request.filter.stream = kStream;
  request.direction = bahi::Direction::kBackward;
  request.limit = 1;
  const auto reader = client.read(request);
  bahi::EventView event;
  BAHI_ASSIGN(const bool found, reader->next(event));
  return found ? event.version : bahi::kNoStream;
}

bahi::ExpectedVersion still(bahi::Version version) {
  return version == bahi::kNoStream ? bahi::ExpectedVersion::no_stream() : bahi::ExpectedVersion::exactly(version);
}

/// Reads, decides, and appends on the condition that what was read still holds.
bahi::Status count_up(Client& client) {
  for (;;) {
    BAHI_ASSIGN(const bahi::Version version, current_version(client));
    const std::string data = "{\"value\":" + std::to_string(version.value + 1) + "}";
    bahi::NewEvent counted;
    counted.stream = kStream;
    counted.type = "Counted";
    counted.data = data;
    bahi::BatchBuilder builder;
    BAHI_TRY(builder.add(counted));
    bahi::AppendRequest request;
    BAHI_ASSIGN(request.body, builder.finish());
    request.expectations.push_back({kStream, still(version)});
    const bahi::Result<bahi::AppendResult> appended = client.append(std::move(request));
    if (appended) return {};
    // Lost connections are the client's business. A conflict is ours: read again, decide again.
    if (appended.error().code() != bahi::ErrorCode::kWrongExpectedVersion) return appended.error();
  }
}

/// Each event has its own answer; up to 1000 of them, or those of a millisecond, share a request.
bahi::Status send_readings(Client& client) {
  struct Answers {
    std::atomic<int> stored{0};
    std::atomic<int> all{0};
  };
  const auto answers = std::make_shared<Answers>();
  {
    Batcher batcher(client);
    for (int i = 0; i < kReadings; ++i) {
      const std::string stream = "sensor-" + std::to_string(i % 10);
      const std::string data = "{\"reading\":" + std::to_string(i) + "}";
      bahi::NewEvent reading;
      reading.stream = stream;
      reading.type = "Read";
      reading.data = data;
      BAHI_TRY(batcher.add(reading, [answers](const bahi::Result<bahi::Offset>& offset) {
        if (offset) ++answers->stored;
        ++answers->all;
        answers->all.notify_one();
      }));
    }
  }  // sends what still waits for company
  for (int n = answers->all; n != kReadings; n = answers->all) answers->all.wait(n);
  if (answers->stored == kReadings) return {};
  return bahi::Error{bahi::ErrorCode::kInternal, "not every reading was stored"};
}

bahi::Status run(const bahi::client::ClientOptions& options) {
  BAHI_ASSIGN(const auto client, Client::connect(options));
  BAHI_TRY(count_up(*client));
  BAHI_TRY(send_readings(*client));
  std::printf("counted up, and %d readings stored\n", kReadings);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: append_blocking HOST PORT TENANT\n");
    return 2;
  }
  bahi::client::ClientOptions options;
  options.host = argv[1];
  options.port = static_cast<std::uint16_t>(std::atoi(argv[2]));
  options.tenant = argv[3];
  if (const char* token = std::getenv("BAHI_TOKEN")) options.token = token;
  const bahi::Status status = run(options);
  if (!status) std::fprintf(stderr, "%s\n", status.error().to_string().c_str());
  return status ? 0 : 1;
}
