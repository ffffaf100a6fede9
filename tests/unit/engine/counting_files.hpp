// A file system under RocksDB that counts what is read of the log.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

namespace bahi::test {

/// Counts the bytes read from sorted files of the log.
class CountingFiles final : public rocksdb::FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  const char* Name() const override { return "CountingFiles"; }
  rocksdb::IOStatus NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                                        rocksdb::IODebugContext* debug) override {
    std::unique_ptr<rocksdb::FSRandomAccessFile> file;
    if (auto status = target()->NewRandomAccessFile(path, options, &file, debug); !status.ok()) return status;
    const bool counted = path.find("/log/") != std::string::npos;
    *result = counted ? std::make_unique<File>(std::move(file), bytes) : std::move(file);
    return rocksdb::IOStatus::OK();
  }
  std::atomic<std::uint64_t> bytes{0};

 private:
  class File final : public rocksdb::FSRandomAccessFileOwnerWrapper {
   public:
    File(std::unique_ptr<rocksdb::FSRandomAccessFile> file, std::atomic<std::uint64_t>& bytes)
        : FSRandomAccessFileOwnerWrapper(std::move(file)), bytes_(bytes) {}
    rocksdb::IOStatus Read(std::uint64_t offset, std::size_t size, const rocksdb::IOOptions& options,
                           rocksdb::Slice* result, char* scratch, rocksdb::IODebugContext* debug) const override {
      bytes_ += size;
      return FSRandomAccessFileOwnerWrapper::Read(offset, size, options, result, scratch, debug);
    }
    rocksdb::IOStatus MultiRead(rocksdb::FSReadRequest* requests, std::size_t count, const rocksdb::IOOptions& options,
                                rocksdb::IODebugContext* debug) override {
      for (std::size_t i = 0; i < count; ++i) bytes_ += requests[i].len;
      return FSRandomAccessFileOwnerWrapper::MultiRead(requests, count, options, debug);
    }
    rocksdb::IOStatus Prefetch(std::uint64_t, std::size_t, const rocksdb::IOOptions&,
                               rocksdb::IODebugContext*) override {
      return rocksdb::IOStatus::NotSupported("so that what is read is counted");
    }

   private:
    std::atomic<std::uint64_t>& bytes_;
  };
};

}  // namespace bahi::test
