// A consumer that goes on where it stopped: follow_resuming HOST PORT TENANT CHECKPOINT_FILE COUNT
// Writes COUNT events to standard output, one a line, and notes behind each how far it has come. Killed at any moment
// and started again, it repeats at most the last line: what the event causes and the note of it are two steps here. A
// consumer that writes both in one transaction repeats nothing.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <bahi/client/client.hpp>

namespace {

bahi::Offset load_checkpoint(const std::string& path) {
  bahi::Offset offset;
  std::ifstream(path) >> offset.value;  // 0 when there is no file yet
  return offset;
}

/// Under another name first, so that the file always holds a whole number.
bool save_checkpoint(const std::string& path, bahi::Offset offset) {
  const std::string fresh = path + ".new";
  {
    std::ofstream file(fresh);
    file << offset.value << '\n';
    if (!file.flush()) return false;
  }
  std::error_code problem;
  std::filesystem::rename(fresh, path, problem);
  return !problem;
}

bahi::Status run(const bahi::client::ClientOptions& options, const std::string& checkpoint, int count) {
  BAHI_ASSIGN(const auto client, bahi::client::Client::connect(options));
  bahi::ReadRequest request;
  request.from = load_checkpoint(checkpoint);
  // History first, then live events, without a seam. A lost connection is made anew behind the last event received.
  const auto events = client->subscribe(request);
  bahi::EventView event;
  for (int i = 0; i < count; ++i) {
    BAHI_TRY(events->next(event));
    std::printf("%llu %.*s %.*s\n", static_cast<unsigned long long>(event.offset.value),
                static_cast<int>(event.stream.size()), event.stream.data(), static_cast<int>(event.type.size()),
                event.type.data());
    std::fflush(stdout);
    if (!save_checkpoint(checkpoint, events->position()))
      return bahi::Error{bahi::ErrorCode::kIoError, "the checkpoint cannot be written: " + checkpoint};
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: follow_resuming HOST PORT TENANT CHECKPOINT_FILE COUNT\n");
    return 2;
  }
  bahi::client::ClientOptions options;
  options.host = argv[1];
  options.port = static_cast<std::uint16_t>(std::atoi(argv[2]));
  options.tenant = argv[3];
  if (const char* token = std::getenv("BAHI_TOKEN")) options.token = token;
  const bahi::Status status = run(options, argv[4], std::atoi(argv[5]));
  if (!status) std::fprintf(stderr, "%s\n", status.error().to_string().c_str());
  return status ? 0 : 1;
}
