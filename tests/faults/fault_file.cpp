#include "fault_file.hpp"

#include <algorithm>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace bahi::faults {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

FaultWritableFile::FaultWritableFile(FaultFileSystem& owner, std::unique_ptr<rocksdb::FSWritableFile> target,
                                     std::string path, std::uint64_t size, bool reopened)
    : owner_(owner),
      target_(std::move(target)),
      path_(std::move(path)),
      may_leak_(owner.loss().leak_one_in > 0 && !reopened),
      written_(size) {}

FaultWritableFile::~FaultWritableFile() {
  if (leak_descriptor_ >= 0) ::close(leak_descriptor_);
}

IOStatus FaultWritableFile::Append(const Slice& data, const IOOptions& options, IODebugContext* debug) {
  IOStatus status = owner_.pass(Operation::kWrite, path_);
  if (status.ok()) status = owner_.charge(data.size(), path_);
  // A write that fails has stored a part of its bytes.
  const Slice stored(data.data(), status.ok() ? data.size() : data.size() / 2);
  if (owner_.loss().lossy) {
    const std::scoped_lock lock(pending_mutex_);
    pending_.append(stored.data(), stored.size());
    if (may_leak_ && owner_.random_below(owner_.loss().leak_one_in) == 0) leak();
    return status;
  }
  const IOStatus written = target_->Append(stored, options, debug);
  const std::scoped_lock lock(pending_mutex_);
  written_ += stored.size();
  return status.ok() ? written : status;
}

IOStatus FaultWritableFile::Append(const Slice& data, const IOOptions& options,
                                   const rocksdb::DataVerificationInfo& /*verification*/, IODebugContext* debug) {
  return Append(data, options, debug);
}

IOStatus FaultWritableFile::PositionedAppend(const Slice& data, std::uint64_t offset, const IOOptions& options,
                                             IODebugContext* debug) {
  IOStatus status = owner_.pass(Operation::kWrite, path_);
  if (status.ok()) status = owner_.charge(data.size(), path_);
  if (!status.ok()) return status;
  const std::scoped_lock target_lock(target_mutex_);
  if (status = write_through(options, debug); !status.ok()) return status;
  if (status = target_->PositionedAppend(data, offset, options, debug); !status.ok()) return status;
  const std::scoped_lock lock(pending_mutex_);
  written_ = std::max(written_, offset + data.size());
  return status;
}

IOStatus FaultWritableFile::PositionedAppend(const Slice& data, std::uint64_t offset, const IOOptions& options,
                                             const rocksdb::DataVerificationInfo& /*verification*/,
                                             IODebugContext* debug) {
  return PositionedAppend(data, offset, options, debug);
}

IOStatus FaultWritableFile::Truncate(std::uint64_t size, const IOOptions& options, IODebugContext* debug) {
  const std::scoped_lock target_lock(target_mutex_);
  if (IOStatus status = write_through(options, debug); !status.ok()) return status;
  if (IOStatus status = target_->Truncate(size, options, debug); !status.ok()) return status;
  const std::scoped_lock lock(pending_mutex_);
  written_ = size;
  return IOStatus::OK();
}

IOStatus FaultWritableFile::Close(const IOOptions& options, IODebugContext* debug) {
  const std::scoped_lock target_lock(target_mutex_);
  const IOStatus status = write_through(options, debug);
  const IOStatus closed = target_->Close(options, debug);
  return status.ok() ? closed : status;
}

IOStatus FaultWritableFile::Flush(const IOOptions& options, IODebugContext* debug) {
  return owner_.loss().lossy ? IOStatus::OK() : target_->Flush(options, debug);
}

IOStatus FaultWritableFile::Sync(const IOOptions& options, IODebugContext* debug) {
  return sync(false, options, debug);
}

IOStatus FaultWritableFile::Fsync(const IOOptions& options, IODebugContext* debug) {
  return sync(true, options, debug);
}

IOStatus FaultWritableFile::sync(bool metadata, const IOOptions& options, IODebugContext* debug) {
  owner_.wait_for_sync();
  IOStatus status = owner_.pass(Operation::kSync, path_);
  if (!owner_.loss().lossy) {
    if (!status.ok() || !owner_.loss().sync_reaches_disk) return status;
    return metadata ? target_->Fsync(options, debug) : target_->Sync(options, debug);
  }
  const std::scoped_lock target_lock(target_mutex_);
  if (!status.ok()) {
    // After a failed fsync Linux marks the pages clean: their content never reaches the disk.
    const std::scoped_lock lock(pending_mutex_);
    std::fill(pending_.begin(), pending_.end(), '\0');
    return status;
  }
  if (status = write_through(options, debug); !status.ok() || !owner_.loss().sync_reaches_disk) return status;
  return metadata ? target_->Fsync(options, debug) : target_->Sync(options, debug);
}

IOStatus FaultWritableFile::write_through(const IOOptions& options, IODebugContext* debug) {
  std::string bytes;
  {
    const std::scoped_lock lock(pending_mutex_);
    bytes.swap(pending_);
    written_ += bytes.size();
  }
  return bytes.empty() ? IOStatus::OK() : target_->Append(bytes, options, debug);
}

void FaultWritableFile::leak() {
  if (pending_.empty()) return;
  if (leak_descriptor_ < 0) leak_descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
  if (leak_descriptor_ < 0) return;  // renamed or deleted meanwhile
  std::uint64_t begin = 0;
  const std::uint64_t end = 1 + owner_.random_below(pending_.size());
  // Pages of a write-ahead log may be written back in any order; elsewhere RocksDB syncs after each record,
  // and a hole in front of a complete record would be a fault of the disk, not of the power.
  if (path_.ends_with(".log") && owner_.random_below(2) == 0) begin = owner_.random_below(end);
  const ssize_t written =
      ::pwrite(leak_descriptor_, pending_.data() + begin, end - begin, static_cast<off_t>(written_ + begin));
  static_cast<void>(written);  // a leak is a matter of chance anyway
}

IOStatus FaultWritableFile::RangeSync(std::uint64_t offset, std::uint64_t count, const IOOptions& options,
                                      IODebugContext* debug) {
  // A range sync promises nothing, so a lossy file does nothing.
  return owner_.loss().lossy ? IOStatus::OK() : target_->RangeSync(offset, count, options, debug);
}

IOStatus FaultWritableFile::Allocate(std::uint64_t offset, std::uint64_t length, const IOOptions& options,
                                     IODebugContext* debug) {
  return target_->Allocate(offset, length, options, debug);
}

IOStatus FaultWritableFile::InvalidateCache(std::size_t offset, std::size_t length) {
  return target_->InvalidateCache(offset, length);
}

std::uint64_t FaultWritableFile::GetFileSize(const IOOptions& /*options*/, IODebugContext* /*debug*/) {
  const std::scoped_lock lock(pending_mutex_);
  return written_ + pending_.size();
}

FaultDirectory::FaultDirectory(FaultFileSystem& owner, std::unique_ptr<rocksdb::FSDirectory> target, std::string path)
    : owner_(owner), target_(std::move(target)), path_(std::move(path)) {}

IOStatus FaultDirectory::sync(const std::function<IOStatus()>& sync_target) {
  owner_.wait_for_sync();
  IOStatus status = owner_.pass(Operation::kDirectorySync, path_);
  if (status.ok() && owner_.loss().sync_reaches_disk) status = sync_target();
  if (status.ok()) owner_.directory_synced(path_);
  return status;
}

IOStatus FaultDirectory::Fsync(const IOOptions& options, IODebugContext* debug) {
  return sync([&] { return target_->Fsync(options, debug); });
}

IOStatus FaultDirectory::FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                                             const rocksdb::DirFsyncOptions& directory_options) {
  return sync([&] { return target_->FsyncWithDirOptions(options, debug, directory_options); });
}

IOStatus FaultDirectory::Close(const IOOptions& options, IODebugContext* debug) {
  return target_->Close(options, debug);
}

}  // namespace bahi::faults
