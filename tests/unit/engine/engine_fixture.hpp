// Engines in temporary directories and in memory, and short ways to append to and read from them.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bahi/engine/engine.hpp"
#include "bahi/engine/memory_log_store.hpp"
#include "catch_result.hpp"

namespace bahi::test {

/// A directory of its own, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The bytes of a file; none when it is missing.
std::string contents_of(const std::filesystem::path& path);

/// Small buffers, no reserve, no need for free space: many engines fit on a small disk.
EngineOptions small_options();
std::unique_ptr<Engine> open_engine(const std::filesystem::path& directory, EngineOptions options = small_options());
std::unique_ptr<Engine> memory_engine(const std::shared_ptr<MemoryLog>& log = std::make_shared<MemoryLog>(),
                                      EngineOptions options = small_options());

/// The write-ahead log of a store that was killed.
std::filesystem::path write_ahead_log(const std::filesystem::path& store);
/// Length of a file without the zeros that were written ahead of it.
std::uint64_t content_bytes(const std::filesystem::path& file);

/// An event by value.
struct Event {
  std::string stream;
  std::string type = "happened";
  std::string data = "{}";
  std::vector<std::string> tags = {};
  bool operator==(const Event&) const = default;
};

AppendRequest request_of(TenantId tenant, const std::vector<Event>& events, Codec codec = Codec::kLz4);
Result<AppendResult> append(Engine& engine, TenantId tenant, const std::vector<Event>& events);
Result<AppendResult> append_expecting(Engine& engine, TenantId tenant, const std::vector<Event>& events,
                                      std::vector<StreamExpectation> expectations);

/// An event as it was read, by value.
struct ReadEvent {
  std::uint64_t offset = 0;
  std::int64_t version = 0;
  Event event;
  bool operator==(const ReadEvent&) const = default;
};
std::vector<ReadEvent> read_all(const Engine& engine, ReadRequest request);
/// Requires that `verify` finds nothing.
void require_sound(const Engine& engine);
ReadRequest everything(TenantId tenant);
ReadRequest of_stream(TenantId tenant, const std::string& stream);

}  // namespace bahi::test

namespace Catch {
template <>
struct StringMaker<bahi::test::ReadEvent> {
  static std::string convert(const bahi::test::ReadEvent& event) {
    return std::to_string(event.offset) + ":" + event.event.stream + "@" + std::to_string(event.version);
  }
};
}  // namespace Catch
