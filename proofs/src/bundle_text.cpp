#include "bundle_text.hpp"

#include <charconv>

#include <fmt/format.h>

#include "bahi/schemas/bytes.hpp"

namespace bahi::proofs {
namespace {

constexpr std::string_view kTitle = "bahi audit bundle 1\n";

std::string_view name_of(Selection::Kind kind) {
  switch (kind) {
    case Selection::Kind::kRange: return "range";
    case Selection::Kind::kStream: return "stream";
    case Selection::Kind::kCorrelation: return "correlation";
  }
  return "unknown";
}

void put_block(std::string_view label, std::string_view bytes, std::string& out) {
  out += fmt::format("{} {}\n", label, bytes.size());
  out += bytes;
}

void put_hashes(std::string_view label, const HashList& hashes, std::string& out) {
  out += fmt::format("{} {}\n", label, hashes.size());
  for (const TreeHash& hash : hashes) out += to_base64(hash) + '\n';
}

/// Takes a bundle apart from front to back; after the first thing that is wrong nothing more is taken.
class Parser {
 public:
  explicit Parser(std::string_view bytes) : bytes_(bytes), rest_(bytes) {}

  [[nodiscard]] bool good() const noexcept { return good_; }
  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
  [[nodiscard]] std::size_t left() const noexcept { return rest_.size(); }
  void fail(std::string what) {
    if (!good_) return;
    good_ = false;
    error_ = {ErrorCode::kMalformedBundle,
              fmt::format("bundle, byte {}: {}; the file was damaged, altered or cut off", place_, what)};
  }
  [[nodiscard]] const Error& error() const noexcept { return error_; }

  [[nodiscard]] bool accept(std::string_view text) {
    place_ = bytes_.size() - rest_.size();
    if (!good_ || !rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  void expect(std::string_view text) {
    if (!accept(text)) fail(fmt::format("'{}' was expected", text.substr(0, text.find('\n'))));
  }
  /// A number in its only form, and what must follow it.
  std::uint64_t number(char follows) {
    place_ = bytes_.size() - rest_.size();
    std::uint64_t value = 0;
    const auto [end, problem] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    const auto size = static_cast<std::size_t>(end - rest_.data());
    const bool canonical = problem == std::errc{} && (size == 1 || rest_.front() != '0');
    if (!good_ || !canonical || size == rest_.size() || rest_[size] != follows) {
      fail("a number was expected");
      return 0;
    }
    rest_.remove_prefix(size + 1);
    return value;
  }
  std::string_view take(std::uint64_t size) {
    place_ = bytes_.size() - rest_.size();
    if (!good_ || size > rest_.size()) {
      fail(fmt::format("{} bytes were expected", size));
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::string_view block(std::string_view label) {
    expect(fmt::format("{} ", label));
    return take(number('\n'));
  }
  TreeHash hash() {
    TreeHash value{};
    const std::string_view text = take(44);
    if (good_ && !from_base64(text, value)) fail("a hash in base64 was expected");
    expect("\n");
    return value;
  }
  HashList hashes(std::string_view label) {
    expect(fmt::format("{} ", label));
    const std::uint64_t count = number('\n');
    HashList list;
    while (good_ && list.size() < count) list.push_back(hash());
    return list;
  }

 private:
  const std::string_view bytes_;
  std::string_view rest_;
  std::size_t place_ = 0;  // of what was looked at last
  bool good_ = true;
  Error error_;
};

Selection parse_selection(Parser& in) {
  Selection selection;
  if (in.accept("range ")) {
    selection.range.begin = in.number(' ');
    selection.range.end = in.number('\n');
    return selection;
  }
  for (const auto kind : {Selection::Kind::kStream, Selection::Kind::kCorrelation}) {
    if (!in.accept(fmt::format("{} ", name_of(kind)))) continue;
    selection.kind = kind;
    selection.name = in.take(in.number('\n'));
    in.expect("\n");
    return selection;
  }
  in.fail("'range', 'stream' or 'correlation' was expected");
  return selection;
}

BundleEvent parse_event(Parser& in) {
  BundleEvent event;
  in.expect("event ");
  event.offset = in.number(' ');
  const std::uint64_t size = in.number(' ');
  event.leaf = in.hash();
  event.bytes = in.take(size);
  in.expect("\n");
  return event;
}

}  // namespace

std::string encode_bundle(const Bundle& bundle) {
  std::string out(kTitle);
  const Selection& selection = bundle.selection;
  if (selection.kind == Selection::Kind::kRange) {
    out += fmt::format("range {} {}\n", selection.range.begin, selection.range.end);
  } else {
    put_block(name_of(selection.kind), selection.name, out);
    out += '\n';
  }
  out += fmt::format("hand-overs {}\n", bundle.hand_overs.size());
  for (const std::string& note : bundle.hand_overs) put_block("hand-over", note, out);
  put_block("checkpoint", bundle.checkpoint, out);
  put_block("previous", bundle.previous, out);
  put_hashes("consistency", bundle.consistency, out);
  put_hashes("gaps", bundle.gap_hashes, out);
  out += fmt::format("events {}\n", bundle.events.size());
  for (const std::string& event : bundle.events) {
    out +=
        fmt::format("event {} {} {}\n", bytes::get_be64(event.data() + 1), event.size(), to_base64(leaf_hash(event)));
    out += event;
    out += '\n';
  }
  return out;
}

Result<BundleText> parse_bundle(std::string_view bytes) {
  Parser in(bytes);
  BundleText bundle;
  in.expect(kTitle);
  bundle.selection = parse_selection(in);
  in.expect("hand-overs ");
  for (std::uint64_t left = in.number('\n'); in.good() && left > 0; --left)
    bundle.hand_overs.emplace_back(in.block("hand-over"));
  bundle.checkpoint = in.block("checkpoint");
  bundle.previous = in.block("previous");
  bundle.consistency = in.hashes("consistency");
  bundle.gap_hashes = in.hashes("gaps");
  in.expect("events ");
  for (std::uint64_t left = in.number('\n'); in.good() && left > 0; --left) bundle.events.push_back(parse_event(in));
  if (in.good() && !in.at_end()) in.fail(fmt::format("{} bytes follow the end", in.left()));
  if (!in.good()) return in.error();
  return bundle;
}

}  // namespace bahi::proofs
