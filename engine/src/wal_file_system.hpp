// The file system under the log's RocksDB: write-ahead log files that a small sync does not lengthen.
//
// fdatasync of a file that has grown writes its inode too, a second write that the first one has to wait for. So while
// little is written between two syncs, a write-ahead log file is written with zeros some way ahead, and appends
// overwrite them (measured: 0.68 of the time for 600 bytes, 0.60 for 24 KB; ADR 0008).
//
// A reader ends at the first record header that is zero, which no record has
// (https://github.com/facebook/rocksdb/wiki/Write-Ahead-Log-File-Format): RocksDB never sees the zeros.
#pragma once

#include <cstdint>
#include <memory>

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

namespace bahi {

enum class WalReading : std::uint8_t {
  kAll,        ///< what is damaged is passed on, for RocksDB to judge
  kWholeOnly,  ///< beside a process that writes: ends before a record that is not whole yet
};

/// `base`, with files named *.log as described above. Everything else is passed on.
[[nodiscard]] std::shared_ptr<rocksdb::FileSystem> make_wal_file_system(std::shared_ptr<rocksdb::FileSystem> base,
                                                                        WalReading reading);

/// The same over the real file system, as the Env that RocksDB takes. Lives as long as the process.
[[nodiscard]] rocksdb::Env* wal_env(WalReading reading);

}  // namespace bahi
