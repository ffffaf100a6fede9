#include "backup_manifest.hpp"

#include <charconv>
#include <type_traits>

#include <fmt/format.h>

#include "bahi/base/text.hpp"
#include "bahi/schemas/hash.hpp"

namespace bahi {
namespace {

constexpr std::string_view kTitle = "bahi backup, format ";
constexpr unsigned kFormat = 1;

Error damaged(std::string what) {
  return {ErrorCode::kBackupDamaged, std::move(what)};
}

/// Takes the text apart, line by line and word by word. The first failure stays.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : text_(text) {}

  /// Moves to the next line, which must begin with `label`, and past that.
  void line(std::string_view label) {
    if (!is_next(label)) return fail(fmt::format("line {}: '{}' expected", number_ + 1, label));
    ++number_;
    const std::size_t end = std::min(text_.find('\n'), text_.size());
    line_ = text_.substr(0, end);
    text_.remove_prefix(std::min(end + 1, text_.size()));
    line_.remove_prefix(label.size());
  }
  [[nodiscard]] bool is_next(std::string_view label) const { return !failed_ && text_.starts_with(label); }
  std::string_view word() {
    if (line_.starts_with(' ')) line_.remove_prefix(1);
    const std::string_view word = line_.substr(0, line_.find(' '));
    line_.remove_prefix(word.size());
    return word;
  }
  template <class Integer>
  Integer number() {
    const std::string_view digits = word();
    Integer value = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size())
      fail(fmt::format("line {}: not a number", number_));
    return value;
  }
  /// `parse` turns a word into a Result.
  template <class Parse>
  auto parsed(Parse parse) {
    auto result = parse(word());
    if (result) return *result;
    fail(fmt::format("line {}: {}", number_, result.error().message()));
    return std::remove_cvref_t<decltype(*result)>{};
  }
  Hash128 hash() {
    const Uuid id = parsed(parse_uuid);  // 32 hex digits too
    return {id.high, id.low};
  }
  void fail(std::string why) {
    if (!failed_) failed_ = damaged(std::move(why));
  }
  [[nodiscard]] const std::optional<Error>& failed() const { return failed_; }

 private:
  std::string_view text_;
  std::string_view line_;
  std::size_t number_ = 0;
  std::optional<Error> failed_;
};

void read_lists(LineReader& reader, BackupManifest& manifest) {
  while (reader.is_next("segment")) {
    reader.line("segment");
    if (reader.number<std::size_t>() != manifest.segments.size() + 1) reader.fail("the segments are not in order");
    SegmentEntry entry;
    entry.bytes = reader.number<std::uint64_t>();
    entry.hash = reader.hash();
    manifest.segments.push_back(entry);
  }
  while (reader.is_next("tenant")) {
    reader.line("tenant");
    BackupTenant tenant;
    tenant.mark.tenant.value = reader.number<std::uint32_t>();
    tenant.mark.next_offset.value = reader.number<std::uint64_t>();
    tenant.mark.chain_hash = reader.hash();
    const std::string_view name = reader.word();
    if (name != "-") tenant.name = name;
    const auto& known = manifest.info.tenants;
    if (!known.empty() && known.back().mark.tenant >= tenant.mark.tenant) reader.fail("the tenants are not in order");
    manifest.info.tenants.push_back(std::move(tenant));
  }
}

}  // namespace

std::string encode_manifest(const BackupManifest& manifest) {
  const BackupInfo& info = manifest.info;
  std::string text = fmt::format(
      "{}{}\nstore {}\nbackup {}\nprevious {}\ntaken {}\nbatches {}\nevents {}\nbytes {}\nlast {}\n", kTitle, kFormat,
      format_uuid(info.store_id), info.number, format_hash(manifest.previous), format_timestamp(info.taken_at),
      info.batches, info.events, info.bytes, manifest.last_tenant ? std::to_string(manifest.last_tenant->value) : "-");
  for (std::size_t i = 0; i < manifest.segments.size(); ++i) {
    text +=
        fmt::format("segment {} {} {}\n", i + 1, manifest.segments[i].bytes, format_hash(manifest.segments[i].hash));
  }
  for (const BackupTenant& tenant : info.tenants) {
    text += fmt::format("tenant {} {} {} {}\n", tenant.mark.tenant.value, tenant.mark.next_offset.value,
                        format_hash(tenant.mark.chain_hash), tenant.name.empty() ? "-" : tenant.name);
  }
  return text + fmt::format("check {}\n", format_hash(xxh3_128(text)));
}

Result<BackupManifest> decode_manifest(std::string_view text) {
  BackupManifest manifest;
  LineReader reader(text);
  reader.line(kTitle);
  const auto format = reader.number<unsigned>();
  const auto check = text.rfind("\ncheck ");
  if (check == std::string_view::npos ||
      text.substr(check + 1) != fmt::format("check {}\n", format_hash(xxh3_128(text.substr(0, check + 1))))) {
    return damaged("it fails its checksum");
  }
  if (!reader.failed() && format > kFormat) {
    return Error{ErrorCode::kNewerFormat,
                 fmt::format("format {} is newer than this build knows ({})", format, kFormat)};
  }
  BackupInfo& info = manifest.info;
  reader.line("store");
  info.store_id = reader.parsed(parse_uuid);
  reader.line("backup");
  info.number = reader.number<std::uint64_t>();
  reader.line("previous");
  manifest.previous = reader.hash();
  reader.line("taken");
  info.taken_at = reader.parsed(parse_timestamp);
  reader.line("batches");
  info.batches = reader.number<std::uint64_t>();
  reader.line("events");
  info.events = reader.number<std::uint64_t>();
  reader.line("bytes");
  info.bytes = reader.number<std::uint64_t>();
  reader.line("last");
  if (const std::string_view last = reader.word(); last != "-") {
    manifest.last_tenant.emplace();
    std::from_chars(last.data(), last.data() + last.size(), manifest.last_tenant->value);
  }
  read_lists(reader, manifest);
  reader.line("check");
  if (reader.failed()) return *reader.failed();
  info.segments = manifest.segments.size();
  // One that this build would not write, though its checksum is right.
  if (encode_manifest(manifest) != text) return damaged("it is not written as a manifest is");
  return manifest;
}

}  // namespace bahi
