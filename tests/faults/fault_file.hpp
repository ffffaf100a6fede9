// The files that FaultFileSystem hands out.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include <rocksdb/file_system.h>

#include "fault_env.hpp"

namespace bahi::faults {

/// A writable file that counts, fails and (when lossy) forgets. Append and Flush are called by one
/// thread at a time; Sync and Fsync may run beside them.
class FaultWritableFile final : public rocksdb::FSWritableFile {
 public:
  /// `size` is the length the file has already; `reopened` when the target appends at whatever the end is.
  FaultWritableFile(FaultFileSystem& owner, std::unique_ptr<rocksdb::FSWritableFile> target, std::string path,
                    std::uint64_t size, bool reopened);
  ~FaultWritableFile() override;

  using rocksdb::FSWritableFile::Append;
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo& verification, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus PositionedAppend(const rocksdb::Slice& data, std::uint64_t offset,
                                     const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus PositionedAppend(const rocksdb::Slice& data, std::uint64_t offset,
                                     const rocksdb::IOOptions& options,
                                     const rocksdb::DataVerificationInfo& verification,
                                     rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus Truncate(std::uint64_t size, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus Close(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus Flush(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RangeSync(std::uint64_t offset, std::uint64_t count, const rocksdb::IOOptions& options,
                              rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus Allocate(std::uint64_t offset, std::uint64_t length, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus InvalidateCache(std::size_t offset, std::size_t length) override;
  std::uint64_t GetFileSize(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override;
  bool IsSyncThreadSafe() const override { return true; }
  bool use_direct_io() const override { return target_->use_direct_io(); }
  std::size_t GetRequiredBufferAlignment() const override { return target_->GetRequiredBufferAlignment(); }
  std::size_t GetUniqueId(char* id, std::size_t size_max) const override { return target_->GetUniqueId(id, size_max); }
  void SetWriteLifeTimeHint(rocksdb::Env::WriteLifeTimeHint hint) override { target_->SetWriteLifeTimeHint(hint); }

 private:
  /// Moves what is pending into the real file. Caller holds target_mutex_.
  rocksdb::IOStatus write_through(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug);
  rocksdb::IOStatus sync(bool metadata, const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug);
  /// Lets some unsynced bytes reach the file. Caller holds pending_mutex_.
  void leak();

  FaultFileSystem& owner_;
  const std::unique_ptr<rocksdb::FSWritableFile> target_;
  const std::string path_;
  const bool may_leak_;      // a leak would move the end of a reopened file
  std::mutex target_mutex_;  // orders writers of target_ when lossy; taken before pending_mutex_
  std::mutex pending_mutex_;
  std::string pending_;       // protected by pending_mutex_: appended, not yet in the file
  std::uint64_t written_;     // protected by pending_mutex_: length of the file without pending_
  int leak_descriptor_ = -1;  // protected by pending_mutex_
};

/// A directory whose syncs are counted and can fail.
class FaultDirectory final : public rocksdb::FSDirectory {
 public:
  FaultDirectory(FaultFileSystem& owner, std::unique_ptr<rocksdb::FSDirectory> target, std::string path);
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus FsyncWithDirOptions(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug,
                                        const rocksdb::DirFsyncOptions& directory_options) override;
  rocksdb::IOStatus Close(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override;
  std::size_t GetUniqueId(char* id, std::size_t size_max) const override { return target_->GetUniqueId(id, size_max); }

 private:
  rocksdb::IOStatus sync(const std::function<rocksdb::IOStatus()>& sync_target);

  FaultFileSystem& owner_;
  const std::unique_ptr<rocksdb::FSDirectory> target_;
  const std::string path_;
};

}  // namespace bahi::faults
