#include "backup_reader.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace bahi {

std::uint64_t BackupReader::bytes_total() const {
  std::uint64_t total = 0;
  for (const BackupManifest& manifest : directory_.manifests()) total += manifest.info.bytes;
  return total;
}

Result<bool> BackupReader::next() {
  while (backup_ < directory_.manifests().size()) {
    if (segment_) {
      BAHI_ASSIGN(const bool more, segment_->next());
      if (more) {
        BAHI_TRY(check_batch());
        return true;
      }
      segment_.reset();
      ++segments_whole_;
    }
    if (next_segment_ < directory_.manifests()[backup_].segments.size()) {
      BAHI_TRY(open_segment());
      continue;
    }
    BAHI_TRY(check_backup());
    ++backup_;
    next_segment_ = 0;
    counts_ = {};
    reached_here_.clear();
  }
  return false;
}

Status BackupReader::open_segment() {
  const BackupManifest& manifest = directory_.manifests()[backup_];
  const SegmentEntry& entry = manifest.segments[next_segment_++];
  const SegmentPlace place{manifest.info.store_id, manifest.info.number, static_cast<std::uint32_t>(next_segment_)};
  BAHI_ASSIGN(segment_,
              SegmentReader::open(directory_.segment_path(manifest.info.number, next_segment_), place, entry));
  return {};
}

Status BackupReader::check_batch() {
  auto decoded = DecodedBatch::decode(segment_->stored());
  if (!decoded) {
    const Error damage = segment_->damaged(decoded.error().message());
    return Error{decoded.error().code() == ErrorCode::kNewerFormat ? ErrorCode::kNewerFormat : damage.code(),
                 damage.message()};
  }
  batch_ = std::move(*decoded);
  const BatchHeader& header = batch_->header();
  TenantMark& reached = reached_[header.tenant];
  if (header.first_offset != reached.next_offset || header.previous_hash != reached.chain_hash) {
    return segment_->damaged(
        fmt::format("tenant {}: the batch at offset {} does not follow the one before it, which ends at offset {}",
                    header.tenant.value, header.first_offset.value, reached.next_offset.value));
  }
  reached = {header.tenant, header.next_offset(), header.chain_hash};
  reached_here_[header.tenant] = reached;
  ++counts_.batches;
  counts_.events += header.event_count;
  counts_.bytes += segment_->stored().size();
  bytes_ += segment_->stored().size();
  return {};
}

Status BackupReader::check_backup() const {
  const BackupInfo& info = directory_.manifests()[backup_].info;
  const bool same_tenants =
      std::equal(info.tenants.begin(), info.tenants.end(), reached_here_.begin(), reached_here_.end(),
                 [](const BackupTenant& promised, const auto& found) { return promised.mark == found.second; });
  if (same_tenants && counts_ == Counts{info.batches, info.events, info.bytes}) return {};
  return Error{ErrorCode::kBackupDamaged, fmt::format("{}: the segments do not hold what the manifest says",
                                                      directory_.manifest_path(info.number).string())};
}

}  // namespace bahi
