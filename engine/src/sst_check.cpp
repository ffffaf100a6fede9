#include "sst_check.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <string_view>

#include <boost/endian/conversion.hpp>

#include "bahi/schemas/bytes.hpp"
#include "bahi/schemas/hash.hpp"

namespace bahi {
namespace {

using rocksdb::IOStatus;

constexpr std::size_t kFooterBytes = 53;
constexpr std::size_t kHandlesEnd = 41;
constexpr std::size_t kTrailerBytes = 5;  // behind every block
constexpr std::size_t kTailBytes = 8192;  // holds all three parts but for unusual files
constexpr std::uint64_t kMagic = 0x88e241b785f4cff7;
constexpr std::uint64_t kLegacyMagic = 0xdb4775248b80fb57;  // of format version 0
constexpr std::uint32_t kFormatVersionMax = 5;
constexpr char kNoChecksum = 0;
constexpr char kXxh3 = 4;
constexpr std::uint32_t kLastByteFactor = 0x6b9083d9;
constexpr std::string_view kPropertiesName = "rocksdb.properties";

std::uint32_t load_u32(const char* from) {
  return boost::endian::load_little_u32(reinterpret_cast<const unsigned char*>(from));
}
std::uint64_t load_u64(const char* from) {
  return boost::endian::load_little_u64(reinterpret_cast<const unsigned char*>(from));
}

struct Handle {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

bool take_handle(std::string_view& in, Handle& handle) {
  return bytes::take_varint(in, handle.offset) && bytes::take_varint(in, handle.size);
}

/// The handle that the metaindex has for the properties. `content` has the right checksum, so what cannot be understood
/// is not damage: none then.
std::optional<Handle> find_properties(std::string_view content) {
  if (content.size() < sizeof(std::uint32_t)) return std::nullopt;
  const std::uint64_t restarts = load_u32(content.data() + content.size() - sizeof(std::uint32_t));
  const std::uint64_t trailing_bytes = (restarts + 1) * sizeof(std::uint32_t);
  if (trailing_bytes > content.size()) return std::nullopt;
  content.remove_suffix(trailing_bytes);
  std::string name;
  while (!content.empty()) {
    std::uint64_t shared = 0;
    std::uint64_t own = 0;
    std::uint64_t value_size = 0;
    const bool complete = bytes::take_varint(content, shared) && bytes::take_varint(content, own) &&
                          bytes::take_varint(content, value_size) && shared <= name.size() && own <= content.size() &&
                          value_size <= content.size() - own;
    if (!complete) return std::nullopt;
    name.resize(shared);
    name += content.substr(0, own);
    std::string_view value = content.substr(own, value_size);
    content.remove_prefix(own + value_size);
    Handle handle;
    if (name == kPropertiesName) return take_handle(value, handle) ? std::optional(handle) : std::nullopt;
  }
  return std::nullopt;
}

/// One file while it is looked at.
class SstEnd {
 public:
  SstEnd(const std::string& path, const rocksdb::FSRandomAccessFile& file, std::uint64_t size)
      : path_(path), file_(file), size_(size) {}

  IOStatus check() {
    if (size_ < kFooterBytes) return damaged("the file is too short");
    tail_begin_ = size_ - std::min<std::uint64_t>(size_, kTailBytes);
    if (IOStatus status = read(tail_begin_, size_ - tail_begin_, tail_); !status.ok()) return status;
    const std::string_view footer = std::string_view(tail_).substr(tail_.size() - kFooterBytes);
    const std::uint64_t magic = load_u64(footer.data() + footer.size() - sizeof(std::uint64_t));
    if (magic == kLegacyMagic) return IOStatus::OK();
    if (magic != kMagic) return damaged("the footer has another magic number");
    if (footer.front() == kNoChecksum) return damaged("the footer says that nothing has a checksum");
    const std::uint32_t version = load_u32(footer.data() + kHandlesEnd);
    if (version == 0 || version > kFormatVersionMax || footer.front() != kXxh3) return IOStatus::OK();
    std::string_view handles = footer.substr(1, kHandlesEnd - 1);
    Handle metaindex;
    Handle index;
    if (!take_handle(handles, metaindex) || !take_handle(handles, index)) return damaged("the footer is malformed");
    if (!fits(index)) return damaged("the index block lies outside the file");
    std::string content;
    if (IOStatus status = check_block(metaindex, "metaindex", content); !status.ok()) return status;
    const auto properties = find_properties(content);
    return properties ? check_block(*properties, "properties", content) : IOStatus::OK();
  }

 private:
  [[nodiscard]] IOStatus damaged(std::string_view what) const { return IOStatus::Corruption(path_, std::string(what)); }

  [[nodiscard]] bool fits(const Handle& block) const {
    const std::uint64_t end = size_ - kFooterBytes;
    return end >= kTrailerBytes && block.offset <= end - kTrailerBytes &&
           block.size <= end - kTrailerBytes - block.offset;
  }

  IOStatus read(std::uint64_t offset, std::size_t size, std::string& out) const {
    out.resize(size);
    rocksdb::Slice got;
    if (IOStatus status = file_.Read(offset, size, rocksdb::IOOptions(), &got, out.data(), nullptr); !status.ok()) {
      return status;
    }
    if (got.size() != size) return damaged("the file ends early");
    if (got.data() != out.data()) out.assign(got.data(), got.size());
    return IOStatus::OK();
  }

  IOStatus check_block(const Handle& block, std::string_view name, std::string& content) const {
    if (!fits(block)) return damaged("the " + std::string(name) + " block lies outside the file");
    const std::size_t size = block.size + kTrailerBytes;
    if (block.offset >= tail_begin_) {
      content = tail_.substr(block.offset - tail_begin_, size);
    } else if (IOStatus status = read(block.offset, size, content); !status.ok()) {
      return status;
    }
    const std::uint32_t stored = load_u32(content.data() + block.size + 1);
    const auto type = static_cast<unsigned char>(content[block.size]);
    content.resize(block.size);
    // RocksDB mixes the last byte, the compression type, into the lower half of the hash of the rest.
    if (stored != (static_cast<std::uint32_t>(xxh3_64(content)) ^ (type * kLastByteFactor))) {
      return damaged("the " + std::string(name) + " block fails its checksum");
    }
    return IOStatus::OK();
  }

  const std::string& path_;
  const rocksdb::FSRandomAccessFile& file_;
  const std::uint64_t size_;
  std::uint64_t tail_begin_ = 0;
  std::string tail_;
};

}  // namespace

IOStatus check_sst(const std::string& path, const rocksdb::FSRandomAccessFile& file, std::uint64_t size) {
  return SstEnd(path, file, size).check();
}

class SstCheckingEnv::Files final : public rocksdb::FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  static const char* kClassName() { return "BahiSstCheckingFileSystem"; }
  const char* Name() const override { return kClassName(); }

  IOStatus NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions& options,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                               rocksdb::IODebugContext* debug) override {
    std::unique_ptr<rocksdb::FSRandomAccessFile> file;
    if (IOStatus status = target()->NewRandomAccessFile(path, options, &file, debug); !status.ok()) return status;
    if (path.ends_with(".sst")) {
      std::uint64_t size = 0;
      if (IOStatus status = target()->GetFileSize(path, options.io_options, &size, debug); !status.ok()) return status;
      // Reads of a file that is open for direct reading would have to be aligned.
      std::unique_ptr<rocksdb::FSRandomAccessFile> buffered;
      if (file->use_direct_io()) {
        rocksdb::FileOptions through_cache = options;
        through_cache.use_direct_reads = false;
        if (IOStatus status = target()->NewRandomAccessFile(path, through_cache, &buffered, debug); !status.ok()) return status;
      }
      if (IOStatus status = check_sst(path, buffered ? *buffered : *file, size); !status.ok()) {
        const std::scoped_lock lock(mutex_);
        if (status.IsCorruption() && damage_.ok()) damage_ = status;
        return status;
      }
    }
    *result = std::move(file);
    return IOStatus::OK();
  }

  [[nodiscard]] rocksdb::Status damage() const {
    const std::scoped_lock lock(mutex_);
    return damage_;
  }

 private:
  mutable std::mutex mutex_;
  rocksdb::Status damage_;  // protected by mutex_
};

SstCheckingEnv::SstCheckingEnv(rocksdb::Env* base)
    : files_(std::make_shared<Files>(base == nullptr ? rocksdb::FileSystem::Default() : base->GetFileSystem())),
      env_(rocksdb::NewCompositeEnv(files_)) {}

rocksdb::Status SstCheckingEnv::damage() const {
  return files_->damage();
}

}  // namespace bahi
