// Snapshots of the read models' state: directories that share their sorted files with the live one by hard links.
//
// Every snapshot is derived and can be deleted at any time: without it more is folded again, nothing else changes. One
// that is damaged is passed over with a warning.
//
//   <directory>/<id>/manifest   what it holds, with a checksum over itself; docs/on_disk_format.md
//   <directory>/<id>/state/     the files of a database that can be opened
//   <directory>/<id>.tmp/       is being made or removed; `open` removes what a crash left
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "bahi/base/result.hpp"
#include "bahi/base/types.hpp"
#include "bahi/engine/options.hpp"

namespace bahi::snapshots {

/// One read model's state as a snapshot holds it.
struct SnapshotState {
  std::uint32_t instance = 0;  ///< its number in the database
  TenantId tenant;
  std::string name;  ///< without blanks
  std::uint32_t version = 0;
  Offset from;                         ///< where its fold began
  Offset next;                         ///< everything below is folded in
  Hash128 chain;                       ///< of the last batch folded
  std::vector<std::uint64_t> skipped;  ///< offsets below `next` that it was told to pass over, ascending
};

struct SnapshotFile {
  std::string name;
  std::uint64_t bytes = 0;
  std::uint64_t hash = 0;  ///< XXH3 of a sorted file's last 4 KiB, of another file's whole content
};

struct Snapshot {
  std::uint64_t id = 0;  ///< ascends
  Timestamp taken_at;
  std::vector<SnapshotState> states;
  std::vector<SnapshotFile> files;
};

/// Which snapshots stay: of those younger than `all_for` all, then the first of each minute, of each hour, of each day.
/// While they hold more than `bytes_max` that the live state does not share, the oldest go; the newest always stays.
struct Retention {
  std::chrono::seconds all_for{std::chrono::minutes(10)};
  std::chrono::seconds minutely_for{std::chrono::hours(1)};
  std::chrono::seconds hourly_for{std::chrono::hours(24)};
  std::chrono::seconds daily_for{std::chrono::hours(24 * 30)};
  std::uint64_t bytes_max = std::uint64_t{20} << 30U;
};

/// The snapshots in one directory. Thread-safe.
class SnapshotSet {
 public:
  /// Removes what a crash left, and reads the manifests; one that is damaged is passed over with a warning. Errors:
  /// kIoError, kPermissionDenied.
  [[nodiscard]] static Result<std::unique_ptr<SnapshotSet>> open(const std::filesystem::path& directory, LogSink log);
  SnapshotSet(const SnapshotSet&) = delete;
  SnapshotSet& operator=(const SnapshotSet&) = delete;

  /// Makes the database in `state`, which does not exist yet, and says what it holds.
  using Fill = std::function<Result<std::vector<SnapshotState>>(const std::filesystem::path& state)>;
  /// One more snapshot, whole and durable when this returns; after an error or a crash there is none. One at a time.
  [[nodiscard]] Result<Snapshot> take(Timestamp now, const Fill& fill);
  /// Those that can be used, by id.
  [[nodiscard]] std::vector<Snapshot> list() const;
  /// The same without copies; `visit` must not call the set.
  void visit(const std::function<void(const Snapshot&)>& visit) const;
  /// Errors: kUnknownSnapshot, kIoError.
  Status remove(std::uint64_t id);
  /// Puts the snapshot's database into `target`, which does not exist yet: sorted files as hard links, the others as
  /// copies. Not durable. Errors: kSnapshotDamaged when a file is missing or differs; kUnknownSnapshot, kIoError,
  /// kDiskFull.
  Status copy_to(std::uint64_t id, const std::filesystem::path& target) const;
  /// From now on it is passed over; its files stay until it is removed or thinned out.
  void distrust(std::uint64_t id, std::string_view because);
  /// Removes what `retention` does not keep. `live`: files that are there too cost nothing.
  Status thin(const Retention& retention, Timestamp now, const std::filesystem::path& live);
  /// Bytes of files that are in a snapshot and not in `live`; what several share counts once.
  [[nodiscard]] std::uint64_t own_bytes(const std::filesystem::path& live) const;

 private:
  struct Entry {
    Snapshot snapshot;
    bool usable = true;
  };
  SnapshotSet(std::filesystem::path directory, LogSink log) : directory_(std::move(directory)), log_(std::move(log)) {}
  [[nodiscard]] std::filesystem::path path_of(std::uint64_t id) const { return directory_ / std::to_string(id); }
  Status load();
  void warn(std::string_view line) const;

  const std::filesystem::path directory_;
  const LogSink log_;
  std::mutex take_mutex_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Entry> entries_;  // protected by mutex_
  std::uint64_t last_id_ = 0;               // protected by mutex_
};

/// Which of the snapshots taken at these times, ascending, `retention` keeps by their age.
[[nodiscard]] std::vector<bool> kept_by_age(const std::vector<Timestamp>& taken_at, Timestamp now,
                                            const Retention& retention);

}  // namespace bahi::snapshots
