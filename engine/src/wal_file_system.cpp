#include "wal_file_system.hpp"

#include <algorithm>
#include <atomic>
#include <string>
#include <string_view>
#include <utility>

#include <boost/crc.hpp>
#include <boost/endian/conversion.hpp>

namespace bahi {
namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

/// Zeros are written this far ahead.
constexpr std::size_t kAheadBytes = std::size_t{512} << 10U;
/// Beyond so many bytes from one sync to the next the inode no longer matters, and zeros would double what is written.
constexpr std::uint64_t kSmallSyncBytes = std::uint64_t{64} << 10U;

// RocksDB's write-ahead log: blocks of 32 KiB; records of checksum (4), length (2), type (1), payload; no record
// crosses a block, and what is left of a block too small for a header is skipped.
constexpr std::uint64_t kBlockBytes = std::uint64_t{32} << 10U;
constexpr std::uint64_t kHeaderBytes = 7;

bool is_wal(const std::string& path) {
  return path.ends_with(".log");
}

/// Whether little is written between two syncs. One for all write-ahead logs of a file system: a log file begins with
/// what was learned from the one before it.
struct SyncSizes {
  std::atomic<std::uint64_t> since_sync{0};
  std::atomic<bool> small{true};

  void appended(std::size_t bytes) { since_sync.fetch_add(bytes, std::memory_order_relaxed); }
  void synced() {
    const std::uint64_t bytes = since_sync.exchange(0, std::memory_order_relaxed);
    if (bytes != 0) small.store(bytes <= kSmallSyncBytes, std::memory_order_relaxed);
  }
};

/// Append is called by one thread at a time; Sync may run beside it.
class WalWritableFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  WalWritableFile(std::unique_ptr<rocksdb::FSWritableFile> file, std::shared_ptr<SyncSizes> sizes)
      : FSWritableFileOwnerWrapper(std::move(file)), sizes_(std::move(sizes)) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    const std::uint64_t end = end_ + data.size();
    if (end > ahead_ && sizes_->small.load(std::memory_order_relaxed)) write_ahead(end, options, debug);
    IOStatus status = target()->PositionedAppend(data, end_, options, debug);
    if (!status.ok()) return status;
    // The disk begins now, beside the sync that may be under way: the next sync then has little left but to flush the
    // disk's own cache. Only a hint: what goes wrong here is told by that sync. Much data would only queue up before
    // that sync.
    if (data.size() <= kSmallSyncBytes) (void)target()->RangeSync(end_, data.size(), options, debug);
    end_ = end;
    sizes_->appended(data.size());
    return status;
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo& /*verification*/,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    sizes_->synced();
    return target()->Sync(options, debug);
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    sizes_->synced();
    return target()->Fsync(options, debug);
  }
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    IOStatus trimmed = ahead_ > end_ ? target()->Truncate(end_, options, debug) : IOStatus::OK();
    IOStatus closed = target()->Close(options, debug);
    return trimmed.ok() ? closed : trimmed;
  }
  std::uint64_t GetFileSize(const IOOptions& /*options*/, IODebugContext* /*debug*/) override { return end_; }

 private:
  void write_ahead(std::uint64_t end, const IOOptions& options, IODebugContext* debug) {
    static const std::string zeros(kAheadBytes, '\0');
    const std::uint64_t target_end = (end + kAheadBytes) / kAheadBytes * kAheadBytes;
    // A disk too full for zeros may have room for the record: that write tells.
    if (target()->PositionedAppend({zeros.data(), target_end - end}, end, options, debug).ok()) ahead_ = target_end;
  }

  std::shared_ptr<SyncSizes> sizes_;
  std::uint64_t end_ = 0;    // of what was appended
  std::uint64_t ahead_ = 0;  // of the zeros
};

class WalSequentialFile final : public rocksdb::FSSequentialFile {
 public:
  WalSequentialFile(std::unique_ptr<rocksdb::FSRandomAccessFile> file, WalReading reading)
      : file_(std::move(file)), reading_(reading) {}

  IOStatus Read(std::size_t size, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* debug) override {
    IOStatus status = file_->Read(position_, size, options, result, scratch, debug);
    if (!status.ok()) return status;
    const std::size_t given = readable({result->data(), result->size()});
    *result = Slice(result->data(), given);
    position_ += given;
    return status;
  }
  IOStatus Skip(std::uint64_t size) override {
    std::string scratch(kBlockBytes, '\0');
    while (size > 0) {
      Slice data;
      IOStatus status =
          Read(std::min<std::uint64_t>(size, scratch.size()), IOOptions(), &data, scratch.data(), nullptr);
      if (!status.ok() || data.empty()) return status;
      size -= data.size();
    }
    return IOStatus::OK();
  }
  IOStatus InvalidateCache(std::size_t offset, std::size_t length) override {
    return file_->InvalidateCache(offset, length);
  }

 private:
  /// How much of `data`, which begins at position_, the reader may see; moves record_ past the records in it.
  std::size_t readable(std::string_view data) {
    const std::uint64_t end = position_ + data.size();
    while (record_ >= position_ && record_ < end) {
      const std::uint64_t left_of_block = kBlockBytes - record_ % kBlockBytes;
      if (left_of_block < kHeaderBytes) {
        record_ += left_of_block;
        continue;
      }
      const std::string_view from_header = data.substr(record_ - position_);
      const bool whole = is_whole(from_header);
      if (!whole && (reading_ == WalReading::kWholeOnly || is_end(from_header))) return record_ - position_;
      if (from_header.size() < kHeaderBytes) break;
      record_ += kHeaderBytes + payload_bytes(from_header);
    }
    return data.size();
  }
  static std::uint64_t payload_bytes(std::string_view header) {
    return boost::endian::load_little_u16(reinterpret_cast<const unsigned char*>(header.data()) + 4);
  }
  static bool is_end(std::string_view from_header) {
    return from_header.size() >= kHeaderBytes &&
           from_header.substr(0, kHeaderBytes).find_first_not_of('\0') == std::string_view::npos;
  }
  /// Checked only where a record may be in the middle of being written.
  [[nodiscard]] bool is_whole(std::string_view from_header) const {
    if (reading_ == WalReading::kAll) return from_header.size() >= kHeaderBytes && !is_end(from_header);
    if (from_header.size() < kHeaderBytes || is_end(from_header)) return false;
    const std::uint64_t size = payload_bytes(from_header);
    if (from_header.size() < kHeaderBytes + size) return false;
    boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc32c;
    crc32c.process_bytes(from_header.data() + 6, 1 + size);  // type and payload
    const std::uint32_t value = crc32c.checksum();
    const std::uint32_t masked = ((value >> 15U) | (value << 17U)) + 0xA282EAD8U;
    return masked == boost::endian::load_little_u32(reinterpret_cast<const unsigned char*>(from_header.data()));
  }

  std::unique_ptr<rocksdb::FSRandomAccessFile> file_;
  WalReading reading_;
  std::uint64_t position_ = 0;  // of the next byte to give out
  std::uint64_t record_ = 0;    // of the next record's header
};

class WalFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  WalFileSystem(std::shared_ptr<rocksdb::FileSystem> base, WalReading reading)
      : FileSystemWrapper(std::move(base)), reading_(reading) {}

  static const char* kClassName() { return "BahiWalFileSystem"; }
  const char* Name() const override { return kClassName(); }

  IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* debug) override {
    IOStatus status = target()->NewWritableFile(path, options, result, debug);
    if (status.ok() && is_wal(path)) *result = std::make_unique<WalWritableFile>(std::move(*result), sizes_);
    return status;
  }
  IOStatus NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                             std::unique_ptr<rocksdb::FSSequentialFile>* result, IODebugContext* debug) override {
    if (!is_wal(path)) return target()->NewSequentialFile(path, options, result, debug);
    std::unique_ptr<rocksdb::FSRandomAccessFile> file;
    IOStatus status = target()->NewRandomAccessFile(path, options, &file, debug);
    if (status.ok()) *result = std::make_unique<WalSequentialFile>(std::move(file), reading_);
    return status;
  }

 private:
  const WalReading reading_;
  const std::shared_ptr<SyncSizes> sizes_ = std::make_shared<SyncSizes>();
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> make_wal_file_system(std::shared_ptr<rocksdb::FileSystem> base,
                                                          WalReading reading) {
  return std::make_shared<WalFileSystem>(std::move(base), reading);
}

rocksdb::Env* wal_env(WalReading reading) {
  // Never destroyed: a store closed late in the process's end still needs it.
  const auto make = [](WalReading of) {
    return rocksdb::NewCompositeEnv(make_wal_file_system(rocksdb::FileSystem::Default(), of)).release();
  };
  static rocksdb::Env* const all = make(WalReading::kAll);
  static rocksdb::Env* const whole_only = make(WalReading::kWholeOnly);
  return reading == WalReading::kAll ? all : whole_only;
}

}  // namespace bahi
