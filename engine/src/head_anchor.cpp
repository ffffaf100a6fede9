#include "head_anchor.hpp"

#include <cstring>
#include <optional>

#include <boost/endian/conversion.hpp>
#include <fcntl.h>
#include <fmt/format.h>

#include "bahi/base/failpoint.hpp"
#include "bahi/schemas/hash.hpp"

namespace bahi {
namespace {

constexpr std::string_view kMagic = "BAHIANCH";
constexpr std::uint32_t kFormat = 1;
constexpr std::uint64_t kPageBytes = 4096;
constexpr std::uint64_t kSlotBytes = 64;
constexpr std::uint64_t kSlotsPerPage = kPageBytes / kSlotBytes;
constexpr std::size_t kRecordBytes = 128;

void put(std::string& out, std::uint32_t value) {
  boost::endian::native_to_little_inplace(value);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
void put(std::string& out, std::uint64_t value) {
  boost::endian::native_to_little_inplace(value);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
template <class Integer>
Integer take(std::string_view& in) {
  Integer value = 0;
  std::memcpy(&value, in.data(), sizeof value);
  in.remove_prefix(sizeof value);
  return boost::endian::little_to_native(value);
}

/// Pads to `size` with zeros and ends with the checksum.
void seal(std::string& out, std::size_t size) {
  out.resize(size - sizeof(std::uint64_t), '\0');
  put(out, xxh3_64(out));
}
bool is_sealed(std::string_view bytes, std::size_t size) {
  if (bytes.size() < size) return false;
  std::string_view checksum = bytes.substr(size - sizeof(std::uint64_t), sizeof(std::uint64_t));
  return take<std::uint64_t>(checksum) == xxh3_64(bytes.substr(0, size - sizeof(std::uint64_t)));
}

std::string encode(const StoreRecord& record, std::uint64_t generation) {
  std::string out(kMagic);
  put(out, kFormat);
  put(out, static_cast<std::uint32_t>(record.state));
  put(out, generation);
  put(out, record.store_id.high);
  put(out, record.store_id.low);
  put(out, record.tenant_count);
  put(out, std::uint32_t{0});
  for (const ManifestMark* mark : {&record.log_manifest, &record.index_manifest}) {
    put(out, mark->number);
    put(out, mark->size);
    put(out, mark->hash.high);
    put(out, mark->hash.low);
  }
  seal(out, kRecordBytes);
  return out;
}

struct DecodedRecord {
  StoreRecord record;
  std::uint64_t generation = 0;
};

Result<std::optional<DecodedRecord>> decode_record(std::string_view bytes) {
  if (!is_sealed(bytes, kRecordBytes) || bytes.substr(0, kMagic.size()) != kMagic) {
    return std::optional<DecodedRecord>();
  }
  bytes.remove_prefix(kMagic.size());
  DecodedRecord decoded;
  const auto format = take<std::uint32_t>(bytes);
  if (format > kFormat) {
    return Error{ErrorCode::kNewerFormat,
                 fmt::format("ANCHOR: format {} is newer than this build knows ({})", format, kFormat)};
  }
  decoded.record.state = static_cast<StoreRecord::State>(take<std::uint32_t>(bytes));
  decoded.generation = take<std::uint64_t>(bytes);
  decoded.record.store_id.high = take<std::uint64_t>(bytes);
  decoded.record.store_id.low = take<std::uint64_t>(bytes);
  decoded.record.tenant_count = take<std::uint32_t>(bytes);
  (void)take<std::uint32_t>(bytes);
  for (ManifestMark* mark : {&decoded.record.log_manifest, &decoded.record.index_manifest}) {
    mark->number = take<std::uint64_t>(bytes);
    mark->size = take<std::uint64_t>(bytes);
    mark->hash.high = take<std::uint64_t>(bytes);
    mark->hash.low = take<std::uint64_t>(bytes);
  }
  return std::optional(decoded);
}

std::string encode(const TenantMark& mark, std::uint64_t generation) {
  std::string out;
  put(out, mark.tenant.value);
  put(out, std::uint32_t{0});
  put(out, generation);
  put(out, mark.next_offset.value);
  put(out, mark.chain_hash.high);
  put(out, mark.chain_hash.low);
  seal(out, kSlotBytes);
  return out;
}

struct DecodedMark {
  TenantMark mark;
  std::uint64_t generation = 0;
};

std::optional<DecodedMark> decode_mark(std::string_view bytes, std::uint32_t tenant) {
  if (!is_sealed(bytes, kSlotBytes)) return std::nullopt;
  DecodedMark decoded;
  decoded.mark.tenant.value = take<std::uint32_t>(bytes);
  (void)take<std::uint32_t>(bytes);
  decoded.generation = take<std::uint64_t>(bytes);
  decoded.mark.next_offset.value = take<std::uint64_t>(bytes);
  decoded.mark.chain_hash.high = take<std::uint64_t>(bytes);
  decoded.mark.chain_hash.low = take<std::uint64_t>(bytes);
  if (decoded.mark.tenant.value != tenant || decoded.generation == 0) return std::nullopt;
  return decoded;
}

std::uint64_t record_place(std::uint64_t generation) { return generation % 2 * kPageBytes; }
std::uint64_t slot_place(std::uint32_t tenant, std::uint64_t generation) {
  const std::uint64_t pair = tenant / kSlotsPerPage;
  return (2 + 2 * pair + generation % 2) * kPageBytes + tenant % kSlotsPerPage * kSlotBytes;
}

/// The valid copy with the higher generation.
template <class Decoded>
const std::optional<Decoded>& newer(const std::optional<Decoded>& a, const std::optional<Decoded>& b) {
  if (!a) return b;
  if (!b) return a;
  return a->generation > b->generation ? a : b;
}

struct Loaded {
  HeadAnchor::Contents contents;
  std::uint64_t record_generation = 0;
  std::vector<std::uint64_t> generations;
};

Result<Loaded> load(const PosixFile& file, const std::filesystem::path& path) {
  const Error damaged{ErrorCode::kAnchorDamaged,
                      fmt::format("{}: no valid copy of a record is left; restore the store from a backup",
                                  path.string())};
  BAHI_ASSIGN(const std::uint64_t size, file.size());
  BAHI_ASSIGN(const std::string bytes, file.read_at(0, size));
  const auto part = [&bytes](std::uint64_t place, std::size_t length) {
    return place >= bytes.size() ? std::string_view() : std::string_view(bytes).substr(place, length);
  };
  BAHI_ASSIGN(const auto copy_a, decode_record(part(record_place(0), kRecordBytes)));
  BAHI_ASSIGN(const auto copy_b, decode_record(part(record_place(1), kRecordBytes)));
  const auto& record = newer(copy_a, copy_b);
  if (!record) return damaged;
  Loaded loaded;
  loaded.contents.record = record->record;
  loaded.record_generation = record->generation;
  for (std::uint32_t tenant = 0; tenant < record->record.tenant_count; ++tenant) {
    const auto slot_a = decode_mark(part(slot_place(tenant, 0), kSlotBytes), tenant);
    const auto slot_b = decode_mark(part(slot_place(tenant, 1), kSlotBytes), tenant);
    const auto& slot = newer(slot_a, slot_b);
    if (!slot) return damaged;
    loaded.contents.tenants.push_back(slot->mark);
    loaded.generations.push_back(slot->generation);
  }
  return loaded;
}

Result<PosixFile> open_file(const std::filesystem::path& path, int flags) {
  auto file = PosixFile::open(path, flags);
  if (!file && !std::filesystem::exists(path)) {
    return Error{ErrorCode::kAnchorDamaged, fmt::format("{} is missing; restore the store from a backup", path.string())};
  }
  return file;
}

}  // namespace

Result<std::unique_ptr<HeadAnchor>> HeadAnchor::create(const std::filesystem::path& path, Uuid store_id) {
  BAHI_ASSIGN(PosixFile file, PosixFile::open(path, O_RDWR | O_CREAT | O_TRUNC));
  Contents contents;
  contents.record.store_id = store_id;
  std::unique_ptr<HeadAnchor> anchor(new HeadAnchor(std::move(file), std::move(contents)));
  {
    const std::scoped_lock lock(anchor->mutex_);
    BAHI_TRY(anchor->write_record_locked());
  }
  BAHI_TRY(sync_directory(path.parent_path()));
  return anchor;
}

Result<HeadAnchor::Contents> HeadAnchor::read(const std::filesystem::path& path) {
  BAHI_ASSIGN(const PosixFile file, open_file(path, O_RDONLY));
  BAHI_ASSIGN(Loaded loaded, load(file, path));
  return std::move(loaded.contents);
}

Result<std::unique_ptr<HeadAnchor>> HeadAnchor::open(const std::filesystem::path& path) {
  BAHI_ASSIGN(PosixFile file, open_file(path, O_RDWR));
  BAHI_ASSIGN(Loaded loaded, load(file, path));
  std::unique_ptr<HeadAnchor> anchor(new HeadAnchor(std::move(file), std::move(loaded.contents)));
  anchor->record_generation_ = loaded.record_generation;
  anchor->generations_ = std::move(loaded.generations);
  return anchor;
}

StoreRecord HeadAnchor::record() const {
  const std::scoped_lock lock(mutex_);
  return contents_.record;
}

Status HeadAnchor::write_record_locked() {
  // Both copies, so that one damaged page costs nothing; one after the other, so that a crash leaves one whole.
  for (int copy = 0; copy < 2; ++copy) {
    ++record_generation_;
    BAHI_TRY(file_.write_at(record_place(record_generation_), encode(contents_.record, record_generation_)));
    BAHI_TRY(file_.sync());
  }
  return {};
}

Status HeadAnchor::ensure_tenants(std::uint32_t count) {
  const std::scoped_lock lock(mutex_);
  if (count <= generations_.size()) return {};
  for (auto tenant = static_cast<std::uint32_t>(generations_.size()); tenant < count; ++tenant) {
    const TenantMark mark{{tenant}, {0}, {}};
    for (const std::uint64_t generation : {1U, 2U}) {
      BAHI_TRY(file_.write_at(slot_place(tenant, generation), encode(mark, generation)));
    }
  }
  BAHI_TRY(file_.sync());  // the slots must be valid before the record counts them
  generations_.resize(count, 2);
  contents_.record.tenant_count = count;
  return write_record_locked();
}

Status HeadAnchor::publish(std::span<const TenantMark> marks) {
  if (failpoint::hit("anchor_write")) return Error{ErrorCode::kIoError, "writing ANCHOR: failed on purpose"};
  const std::scoped_lock lock(mutex_);
  for (const TenantMark& mark : marks) {
    const std::uint64_t generation = ++generations_.at(mark.tenant.value);
    BAHI_TRY(file_.write_at(slot_place(mark.tenant.value, generation), encode(mark, generation)));
  }
  return {};
}

Status HeadAnchor::update_record(const StoreRecord& record) {
  const std::scoped_lock lock(mutex_);
  const std::uint32_t tenant_count = contents_.record.tenant_count;
  contents_.record = record;
  contents_.record.tenant_count = tenant_count;
  return write_record_locked();
}

Status HeadAnchor::sync() { return file_.sync(); }

}  // namespace bahi
