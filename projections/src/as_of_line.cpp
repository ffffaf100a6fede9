#include "as_of_line.hpp"

#include <system_error>

#include <fmt/format.h>

#include "row_codec.hpp"

namespace bahi::projections {
namespace {

namespace fs = std::filesystem;

/// Between two looks at the deadline.
constexpr std::chrono::milliseconds kSlice{50};
// There may be several, and each holds one read model only.
constexpr std::size_t kWriteBufferBytes = std::size_t{8} << 20U;
constexpr std::size_t kFoldBytesMax = std::size_t{128} << 20U;
constexpr std::size_t kBlockCacheBytes = std::size_t{16} << 20U;

}  // namespace

Status AsOfLine::open_store(bool compacts) {
  ViewStore::Options options;
  options.write_buffer_bytes = kWriteBufferBytes;
  options.block_cache_bytes = kBlockCacheBytes;
  options.compacts = compacts;
  options.durable = false;
  BAHI_ASSIGN(store_, ViewStore::open(directory_, options));
  return {};
}

Result<std::shared_ptr<AsOfLine>> AsOfLine::from_nothing(const fs::path& directory, const AsOfSubject& subject) {
  std::shared_ptr<AsOfLine> line(new AsOfLine(directory, subject));
  BAHI_TRY(line->open_store(true));
  line->fact_.id = line->store_->add_instance();
  line->fact_.tenant = subject.tenant;
  line->fact_.name = subject.name;
  line->fact_.projection = subject.projection->name;
  line->fact_.version = subject.projection->version;
  line->fact_.from = subject.from;
  line->position_ = subject.from.value;
  return line;
}

Result<std::shared_ptr<AsOfLine>> AsOfLine::from_snapshot(const fs::path& directory, const AsOfSubject& subject,
                                                          const snapshots::SnapshotSet& snapshots, std::uint64_t id,
                                                          std::uint32_t instance) {
  std::shared_ptr<AsOfLine> line(new AsOfLine(directory, subject));
  line->snapshot_ = id;
  BAHI_TRY(snapshots.copy_to(id, directory));
  BAHI_TRY(line->open_store(false));
  BAHI_ASSIGN(const auto facts, line->store_->facts());
  for (const auto& [key, row] : facts) {
    InstanceFact fact;
    if (decode_row(row, fact) && fact.id.value == instance) line->fact_ = fact;
  }
  if (line->fact_.id.value != instance || line->fact_.name != subject.name || line->fact_.tenant != subject.tenant) {
    return Error{ErrorCode::kSnapshotDamaged,
                 fmt::format("snapshot {} lacks the read model that its manifest names", id)};
  }
  BAHI_ASSIGN(const Checkpoint checkpoint, line->view()->checkpoint());
  line->position_ = std::max(checkpoint.next, subject.from).value;
  return line;
}

AsOfLine::~AsOfLine() {
  store_.reset();
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

Status AsOfLine::fold_to(const Engine& engine, Offset to, const Limits& limits) {
  return run(engine, to, limits, {});
}

Status AsOfLine::step_to(const Engine& engine, Offset to, const Limits& limits, Instance::AfterEvent after_event) {
  // A commit for each event is cheap as rows only, not as sorted files.
  fact_.kept = true;
  return run(engine, to, limits, std::move(after_event));
}

Status AsOfLine::run(const Engine& engine, Offset to, const Limits& limits, Instance::AfterEvent after_event) {
  if (position() >= to) return {};
  fact_.to = to;
  FoldMemory memory(kFoldBytesMax);
  Instance instance(engine, *store_, memory, *subject_.projection, fact_, subject_.skipped);
  BAHI_ASSIGN(const bool resumed, instance.resume());
  if (!resumed) return Error{ErrorCode::kViewsDamaged, "the state is not of this log"};
  instance.after_each_event(std::move(after_event));
  for (Instance::Next next = Instance::Next::kMore; next != Instance::Next::kRest;) {
    next = instance.run_slice(kSlice, true);
    position_.store(instance.next().value, std::memory_order_release);
    if (next == Instance::Next::kRest) break;
    if (limits.cancelled) return Error{ErrorCode::kShuttingDown, "the server stops"};
    if (std::chrono::steady_clock::now() >= limits.deadline) {
      return Error{ErrorCode::kDeadlineExceeded,
                   fmt::format("'{}' is folded up to offset {} of {}; ask again, and it goes on from there",
                               subject_.name, position().value, to.value)};
    }
  }
  const auto error = instance.parked_error();
  if (!error) return {};
  const bool ours = error->code() == ErrorCode::kViewsDamaged || error->code() == ErrorCode::kIoError ||
                    error->code() == ErrorCode::kDiskFull || error->code() == ErrorCode::kCorruptLog;
  if (ours) return *error;
  return Error{ErrorCode::kProjectionParked, fmt::format("'{}' stands at offset {}: {}", subject_.name,
                                                         instance.status().parked_at->value, error->to_string())};
}

bool AsOfLine::suits(const AsOfSubject& subject) const {
  return subject.tenant == subject_.tenant && subject.name == subject_.name &&
         subject.projection == subject_.projection && subject.from == subject_.from &&
         subject.skipped_below(position()) == subject_.skipped_below(position());
}

std::uint64_t AsOfLine::own_bytes() const {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (fs::directory_iterator it(directory_, error), end; !error && it != end; it.increment(error)) {
    std::error_code gone;  // by a compaction
    if (it->hard_link_count(gone) == 1 && !gone) bytes += it->file_size(gone);
  }
  return bytes;
}

}  // namespace bahi::projections
