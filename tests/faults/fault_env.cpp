#include "fault_env.hpp"

#include <algorithm>
#include <thread>

#include "fault_file.hpp"
#include "wal_file_system.hpp"

namespace bahi::faults {
namespace {

rocksdb::IOStatus injected(Fault fault, const std::string& path) {
  if (fault == Fault::kIoError) return rocksdb::IOStatus::IOError("injected fault", path);
  rocksdb::IOStatus full = rocksdb::IOStatus::NoSpace("injected fault", path);
  full.SetRetryable(true);  // as RocksDB's own file system marks ENOSPC
  return full;
}

}  // namespace

FaultFileSystem::FaultFileSystem(std::shared_ptr<rocksdb::FileSystem> base, LossOptions loss)
    : FileSystemWrapper(base),
      loss_(loss),
      names_(loss.name_journal.empty() ? nullptr : std::make_unique<NameJournal>(loss.name_journal)),
      random_(loss.seed) {}

void FaultFileSystem::fail(Operation operation, std::uint64_t nth, Fault fault, bool sticky) {
  const std::scoped_lock lock(mutex_);
  plans_[static_cast<std::size_t>(operation)] = {nth, fault, sticky};
}

void FaultFileSystem::set_scope(std::string part) {
  const std::scoped_lock lock(mutex_);
  scope_ = std::move(part);
}

void FaultFileSystem::reset() {
  const std::scoped_lock lock(mutex_);
  plans_.fill({});
  counts_.fill(0);
  failures_.store(0);
}

std::uint64_t FaultFileSystem::count(Operation operation) const {
  const std::scoped_lock lock(mutex_);
  return counts_[static_cast<std::size_t>(operation)];
}

void FaultFileSystem::set_byte_budget(std::optional<std::uint64_t> bytes) {
  const std::scoped_lock lock(mutex_);
  budget_ = bytes;
}

rocksdb::IOStatus FaultFileSystem::pass(Operation operation, const std::string& path) {
  const std::scoped_lock lock(mutex_);
  if (path.find(scope_) == std::string::npos) return rocksdb::IOStatus::OK();
  const Plan& plan = plans_[static_cast<std::size_t>(operation)];
  const std::uint64_t number = ++counts_[static_cast<std::size_t>(operation)];
  if (plan.nth == 0 || number < plan.nth || (number > plan.nth && !plan.sticky)) return rocksdb::IOStatus::OK();
  failures_.fetch_add(1);
  return injected(plan.fault, path);
}

rocksdb::IOStatus FaultFileSystem::charge(std::uint64_t bytes, const std::string& path) {
  const std::scoped_lock lock(mutex_);
  if (!budget_) return rocksdb::IOStatus::OK();
  if (*budget_ < bytes) {
    failures_.fetch_add(1);
    return injected(Fault::kNoSpace, path);
  }
  *budget_ -= bytes;
  return rocksdb::IOStatus::OK();
}

void FaultFileSystem::wait_for_sync() const {
  if (const std::int64_t delay_ms = sync_delay_ms_.load(); delay_ms > 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(delay_ms));
  }
}

std::uint64_t FaultFileSystem::random_below(std::uint64_t bound) {
  const std::scoped_lock lock(mutex_);
  return random_() % bound;
}

std::unique_ptr<rocksdb::FSWritableFile> FaultFileSystem::wrap(std::unique_ptr<rocksdb::FSWritableFile> file,
                                                               const std::string& path, std::uint64_t size,
                                                               bool reopened) {
  return std::make_unique<FaultWritableFile>(*this, std::move(file), path, size, reopened);
}

rocksdb::IOStatus FaultFileSystem::NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                                                     std::unique_ptr<rocksdb::FSSequentialFile>* result,
                                                     rocksdb::IODebugContext* debug) {
  if (auto status = pass(Operation::kOpen, path); !status.ok()) return status;
  return target()->NewSequentialFile(path, options, result, debug);
}

rocksdb::IOStatus FaultFileSystem::NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions& options,
                                                       std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                                                       rocksdb::IODebugContext* debug) {
  if (auto status = pass(Operation::kOpen, path); !status.ok()) return status;
  return target()->NewRandomAccessFile(path, options, result, debug);
}

rocksdb::IOStatus FaultFileSystem::NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                                   std::unique_ptr<rocksdb::FSWritableFile>* result,
                                                   rocksdb::IODebugContext* debug) {
  if (auto status = pass(Operation::kOpen, path); !status.ok()) return status;
  if (names_) names_->creating(path);
  std::unique_ptr<rocksdb::FSWritableFile> file;
  if (auto status = target()->NewWritableFile(path, options, &file, debug); !status.ok()) return status;
  *result = wrap(std::move(file), path, 0, false);
  return rocksdb::IOStatus::OK();
}

rocksdb::IOStatus FaultFileSystem::ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                                      std::unique_ptr<rocksdb::FSWritableFile>* result,
                                                      rocksdb::IODebugContext* debug) {
  if (auto status = pass(Operation::kOpen, path); !status.ok()) return status;
  std::uint64_t size = 0;
  if (!target()->GetFileSize(path, rocksdb::IOOptions(), &size, debug).ok()) size = 0;  // not there yet
  std::unique_ptr<rocksdb::FSWritableFile> file;
  if (auto status = target()->ReopenWritableFile(path, options, &file, debug); !status.ok()) return status;
  *result = wrap(std::move(file), path, size, true);
  return rocksdb::IOStatus::OK();
}

rocksdb::IOStatus FaultFileSystem::ReuseWritableFile(const std::string& path, const std::string& old_path,
                                                     const rocksdb::FileOptions& options,
                                                     std::unique_ptr<rocksdb::FSWritableFile>* result,
                                                     rocksdb::IODebugContext* debug) {
  if (auto status = pass(Operation::kOpen, path); !status.ok()) return status;
  std::unique_ptr<rocksdb::FSWritableFile> file;
  if (auto status = target()->ReuseWritableFile(path, old_path, options, &file, debug); !status.ok()) return status;
  *result = wrap(std::move(file), path, 0, false);
  return rocksdb::IOStatus::OK();
}

rocksdb::IOStatus FaultFileSystem::NewDirectory(const std::string& path, const rocksdb::IOOptions& options,
                                                std::unique_ptr<rocksdb::FSDirectory>* result,
                                                rocksdb::IODebugContext* debug) {
  if (auto status = pass(Operation::kOpen, path); !status.ok()) return status;
  std::unique_ptr<rocksdb::FSDirectory> directory;
  if (auto status = target()->NewDirectory(path, options, &directory, debug); !status.ok()) return status;
  *result = std::make_unique<FaultDirectory>(*this, std::move(directory), path);
  return rocksdb::IOStatus::OK();
}

rocksdb::IOStatus FaultFileSystem::RenameFile(const std::string& from, const std::string& to,
                                              const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) {
  if (auto status = pass(Operation::kRename, from); !status.ok()) return status;
  if (names_) names_->renaming(from, to);
  return target()->RenameFile(from, to, options, debug);
}

rocksdb::IOStatus FaultFileSystem::LinkFile(const std::string& from, const std::string& to,
                                            const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) {
  if (names_) names_->creating(to);
  return target()->LinkFile(from, to, options, debug);
}

rocksdb::IOStatus FaultFileSystem::DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                                              rocksdb::IODebugContext* debug) {
  if (names_) names_->deleting(path);
  return target()->DeleteFile(path, options, debug);
}

void FaultFileSystem::directory_synced(const std::string& path) {
  if (names_) names_->synced(path);
}

rocksdb::IOStatus FaultFileSystem::GetFreeSpace(const std::string& path, const rocksdb::IOOptions& options,
                                                std::uint64_t* bytes, rocksdb::IODebugContext* debug) {
  if (auto status = target()->GetFreeSpace(path, options, bytes, debug); !status.ok()) return status;
  const std::scoped_lock lock(mutex_);
  if (budget_) *bytes = std::min(*bytes, *budget_);
  return rocksdb::IOStatus::OK();
}

FaultEnv::FaultEnv(LossOptions loss)
    : files_(std::make_shared<FaultFileSystem>(
          make_wal_file_system(rocksdb::FileSystem::Default(), WalReading::kAll), loss)),
      env_(rocksdb::NewCompositeEnv(files_)) {}

}  // namespace bahi::faults
