#include "bahi/proofs/bundle.hpp"

#include <fmt/format.h>

#include "bahi/proofs/canonical_event.hpp"
#include "bundle_text.hpp"

namespace bahi::proofs {
namespace {

Error left_out(std::uint64_t after, std::uint64_t before) {
  return {ErrorCode::kEventsLeftOut,
          fmt::format("events were left out between the one at offset {} and the one at offset {}", after, before)};
}

Status check_log(const Checkpoint& checkpoint, const Checkpoint& other, std::string_view what) {
  if (checkpoint.origin == other.origin) return {};
  return Error{ErrorCode::kOtherLog,
               fmt::format("the checkpoint is of the log '{}', {} of '{}'", checkpoint.origin, what, other.origin)};
}

Error two_histories(const TreeHead& old, const TreeHead& now) {
  return {ErrorCode::kForkedHistory,
          fmt::format("two histories of the same size {}: the checkpoint has the root {}, the earlier one {}", old.size,
                      to_base64(now.root), to_base64(old.root))};
}

/// The checkpoint of the bundle extends the earlier one that comes with it.
Status check_extends(const BundleText& bundle, const Checkpoint& checkpoint, const Checkpoint& previous) {
  const TreeHead& old = previous.tree;
  BAHI_TRY(check_log(checkpoint, previous, "the previous one in the bundle is"));
  if (old.size == checkpoint.tree.size && old.root != checkpoint.tree.root) return two_histories(old, checkpoint.tree);
  if (verify_consistency(old, checkpoint.tree, bundle.consistency)) return {};
  return Error{
      ErrorCode::kForkedHistory,
      fmt::format("the log of size {} is not proven to extend the one of size {}: their histories differ below "
                  "offset {}, or the consistency proof was altered",
                  checkpoint.tree.size, old.size, old.size)};
}

/// What the auditor kept from last time is extended too.
Status check_pinned(const Checkpoint& pinned, const Checkpoint& checkpoint, const std::optional<Checkpoint>& previous) {
  BAHI_TRY(check_log(checkpoint, pinned, "the one that was kept is"));
  const TreeHead& old = pinned.tree;
  if (old.size > checkpoint.tree.size) {
    return Error{
        ErrorCode::kForkedHistory,
        fmt::format("the checkpoint that was kept has {} events, that of the bundle only {}: the bundle is older, or "
                    "the log was cut back",
                    old.size, checkpoint.tree.size)};
  }
  if (old.size == checkpoint.tree.size) {
    return old.root == checkpoint.tree.root ? Status{} : Status{two_histories(old, checkpoint.tree)};
  }
  if (!previous || previous->tree.size != old.size) {
    return Error{
        ErrorCode::kProofFailed,
        fmt::format("the bundle holds no proof that it extends the checkpoint of size {} that was kept; export it "
                    "with --previous",
                    old.size)};
  }
  return old.root == previous->tree.root ? Status{} : Status{two_histories(old, previous->tree)};
}

Status check_event(const BundleEvent& event, const TreeHead& tree) {
  const auto wrong = [&](std::string_view what) {
    return Error{ErrorCode::kProofFailed, fmt::format("the event at offset {} {}", event.offset, what)};
  };
  if (leaf_hash(event.bytes) != event.leaf) return wrong("does not match its hash: it was altered");
  EventView view;
  if (const Status parsed = parse_canonical_event(event.bytes, view); !parsed) return wrong(parsed.error().message());
  if (view.offset.value != event.offset)
    return wrong(fmt::format("says itself that it stands at {}", view.offset.value));
  if (event.offset >= tree.size) return wrong(fmt::format("lies beyond the checkpoint's {} events", tree.size));
  return {};
}

Status check_order(const std::vector<BundleEvent>& events) {
  for (std::size_t i = 1; i < events.size(); ++i) {
    if (events[i].offset > events[i - 1].offset) continue;
    return Error{ErrorCode::kProofFailed,
                 fmt::format("the event at offset {} stands behind the one at offset {}: they were "
                             "reordered or repeated",
                             events[i].offset, events[i - 1].offset)};
  }
  return {};
}

Status check_range(const LeafRange& range, const std::vector<BundleEvent>& events) {
  std::uint64_t next = range.begin;
  for (const BundleEvent& event : events) {
    if (event.offset < next || event.offset >= range.end) {
      return Error{ErrorCode::kProofFailed, fmt::format("the event at offset {} is not in the range {} to {}",
                                                        event.offset, range.begin, range.end)};
    }
    if (event.offset != next) {
      return Error{ErrorCode::kEventsLeftOut,
                   fmt::format("events were left out: those at offsets {} to {}", next, event.offset - 1)};
    }
    ++next;
  }
  if (next == range.end) return {};
  return Error{ErrorCode::kEventsLeftOut,
               fmt::format("events were left out at the end: those at offsets {} to {}", next, range.end - 1)};
}

/// Of a stream the versions say whether one is missing; of a correlation each event says whether it belongs there.
Status check_selected(const Selection& selection, const std::vector<BundleEvent>& events, VerifiedBundle& verified) {
  std::optional<Version> last;
  EventView view;
  for (std::size_t i = 0; i < events.size(); ++i) {
    BAHI_TRY(parse_canonical_event(events[i].bytes, view));
    const bool of_stream = selection.kind == Selection::Kind::kStream;
    const std::string_view name = of_stream ? view.stream : view.metadata.correlation_id;
    if (name != selection.name) {
      return Error{ErrorCode::kProofFailed,
                   fmt::format("the event at offset {} is of '{}', the bundle claims to be about '{}'",
                               events[i].offset, name, selection.name)};
    }
    if (!of_stream) continue;
    if (!last) verified.from_first_version = view.version.value == 0;
    if (last && view.version.value != last->value + 1) return left_out(events[i - 1].offset, events[i].offset);
    last = view.version;
  }
  return {};
}

Status check_proof(const BundleText& bundle, const TreeHead& tree) {
  std::vector<std::uint64_t> leaves;
  HashList hashes;
  for (const BundleEvent& event : bundle.events) {
    leaves.push_back(event.offset);
    hashes.push_back(event.leaf);
  }
  if (verify_leaves(tree, leaves, hashes, bundle.gap_hashes)) return {};
  return Error{
      ErrorCode::kProofFailed,
      fmt::format(
          "events {} to {} and the proof do not lead to the root of the {} events that was signed: an event was "
          "altered, replaced, inserted or left out, or the proof was altered",
          leaves.front(), leaves.back(), tree.size)};
}

}  // namespace

Result<VerifiedBundle> verify_bundle(std::string_view bytes, const Trust& trust) {
  BAHI_ASSIGN(const BundleText bundle, parse_bundle(bytes));
  if (bundle.events.empty()) return Error{ErrorCode::kEventsLeftOut, "bundle: it holds no event, so it proves nothing"};
  BAHI_ASSIGN(const TrustedKeys keys, TrustedKeys::follow(trust.key, bundle.hand_overs));
  VerifiedBundle verified;
  BAHI_ASSIGN(verified.checkpoint, keys.open(bundle.checkpoint));
  const TreeHead& tree = verified.checkpoint.tree;
  if (!trust.origin.empty() && trust.origin != verified.checkpoint.origin) {
    return Error{ErrorCode::kOtherLog, fmt::format("the checkpoint is of the log '{}', not of '{}'",
                                                   verified.checkpoint.origin, trust.origin)};
  }
  if (!bundle.previous.empty()) {
    BAHI_ASSIGN(verified.previous, keys.open(bundle.previous));
    BAHI_TRY(check_extends(bundle, verified.checkpoint, *verified.previous));
  } else if (!bundle.consistency.empty()) {
    return Error{ErrorCode::kMalformedBundle, "bundle: it holds a consistency proof, but no earlier checkpoint"};
  }
  if (trust.previous) {
    BAHI_ASSIGN(const Checkpoint pinned, keys.open(*trust.previous));
    BAHI_TRY(check_pinned(pinned, verified.checkpoint, verified.previous));
  }
  for (const BundleEvent& event : bundle.events) BAHI_TRY(check_event(event, tree));
  BAHI_TRY(check_order(bundle.events));
  const bool whole_range = bundle.selection.kind == Selection::Kind::kRange;
  BAHI_TRY(whole_range ? check_range(bundle.selection.range, bundle.events)
                       : check_selected(bundle.selection, bundle.events, verified));
  BAHI_TRY(check_proof(bundle, tree));
  for (const BundleEvent& event : bundle.events) verified.events.push_back(event.bytes);
  verified.checkpoint_note = bundle.checkpoint;
  verified.selection = bundle.selection;
  verified.first = bundle.events.front().offset;
  verified.last = bundle.events.back().offset;
  return verified;
}

}  // namespace bahi::proofs
