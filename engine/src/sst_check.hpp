// Looks at the end of a sorted file before RocksDB does.
//
// RocksDB 7.8.3 takes the properties block of a file apart before it checks that block's checksum, and a wrong bit
// there may end the process with an assertion. So the end of every file is checked when RocksDB opens it, which is the
// moment when it is known that the file counts: what a killed flush left behind is never opened, and may be damaged.
//
// Layout, as RocksDB's block-based tables of format versions 1 to 5 have it; integers little-endian, handles two
// LEB128:
//
//   … properties block, metaindex block, footer
//   block        content, compression type u8, checksum u32 of both; a handle {offset, size} counts the content only
//   metaindex    entries {shared, own, value size: LEB128, rest of the name, value}, restarts u32 *, their number u32
//   footer (53)  checksum type u8, handles of metaindex and index, zeros up to byte 41, format version u32, magic u64
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

namespace bahi {

/// Checks footer, metaindex and properties of the sorted file; usually in one read. Corruption names `path` and the
/// part. A format that this build does not write (another format version or checksum) is left to RocksDB to judge.
[[nodiscard]] rocksdb::IOStatus check_sst(const std::string& path, const rocksdb::FSRandomAccessFile& file,
                                          std::uint64_t size);

/// An Env over `base` (null: the real one) that checks each sorted file before it hands it out. Must outlive the
/// database that uses it. Thread-safe.
class SstCheckingEnv {
 public:
  explicit SstCheckingEnv(rocksdb::Env* base);
  [[nodiscard]] rocksdb::Env* get() const { return env_.get(); }
  /// The first damage found. A database opened as a secondary makes do without a damaged file, and reports nothing.
  [[nodiscard]] rocksdb::Status damage() const;

 private:
  class Files;
  std::shared_ptr<Files> files_;
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace bahi
