#include "bahi/snapshots/snapshot_set.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "bahi/base/failpoint.hpp"
#include "snapshot_files.hpp"
#include "snapshot_manifest.hpp"

namespace bahi::snapshots {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kManifest = "manifest";
constexpr std::string_view kState = "state";
constexpr std::string_view kUnfinished = ".tmp";

Status io_check(const std::error_code& error, std::string_view doing, const fs::path& path) {
  if (!error) return {};
  const ErrorCode code = error == std::errc::no_space_on_device  ? ErrorCode::kDiskFull
                         : error == std::errc::permission_denied ? ErrorCode::kPermissionDenied
                                                                 : ErrorCode::kIoError;
  return Error{code, fmt::format("{} {}: {}", doing, path.string(), error.message())};
}

Status make_directory(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  return io_check(error, "creating", path);
}
Status remove_tree(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  return io_check(error, "removing", path);
}
Status rename_path(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  return io_check(error, "renaming", from);
}

fs::path unfinished(fs::path path) {
  return path += kUnfinished;
}

std::uint64_t id_of(const std::string& name) {
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  return error == std::errc() && end == name.data() + name.size() ? id : 0;
}

/// Describes the files below `state`, and makes them durable. Sorted files were synced when they were written.
Result<std::vector<SnapshotFile>> describe_files(const fs::path& state) {
  std::vector<SnapshotFile> files;
  std::error_code error;
  fs::directory_iterator entries(state, error);
  BAHI_TRY(io_check(error, "reading", state));
  for (const fs::directory_entry& entry : entries) {
    SnapshotFile file;
    file.name = entry.path().filename();
    file.bytes = entry.file_size(error);
    BAHI_TRY(io_check(error, "reading", entry.path()));
    BAHI_ASSIGN(file.hash, hash_of_file(entry.path()));
    if (!is_sorted_file(entry.path())) BAHI_TRY(sync_path(entry.path()));
    files.push_back(std::move(file));
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return files;
}

}  // namespace

std::vector<bool> kept_by_age(const std::vector<Timestamp>& taken_at, Timestamp now, const Retention& retention) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  struct Tier {
    std::chrono::seconds age_max;
    std::int64_t one_in_nanos;
  };
  const std::array<Tier, 4> tiers{{{retention.all_for, 1},
                                   {retention.minutely_for, 60 * kSecond},
                                   {retention.hourly_for, 3600 * kSecond},
                                   {retention.daily_for, 86'400 * kSecond}}};
  std::vector<bool> kept(taken_at.size());
  std::optional<std::int64_t> last;  // that is kept
  for (std::size_t i = 0; i < taken_at.size(); ++i) {
    const std::int64_t nanos = taken_at[i].nanos;
    const auto tier = std::find_if(tiers.begin(), tiers.end(), [&](const Tier& each) {
      return (now.nanos - nanos) / kSecond <= each.age_max.count();
    });
    const bool newest = i + 1 == taken_at.size();
    const bool first = tier != tiers.end() && (!last || nanos / tier->one_in_nanos != *last / tier->one_in_nanos);
    kept[i] = newest || first;
    if (kept[i]) last = nanos;
  }
  return kept;
}

Result<std::unique_ptr<SnapshotSet>> SnapshotSet::open(const fs::path& directory, LogSink log) {
  std::unique_ptr<SnapshotSet> set(new SnapshotSet(directory, std::move(log)));
  BAHI_TRY(set->load());
  return set;
}

void SnapshotSet::warn(std::string_view line) const {
  if (log_) log_(LogLevel::kWarning, line);
}

Status SnapshotSet::load() {
  BAHI_TRY(make_directory(directory_));
  std::vector<fs::path> leftovers;
  std::error_code error;
  fs::directory_iterator entries(directory_, error);
  BAHI_TRY(io_check(error, "reading", directory_));
  for (const fs::directory_entry& entry : entries) {
    const std::string name = entry.path().filename();
    if (name.ends_with(kUnfinished)) {
      leftovers.push_back(entry.path());
      last_id_ = std::max(last_id_, id_of(name.substr(0, name.size() - kUnfinished.size())));
      continue;
    }
    const std::uint64_t id = id_of(name);
    if (id == 0) continue;  // not ours
    last_id_ = std::max(last_id_, id);
    Entry& found = entries_[id];
    found.snapshot.id = id;
    const auto text = read_file(entry.path() / kManifest);
    auto snapshot = text ? read_manifest(*text) : Result<Snapshot>(text.error());
    if (snapshot && snapshot->id != id) snapshot = Error{ErrorCode::kSnapshotDamaged, "manifest: of another snapshot"};
    found.usable = snapshot.has_value();
    if (snapshot) {
      found.snapshot = std::move(*snapshot);
    } else {
      warn(fmt::format("snapshot {} is passed over: {}", id, snapshot.error().message()));
    }
  }
  for (const fs::path& path : leftovers) BAHI_TRY(remove_tree(path));
  return {};
}

Result<Snapshot> SnapshotSet::take(Timestamp now, const Fill& fill) {
  const std::scoped_lock taking(take_mutex_);
  Snapshot snapshot;
  {
    const std::scoped_lock lock(mutex_);
    snapshot.id = ++last_id_;
  }
  snapshot.taken_at = now;
  const fs::path path = path_of(snapshot.id);
  const fs::path making = unfinished(path);
  const auto make = [&]() -> Status {
    BAHI_TRY(make_directory(making));
    BAHI_ASSIGN(snapshot.states, fill(making / kState));
    if (failpoint::hit("snapshot_filled")) return Error{ErrorCode::kIoError, "snapshot: failed on purpose"};
    BAHI_ASSIGN(snapshot.files, describe_files(making / kState));
    BAHI_TRY(sync_path(making / kState));
    BAHI_TRY(write_new_file(making / kManifest, write_manifest(snapshot)));
    BAHI_TRY(sync_path(making));
    if (failpoint::hit("snapshot_written")) return Error{ErrorCode::kIoError, "snapshot: failed on purpose"};
    BAHI_TRY(rename_path(making, path));
    return sync_path(directory_);
  };
  if (const Status made = make(); !made) {
    (void)remove_tree(making);
    (void)remove_tree(path);
    return made.error();
  }
  const std::scoped_lock lock(mutex_);
  entries_[snapshot.id] = {snapshot, true};
  return snapshot;
}

std::vector<Snapshot> SnapshotSet::list() const {
  std::vector<Snapshot> usable;
  visit([&usable](const Snapshot& snapshot) { usable.push_back(snapshot); });
  return usable;
}

void SnapshotSet::visit(const std::function<void(const Snapshot&)>& visit) const {
  const std::scoped_lock lock(mutex_);
  for (const auto& [id, entry] : entries_) {
    if (entry.usable) visit(entry.snapshot);
  }
}

Status SnapshotSet::remove(std::uint64_t id) {
  {
    const std::scoped_lock lock(mutex_);
    if (entries_.erase(id) == 0) {
      return Error{ErrorCode::kUnknownSnapshot, fmt::format("id: there is no snapshot {}", id)};
    }
  }
  // A crash in between leaves what `open` removes, never a part that looks whole. Somebody else may have been faster.
  const fs::path path = path_of(id);
  std::error_code error;
  if (!fs::exists(path, error)) return {};
  BAHI_TRY(rename_path(path, unfinished(path)));
  if (failpoint::hit("snapshot_removing")) return Error{ErrorCode::kIoError, "snapshot: failed on purpose"};
  return remove_tree(unfinished(path));
}

Status SnapshotSet::copy_to(std::uint64_t id, const fs::path& target) const {
  Snapshot snapshot;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) {
      return Error{ErrorCode::kUnknownSnapshot, fmt::format("id: there is no snapshot {}", id)};
    }
    snapshot = found->second.snapshot;
  }
  const fs::path state = path_of(id) / kState;
  BAHI_TRY(make_directory(target));
  for (const SnapshotFile& file : snapshot.files) {
    const fs::path from = state / file.name;
    std::error_code error;
    const std::uint64_t bytes = fs::file_size(from, error);
    const auto hash = error ? Result<std::uint64_t>(0) : hash_of_file(from);
    if (error || bytes != file.bytes || !hash || *hash != file.hash) {
      return Error{ErrorCode::kSnapshotDamaged,
                   fmt::format("snapshot {}: {} {}", id, file.name,
                               error ? "is missing: " + error.message() : "is not what it was when it was taken")};
    }
    BAHI_TRY(is_sorted_file(from) ? link_or_copy(from, target / file.name) : copy_content(from, target / file.name));
  }
  return {};
}

void SnapshotSet::distrust(std::uint64_t id, std::string_view because) {
  {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end() || !std::exchange(found->second.usable, false)) return;
  }
  warn(fmt::format("snapshot {} is passed over: {}", id, because));
}

std::uint64_t SnapshotSet::own_bytes(const fs::path& live) const {
  CountedFiles counted;
  count_files(live, counted);
  counted.bytes = 0;
  count_files(directory_, counted);
  return counted.bytes;
}

Status SnapshotSet::thin(const Retention& retention, Timestamp now, const fs::path& live) {
  std::vector<std::uint64_t> ids;
  std::vector<Timestamp> times;
  std::vector<std::uint64_t> gone;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [id, entry] : entries_) {
      if (entry.usable) {
        ids.push_back(id);
        times.push_back(entry.snapshot.taken_at);
      } else {
        gone.push_back(id);
      }
    }
  }
  const std::vector<bool> kept = kept_by_age(times, now, retention);
  std::vector<std::uint64_t> left;
  for (std::size_t i = 0; i < ids.size(); ++i) (kept[i] ? left : gone).push_back(ids[i]);
  for (const std::uint64_t id : gone) BAHI_TRY(remove(id));
  for (std::size_t oldest = 0; oldest + 1 < left.size() && own_bytes(live) > retention.bytes_max; ++oldest) {
    BAHI_TRY(remove(left[oldest]));
  }
  return {};
}

}  // namespace bahi::snapshots
