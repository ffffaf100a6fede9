#include "tree_file.hpp"

#include <charconv>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "bahi/base/text.hpp"

namespace bahi::proofs {
namespace {

constexpr std::size_t kHashBytes = sizeof(TreeHash);

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};  // cut off
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace

TreeFile::TreeFile(std::filesystem::path directory, const Uuid& store_id, TenantId tenant, bool read_only)
    : directory_(std::move(directory)),
      store_id_(store_id),
      tenant_(tenant),
      read_only_(read_only),
      tiles_path_(directory_ / fmt::format("{:06}.tiles", tenant.value)),
      head_path_(directory_ / fmt::format("{:06}.head", tenant.value)) {}

std::string TreeFile::title() const {
  return fmt::format("bahi tree 1\n{} {}\n", format_uuid(store_id_), tenant_.value);
}

Result<std::optional<TreeFile::Head>> TreeFile::read_head() const {
  std::error_code ignored;
  if (!std::filesystem::exists(head_path_, ignored)) return std::optional<Head>();
  BAHI_ASSIGN(const std::string text, read_file(head_path_));
  const std::string expected = title();
  if (!text.starts_with(expected)) return std::optional<Head>();
  const std::vector<std::string_view> lines = lines_of(std::string_view(text).substr(expected.size()));
  if (lines.size() != 3) return std::optional<Head>();
  Head head;
  const char* const end = lines[0].data() + lines[0].size();
  const auto hash = parse_uuid(lines[1]);  // 32 hex digits
  if (std::from_chars(lines[0].data(), end, head.tiles).ptr != end || !hash || !from_base64(lines[2], head.root)) {
    return std::optional<Head>();
  }
  head.chain_hash = {hash->high, hash->low};
  return std::optional(head);
}

Status TreeFile::open(std::uint64_t tiles) {
  count_ = tiles;
  std::error_code problem;
  if (read_only_) {
    if (!std::filesystem::exists(tiles_path_, problem)) return {};
    BAHI_ASSIGN(file_, PosixFile::open(tiles_path_, O_RDONLY));
    return {};
  }
  std::filesystem::create_directories(directory_, problem);
  if (problem) return from_errno(problem.value(), "creating", directory_);
  BAHI_ASSIGN(file_, PosixFile::open(tiles_path_, O_RDWR | O_CREAT));
  BAHI_ASSIGN(const std::uint64_t size, file_.size());
  if (size <= tiles * kHashBytes) return {};
  if (::ftruncate(file_.descriptor(), static_cast<off_t>(tiles * kHashBytes)) != 0) {
    return from_errno("shortening", tiles_path_);
  }
  return {};
}

Result<HashList> TreeFile::read(std::uint64_t first, std::size_t count) const {
  std::string bytes;
  if (file_.is_open()) {
    BAHI_ASSIGN(bytes, file_.read_at(first * kHashBytes, count * kHashBytes));
  }
  if (bytes.size() != count * kHashBytes) {
    return Error{
        ErrorCode::kHistoryChanged,
        fmt::format("{}: shorter than it was; it is derived, so delete the directory while the server is stopped",
                    tiles_path_.string())};
  }
  HashList hashes(count);
  std::memcpy(hashes.data(), bytes.data(), bytes.size());
  return hashes;
}

Status TreeFile::append(const HashList& roots) {
  if (roots.empty()) return {};
  const std::string_view bytes(reinterpret_cast<const char*>(roots.data()), roots.size() * kHashBytes);
  BAHI_TRY(file_.write_at(count_ * kHashBytes, bytes));
  count_ += roots.size();
  return {};
}

Status TreeFile::save(const Head& head) {
  if (read_only_) return {};
  BAHI_TRY(file_.sync());
  const std::string text =
      fmt::format("{}{}\n{}\n{}\n", title(), head.tiles, format_hash(head.chain_hash), to_base64(head.root));
  return write_file_atomically(head_path_, text);
}

}  // namespace bahi::proofs
