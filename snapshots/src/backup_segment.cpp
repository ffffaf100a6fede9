#include "backup_segment.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include "bahi/base/failpoint.hpp"
#include "bahi/schemas/batch_header.hpp"
#include "bahi/schemas/bytes.hpp"
#include "bahi/schemas/hash.hpp"

namespace bahi {
namespace {

constexpr std::string_view kMagic = "BAHISEGM";
constexpr std::uint32_t kFormat = 1;
constexpr std::size_t kWriteBytes = std::size_t{1} << 20U;
constexpr std::size_t kReadBytes = std::size_t{4} << 20U;
/// So much is collected before the disk is told to begin: one long sync at the end would hold up those of the log.
constexpr std::uint64_t kStartBytes = std::uint64_t{8} << 20U;

std::string encode_header(const SegmentPlace& place) {
  std::string header(kMagic);
  bytes::put_le32(header, kFormat);
  bytes::put_le32(header, place.number);
  bytes::put_le64(header, place.backup);
  bytes::put_le64(header, place.store_id.high);
  bytes::put_le64(header, place.store_id.low);
  header.resize(kSegmentHeaderBytes - sizeof(std::uint64_t), '\0');
  bytes::put_le64(header, xxh3_64(header));
  return header;
}

/// Bytes of the batch whose header this is, if it is sound.
std::uint64_t batch_bytes(std::string_view header) {
  return kBatchHeaderBytes + std::uint64_t{bytes::get_le32(header.data() + 28)} + bytes::get_le32(header.data() + 32);
}

}  // namespace

Result<SegmentWriter> SegmentWriter::create(const std::filesystem::path& path, const SegmentPlace& place) {
  SegmentWriter writer;
  BAHI_ASSIGN(writer.file_, PosixFile::open(path, O_WRONLY | O_CREAT | O_TRUNC));
  BAHI_TRY(writer.add(encode_header(place)));
  return writer;
}

Status SegmentWriter::add(std::string_view stored) {
  buffer_ += stored;
  bytes_ += stored.size();
  return buffer_.size() < kWriteBytes ? Status{} : write_buffer();
}

Status SegmentWriter::write_buffer() {
  if (failpoint::hit("backup_segment")) return Error{ErrorCode::kIoError, "backup_segment: failed on purpose"};
  hash_.add(buffer_);
  BAHI_TRY(file_.write_at(written_, buffer_));
  written_ += buffer_.size();
  buffer_.clear();
  if (written_ - started_ >= kStartBytes) {
    // Only a hint: what goes wrong here is told by the sync at the end.
    (void)::sync_file_range(file_.descriptor(), static_cast<off_t>(started_), static_cast<off_t>(written_ - started_),
                            SYNC_FILE_RANGE_WRITE);
    started_ = written_;
  }
  return {};
}

Result<SegmentEntry> SegmentWriter::finish() {
  BAHI_TRY(write_buffer());
  BAHI_TRY(file_.sync());
  // Nobody will read it soon; the cache is for others.
  (void)::posix_fadvise(file_.descriptor(), 0, 0, POSIX_FADV_DONTNEED);
  return SegmentEntry{written_, hash_.digest()};
}

Error SegmentReader::damaged(std::string_view what) const {
  return {ErrorCode::kBackupDamaged, fmt::format("{}, byte {}: {}", path_.string(), position_, what)};
}

Result<SegmentReader> SegmentReader::open(const std::filesystem::path& path, const SegmentPlace& place,
                                          const SegmentEntry& entry) {
  SegmentReader reader;
  reader.path_ = path;
  reader.entry_ = entry;
  if (!std::filesystem::exists(path)) {
    return Error{ErrorCode::kBackupDamaged, fmt::format("{} is missing", path.string())};
  }
  BAHI_ASSIGN(reader.file_, PosixFile::open(path, O_RDONLY));
  BAHI_ASSIGN(const std::uint64_t size, reader.file_.size());
  if (size != entry.bytes) {
    return Error{ErrorCode::kBackupDamaged,
                 fmt::format("{} has {} bytes, its manifest says {}", path.string(), size, entry.bytes)};
  }
  BAHI_ASSIGN(const bool filled, reader.fill(kSegmentHeaderBytes));
  if (!filled) return reader.damaged("the header is cut off");
  const std::string_view header = std::string_view(reader.buffer_).substr(0, kSegmentHeaderBytes);
  if (header.starts_with(kMagic) && bytes::get_le32(header.data() + kMagic.size()) > kFormat) {
    return Error{ErrorCode::kNewerFormat, fmt::format("{}: its format is newer than this build knows", path.string())};
  }
  if (header != encode_header(place)) return reader.damaged("the header is not that of this segment");
  reader.stored_bytes_ = kSegmentHeaderBytes;
  return reader;
}

Result<bool> SegmentReader::fill(std::size_t size) {
  if (buffer_.size() - begin_ >= size) return true;
  buffer_.erase(0, begin_);
  begin_ = 0;
  BAHI_ASSIGN(const std::string more, file_.read_at(read_, std::max(kReadBytes, size - buffer_.size())));
  hash_.add(more);
  read_ += more.size();
  buffer_ += more;
  return buffer_.size() >= size;
}

Result<bool> SegmentReader::next() {
  position_ += stored_bytes_;
  begin_ += stored_bytes_;
  stored_bytes_ = 0;
  if (position_ == entry_.bytes) {
    if (read_ == entry_.bytes && hash_.digest() == entry_.hash) return false;
    return damaged("the file differs from what its manifest says");
  }
  BAHI_ASSIGN(const bool has_header, fill(kBatchHeaderBytes));
  if (!has_header) return damaged("a batch is cut off");
  const std::uint64_t size = batch_bytes(std::string_view(buffer_).substr(begin_));
  if (size > entry_.bytes - position_) return damaged("a batch is cut off, or its header is altered");
  BAHI_ASSIGN(const bool whole, fill(size));
  if (!whole) return damaged("a batch is cut off");
  stored_bytes_ = size;
  return true;
}

}  // namespace bahi
