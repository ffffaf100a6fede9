// Batches whose every byte follows from a seed, so that a checker can rebuild what a writer meant to store.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bahi/schemas/batch_builder.hpp"
#include "bahi/schemas/event.hpp"

namespace bahi::faults {

inline constexpr std::uint32_t kHotStreams = 40;  ///< per tenant, written by everybody
inline constexpr std::uint32_t kTags = 30;
inline constexpr std::uint32_t kTypes = 5;

/// Small, fast and the same on every machine (SplitMix64).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  /// 0 … bound - 1.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  /// low … high, both included.
  std::uint64_t between(std::uint64_t low, std::uint64_t high) { return low + below(high - low + 1); }
  bool one_in(std::uint64_t count) { return below(count) == 0; }

 private:
  std::uint64_t state_;
};

struct PlannedEvent {
  Uuid id;  ///< high = request, low = index in the request
  std::string stream;
  std::string type;
  std::string data;
  std::vector<std::string> tags;
  std::string actor;
  Timestamp occurred_at;
};

[[nodiscard]] std::string hot_stream(std::uint64_t number);
/// Nothing: the name is not of a hot stream.
[[nodiscard]] std::optional<std::uint32_t> hot_stream_number(const std::string& name);
[[nodiscard]] std::string tag_name(std::uint64_t number);
[[nodiscard]] std::string type_name(std::uint64_t number);
/// 0: of the hot streams, 1: of the others.
[[nodiscard]] std::string category_name(std::uint64_t number);

/// The events of request `request_id`; `events_max` ≥ 1.
[[nodiscard]] std::vector<PlannedEvent> plan_events(std::uint64_t request_id, std::uint64_t seed,
                                                    std::uint32_t events_max);
/// Compressed or not, as `seed` has it.
[[nodiscard]] Result<EncodedBody> encode_events(const std::vector<PlannedEvent>& events, std::uint64_t seed);
/// Empty when `found` carries what was planned; otherwise the field that differs.
[[nodiscard]] std::string_view difference(const PlannedEvent& planned, const EventView& found);

/// A directory of its own, removed at the end unless kept.
class TemporaryDirectory {
 public:
  /// Below `parent`, or below TMPDIR (or /tmp) when that is empty.
  explicit TemporaryDirectory(const std::filesystem::path& parent = {});
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  void keep() { kept_ = true; }

 private:
  std::filesystem::path path_;
  bool kept_ = false;
};

/// Path below the directory, size, and hash of the content of every file; sorted by path.
struct FileState {
  std::string path;
  std::uint64_t size = 0;
  Hash128 hash;
  bool operator==(const FileState&) const = default;
};
[[nodiscard]] Hash128 hash_file(const std::filesystem::path& path);
[[nodiscard]] std::vector<FileState> list_files(const std::filesystem::path& directory);
/// The same; `size` ends where the zeros begin that are written ahead of a write-ahead log.
[[nodiscard]] std::vector<FileState> list_contents(const std::filesystem::path& directory);
/// Length of a file without the zeros at its end.
[[nodiscard]] std::uint64_t content_bytes(const std::filesystem::path& path);

}  // namespace bahi::faults
