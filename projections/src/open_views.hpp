// Opens the views, or puts a snapshot in the place of views that are lost or damaged.
#pragma once

#include <filesystem>
#include <memory>

#include "bahi/engine/options.hpp"
#include "bahi/snapshots/snapshot_set.hpp"
#include "view_store.hpp"

namespace bahi::projections {

/// Without a snapshot that can be used: an empty store in place of lost views, kViewsDamaged for damaged ones. Views
/// that were damaged are kept beside the new ones, as `<directory>.damaged`, until the next ones are.
[[nodiscard]] Result<std::unique_ptr<ViewStore>> open_views(const std::filesystem::path& directory,
                                                            const ViewStore::Options& options,
                                                            snapshots::SnapshotSet& snapshots, const LogSink& log);

}  // namespace bahi::projections
