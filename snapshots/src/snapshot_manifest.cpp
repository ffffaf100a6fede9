#include "snapshot_manifest.hpp"

#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bahi/schemas/hash.hpp"

namespace bahi::snapshots {
namespace {

constexpr std::string_view kHead = "bahi-snapshot 1";
constexpr std::string_view kChecksum = "checksum ";

std::string checksum_line(std::string_view text) {
  const Hash128 hash = xxh3_128(text);
  return fmt::format("{}{:016x}{:016x}\n", kChecksum, hash.high, hash.low);
}

/// Takes the words of a line one by one; what is wrong with one makes the line wrong.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(line) {}
  std::string_view next() {
    const std::size_t end = std::min(rest_.find(' '), rest_.size());
    const std::string_view word = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    good_ = good_ && !word.empty();
    return word;
  }
  template <class Number>
  void take(Number& number) {
    parse(next(), 10, number);
  }
  void take_hex(std::uint64_t& number) {
    const std::string_view word = next();
    good_ = good_ && word.size() == 16;
    parse(word, 16, number);
  }
  void take_hash(Hash128& hash) {
    const std::string_view word = next();
    good_ = good_ && word.size() == 32;
    if (!good_) return;
    parse(word.substr(0, 16), 16, hash.high);
    parse(word.substr(16), 16, hash.low);
  }
  void take_list(std::vector<std::uint64_t>& list) {
    std::string_view word = next();
    if (word == "-") return;
    while (good_ && !word.empty()) {
      const std::size_t end = std::min(word.find(','), word.size());
      parse(word.substr(0, end), 10, list.emplace_back());
      word.remove_prefix(std::min(end + 1, word.size()));
    }
  }
  [[nodiscard]] bool complete() const { return good_ && rest_.empty(); }

 private:
  template <class Number>
  void parse(std::string_view word, int base, Number& number) {
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number, base);
    good_ = good_ && error == std::errc() && end == word.data() + word.size();
  }
  std::string_view rest_;
  bool good_ = true;
};

bool read_line(std::string_view line, Snapshot& snapshot) {
  Words words(line);
  const std::string_view kind = words.next();
  if (kind == "id") {
    words.take(snapshot.id);
  } else if (kind == "taken_at") {
    words.take(snapshot.taken_at.nanos);
  } else if (kind == "file") {
    SnapshotFile& file = snapshot.files.emplace_back();
    file.name = words.next();
    words.take(file.bytes);
    words.take_hex(file.hash);
    // A name never leads out of the snapshot.
    if (file.name.find('/') != std::string::npos || file.name.starts_with('.')) return false;
  } else if (kind == "state") {
    SnapshotState& state = snapshot.states.emplace_back();
    words.take(state.instance);
    words.take(state.tenant.value);
    state.name = words.next();
    words.take(state.version);
    words.take(state.from.value);
    words.take(state.next.value);
    words.take_hash(state.chain);
    words.take_list(state.skipped);
  } else {
    return false;
  }
  return words.complete();
}

}  // namespace

std::string write_manifest(const Snapshot& snapshot) {
  std::string text = fmt::format("{}\nid {}\ntaken_at {}\n", kHead, snapshot.id, snapshot.taken_at.nanos);
  for (const SnapshotFile& file : snapshot.files) {
    text += fmt::format("file {} {} {:016x}\n", file.name, file.bytes, file.hash);
  }
  for (const SnapshotState& state : snapshot.states) {
    text += fmt::format("state {} {} {} {} {} {} {:016x}{:016x} {}\n", state.instance, state.tenant.value, state.name,
                        state.version, state.from.value, state.next.value, state.chain.high, state.chain.low,
                        state.skipped.empty() ? "-" : fmt::format("{}", fmt::join(state.skipped, ",")));
  }
  return text + checksum_line(text);
}

Result<Snapshot> read_manifest(std::string_view text) {
  const auto damaged = [](std::string_view what) {
    return Error{ErrorCode::kSnapshotDamaged, fmt::format("manifest: {}", what)};
  };
  const std::size_t end = text.rfind(kChecksum);
  if (end == std::string_view::npos || text.substr(end) != checksum_line(text.substr(0, end))) {
    return damaged("the checksum does not fit");
  }
  std::string_view rest = text.substr(0, end);
  Snapshot snapshot;
  for (bool first = true; !rest.empty(); first = false) {
    const std::size_t stop = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, stop);
    rest.remove_prefix(std::min(stop + 1, rest.size()));
    if (first && line != kHead) return damaged(fmt::format("it begins with '{}', not '{}'", line, kHead));
    if (!first && !read_line(line, snapshot)) return damaged(fmt::format("the line '{}' is malformed", line));
  }
  return snapshot;
}

}  // namespace bahi::snapshots
