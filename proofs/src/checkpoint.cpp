#include "bahi/proofs/checkpoint.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "bahi/base/base64.hpp"
#include "bahi/base/text.hpp"

namespace bahi::proofs {
namespace {

constexpr std::string_view kHandOver = "bahi key hand-over";

Error malformed(std::string_view what) {
  return {ErrorCode::kMalformedBundle, std::string(what)};
}

/// The lines of a text that ends with a line break; empty when it does not, or when there are not `count`.
std::vector<std::string_view> lines_of(std::string_view text, std::size_t count) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  if (lines.size() != count) lines.clear();
  return lines;
}

struct HandOver {
  VerifierKey from;
  VerifierKey to;
};

Result<HandOver> read_hand_over(std::string_view note) {
  BAHI_ASSIGN(const NoteParts parts, split_note(note));
  const auto lines = lines_of(parts.text, 3);
  if (lines.empty() || lines[0] != kHandOver) return malformed("hand-over: it does not have the form of one");
  BAHI_ASSIGN(VerifierKey from, VerifierKey::parse(lines[1]));
  BAHI_ASSIGN(VerifierKey to, VerifierKey::parse(lines[2]));
  if (parts.name != from.name() || parts.id != from.id() || !from.verifies(parts.text, parts.signature)) {
    return Error{ErrorCode::kUntrustedKey,
                 fmt::format("hand-over: it is not signed by the key {} that it names", from.label())};
  }
  return HandOver{std::move(from), std::move(to)};
}

}  // namespace

std::string origin_of(const Uuid& store_id, std::string_view tenant) {
  return fmt::format("bahi/{}/{}", format_uuid(store_id), tenant);
}

Result<std::string> sign_checkpoint(const Checkpoint& checkpoint, const SigningKey& key) {
  return key.sign(
      fmt::format("{}\n{}\n{}\n", checkpoint.origin, checkpoint.tree.size, to_base64(checkpoint.tree.root)));
}

Result<Checkpoint> read_checkpoint(std::string_view note) {
  BAHI_ASSIGN(const NoteParts parts, split_note(note));
  const auto lines = lines_of(parts.text, 3);
  if (lines.empty()) return malformed("checkpoint: it is not three lines: origin, size and root");
  Checkpoint checkpoint;
  checkpoint.origin = lines[0];
  const char* const end = lines[1].data() + lines[1].size();
  if (std::from_chars(lines[1].data(), end, checkpoint.tree.size).ptr != end ||
      lines[1] != std::to_string(checkpoint.tree.size)) {
    return malformed("checkpoint: its second line is not a size");
  }
  if (!from_base64(lines[2], checkpoint.tree.root))
    return malformed("checkpoint: its third line is not a root in base64");
  if (checkpoint.origin.empty()) return malformed("checkpoint: it names no log");
  return checkpoint;
}

Result<std::string> sign_hand_over(const SigningKey& from, const VerifierKey& to) {
  return from.sign(fmt::format("{}\n{}\n{}\n", kHandOver, from.verifier().text(), to.text()));
}

std::string KeyFile::text() const {
  std::string text = key.text() + '\n';
  for (const std::string& note : hand_overs) {
    append_base64(note, text);
    text += '\n';
  }
  return text;
}

Result<KeyFile> KeyFile::parse(std::string_view text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return malformed("key file: it is not a file of `bahi key generate`");
  BAHI_ASSIGN(SigningKey key, SigningKey::parse(text.substr(0, end)));
  KeyFile file{std::move(key), {}};
  text.remove_prefix(end + 1);
  while (!text.empty()) {
    const std::size_t line = std::min(text.find('\n'), text.size());
    if (!decode_base64(text.substr(0, line), file.hand_overs.emplace_back())) {
      return malformed(fmt::format("key file: line {} is not a hand-over", file.hand_overs.size() + 1));
    }
    text.remove_prefix(std::min(line + 1, text.size()));
  }
  std::optional<VerifierKey> last;
  for (const std::string& note : file.hand_overs) {
    BAHI_ASSIGN(const HandOver hand_over, read_hand_over(note));
    if (last && !(hand_over.from == *last))
      return malformed("key file: a hand-over does not begin where the last ended");
    last = hand_over.to;
  }
  if (last && !(*last == file.key.verifier())) return malformed("key file: its hand-overs do not lead to its key");
  return file;
}

Result<TrustedKeys> TrustedKeys::follow(const VerifierKey& pinned, const std::vector<std::string>& hand_overs) {
  std::vector<VerifierKey> keys{pinned};
  std::optional<VerifierKey> last;
  for (const std::string& note : hand_overs) {
    BAHI_ASSIGN(const HandOver hand_over, read_hand_over(note));
    if (last && !(hand_over.from == *last)) {
      return malformed(fmt::format("hand-over: it is of the key {}, the one before it led to {}",
                                   hand_over.from.label(), last->label()));
    }
    if (hand_over.from == keys.back()) keys.push_back(hand_over.to);
    last = hand_over.to;
  }
  return TrustedKeys(std::move(keys));
}

Result<Checkpoint> TrustedKeys::open(std::string_view note) const {
  BAHI_ASSIGN(const NoteParts parts, split_note(note));
  const auto key = std::find_if(keys_.begin(), keys_.end(), [&](const VerifierKey& known) {
    return known.name() == parts.name && known.id() == parts.id;
  });
  if (key == keys_.end()) {
    return Error{ErrorCode::kUntrustedKey,
                 fmt::format("checkpoint: it is signed by the key {}, not by {} or a key that it handed over to",
                             parts.label(), keys_.front().label())};
  }
  if (!key->verifies(parts.text, parts.signature)) {
    return Error{
        ErrorCode::kUntrustedKey,
        fmt::format("checkpoint: its signature is not that of the key {}: it was altered or forged", key->label())};
  }
  return read_checkpoint(note);
}

}  // namespace bahi::proofs
