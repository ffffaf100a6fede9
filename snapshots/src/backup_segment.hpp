// A file of a backup that holds batches, verbatim, one behind the other.
//
//   offset size   all integers little-endian
//        0    8   magic "BAHISEGM"
//        8    4   format version, now 1
//       12    4   number of the segment in its backup, from 1
//       16    8   number of the backup, from 1
//       24   16   store identity (high, low)
//       40   16   0
//       56    8   XXH3-64 of bytes 0-55
//       64    n   stored batches (bahi/schemas/batch_header.hpp); each tells its own length
//
// The manifest of the backup has the length of the file and its XXH3-128.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "backup_manifest.hpp"
#include "bahi/base/posix_file.hpp"
#include "bahi/base/result.hpp"
#include "bahi/schemas/hash_stream.hpp"

namespace bahi {

inline constexpr std::size_t kSegmentHeaderBytes = 64;

struct SegmentPlace {
  Uuid store_id;
  std::uint64_t backup = 0;
  std::uint32_t number = 0;
};

/// Not thread-safe.
class SegmentWriter {
 public:
  /// Replaces a file of that name.
  [[nodiscard]] static Result<SegmentWriter> create(const std::filesystem::path& path, const SegmentPlace& place);
  Status add(std::string_view stored);
  /// Of the file, so far.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  /// The content is durable when it returns; the name is not.
  [[nodiscard]] Result<SegmentEntry> finish();

 private:
  Status write_buffer();

  PosixFile file_;
  std::string buffer_;
  std::uint64_t bytes_ = 0;    // with those in the buffer
  std::uint64_t written_ = 0;  // handed to the operating system
  std::uint64_t started_ = 0;  // on their way to the disk
  HashStream hash_;
};

/// Not thread-safe. Errors of reading are kBackupDamaged and name the file and the place; kIoError.
class SegmentReader {
 public:
  /// Checks length and header.
  [[nodiscard]] static Result<SegmentReader> open(const std::filesystem::path& path, const SegmentPlace& place,
                                                  const SegmentEntry& entry);
  /// Moves to the next batch. False: the file is at its end and is what the manifest says.
  [[nodiscard]] Result<bool> next();
  /// The batch; only its sizes were looked at. Holds until `next`.
  [[nodiscard]] std::string_view stored() const { return std::string_view(buffer_).substr(begin_, stored_bytes_); }
  /// An error about this file at the current batch.
  [[nodiscard]] Error damaged(std::string_view what) const;

 private:
  /// Reads on until `size` bytes from `begin_` are in the buffer. False: the file has fewer.
  [[nodiscard]] Result<bool> fill(std::size_t size);

  std::filesystem::path path_;
  PosixFile file_;
  SegmentEntry entry_;
  std::string buffer_;
  std::size_t begin_ = 0;         // of the current batch in buffer_
  std::size_t stored_bytes_ = 0;  // of the current batch; first of the header
  std::uint64_t read_ = 0;        // of the file
  std::uint64_t position_ = 0;    // of the current batch in the file
  HashStream hash_;
};

}  // namespace bahi
