#include "open_views.hpp"

#include <algorithm>
#include <system_error>

#include <fmt/format.h>

namespace bahi::projections {
namespace {

namespace fs = std::filesystem;

void say(const LogSink& log, std::string_view line) {
  if (log) log(LogLevel::kWarning, line);
}

fs::path beside(fs::path directory, std::string_view suffix) {
  return directory += suffix;
}

Status move(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::remove_all(to, error);
  if (!error) fs::rename(from, to, error);
  if (error) return Error{ErrorCode::kIoError, fmt::format("moving {}: {}", from.string(), error.message())};
  return {};
}

/// Puts the newest snapshot that can be opened at `directory`, where nothing is. Null: there is none.
Result<std::unique_ptr<ViewStore>> restore(const fs::path& directory, const ViewStore::Options& options,
                                           snapshots::SnapshotSet& snapshots, const LogSink& log) {
  std::vector<snapshots::Snapshot> all = snapshots.list();
  std::reverse(all.begin(), all.end());
  for (const snapshots::Snapshot& snapshot : all) {
    const fs::path making = beside(directory, ".restoring");
    std::error_code error;
    fs::remove_all(making, error);
    Status made = snapshots.copy_to(snapshot.id, making);
    if (made) made = move(making, directory);
    auto store = made ? ViewStore::open(directory, options) : Result<std::unique_ptr<ViewStore>>(made.error());
    if (store) {
      say(log, fmt::format("read models: restored from snapshot {}; what came after it is folded again", snapshot.id));
      return store;
    }
    const ErrorCode code = store.error().code();
    if (code != ErrorCode::kSnapshotDamaged && code != ErrorCode::kViewsDamaged) return store.error();
    snapshots.distrust(snapshot.id, store.error().message());
    fs::remove_all(directory, error);
  }
  return std::unique_ptr<ViewStore>();
}

bool is_damage(const Error& error) {
  return error.code() == ErrorCode::kViewsDamaged ||
         (error.code() == ErrorCode::kIoError && error.message().find("No such file") != std::string::npos);
}

}  // namespace

Result<std::unique_ptr<ViewStore>> open_views(const fs::path& directory, const ViewStore::Options& options,
                                              snapshots::SnapshotSet& snapshots, const LogSink& log) {
  std::error_code error;
  const bool lost = !fs::exists(directory / "CURRENT", error);
  if (lost) {
    fs::remove_all(directory, error);  // holds no database
    BAHI_ASSIGN(auto store, restore(directory, options, snapshots, log));
    if (store) return store;
    return ViewStore::open(directory, options);
  }
  auto store = ViewStore::open(directory, options);
  if (store || !is_damage(store.error()) || snapshots.list().empty()) return store;
  say(log, fmt::format("read models: the state is set aside: {}", store.error().message()));
  const fs::path damaged = beside(directory, ".damaged");
  BAHI_TRY(move(directory, damaged));
  BAHI_ASSIGN(auto restored, restore(directory, options, snapshots, log));
  if (restored) return restored;
  BAHI_TRY(move(damaged, directory));
  return store;
}

}  // namespace bahi::projections
