// Bundles for auditors: made from a log, and verified without one.
#include <fmt/format.h>
#include <unistd.h>

#include "audit_source.hpp"
#include "bahi/base/posix_file.hpp"
#include "bahi/cli/event_line.hpp"
#include "bahi/cli/output.hpp"
#include "bahi/proofs/bundle.hpp"
#include "bahi/proofs/canonical_event.hpp"

namespace bahi::cli {
namespace {

struct ExportArguments {
  std::string tenant;
  std::string out;
  std::uint64_t from = 0;
  std::optional<std::uint64_t> to;
  std::string stream;
  std::string correlation;
  std::string previous;
  std::string key_file;
};

struct VerifyArguments {
  std::string bundle;
  std::string key;
  std::string previous;
  std::string origin;
  std::string save;
  bool print_events = false;
};

std::filesystem::path complete(const std::string& path) {
  return std::filesystem::absolute(path);  // its folder is synced, so it needs one
}

Result<std::uint64_t> end_of_log(AuditSource& source) {
  ReadRequest request;
  request.direction = Direction::kBackward;
  request.limit = 1;
  BAHI_ASSIGN(const auto cursor, source.read(std::move(request)));
  EventView event;
  BAHI_ASSIGN(const bool found, cursor->next(event));
  return found ? event.offset.value + 1 : 0;
}

struct Chosen {
  std::vector<std::string> events;  // canonical
  std::vector<std::uint64_t> offsets;
  proofs::HashList leaves;
};

Result<Chosen> choose(AuditSource& source, const ExportArguments& arguments, std::uint64_t end) {
  ReadRequest request;
  request.from = Offset{arguments.from};
  request.to = Offset{end};
  if (!arguments.stream.empty()) request.filter.stream = arguments.stream;
  BAHI_ASSIGN(const auto cursor, source.read(std::move(request)));
  Chosen chosen;
  EventView event;
  for (;;) {
    BAHI_ASSIGN(const bool more, cursor->next(event));
    if (!more) break;
    if (!arguments.correlation.empty() && event.metadata.correlation_id != arguments.correlation) continue;
    proofs::append_canonical_event(event, chosen.events.emplace_back());
    chosen.offsets.push_back(event.offset.value);
    chosen.leaves.push_back(proofs::leaf_hash(chosen.events.back()));
  }
  return chosen;
}

proofs::Selection selection_of(const ExportArguments& arguments, std::uint64_t end) {
  using Kind = proofs::Selection::Kind;
  if (!arguments.stream.empty()) return {Kind::kStream, {}, arguments.stream};
  if (!arguments.correlation.empty()) return {Kind::kCorrelation, {}, arguments.correlation};
  return {Kind::kRange, {arguments.from, end}, {}};
}

Status add_previous(AuditSource& source, const std::string& path, const proofs::Checkpoint& now,
                    proofs::Bundle& bundle) {
  BAHI_ASSIGN(bundle.previous, read_file(path));
  BAHI_ASSIGN(const proofs::Checkpoint previous, proofs::read_checkpoint(bundle.previous));
  if (previous.origin != now.origin) {
    return Error{ErrorCode::kOtherLog,
                 fmt::format("previous: it is of the log '{}', this one is '{}'", previous.origin, now.origin)};
  }
  if (previous.tree.size > now.tree.size) {
    return Error{ErrorCode::kForkedHistory, fmt::format("previous: it has {} events, the checkpoint now only {}",
                                                        previous.tree.size, now.tree.size)};
  }
  BAHI_ASSIGN(bundle.consistency, source.consistency(previous.tree.size, now.tree.size));
  if (proofs::verify_consistency(previous.tree, now.tree, bundle.consistency)) return {};
  return Error{ErrorCode::kForkedHistory, fmt::format("the log of {} events does not extend the checkpoint of {} in {}",
                                                      now.tree.size, previous.tree.size, path)};
}

Result<ExitCode> run_export(const Context& context, const ExportArguments& arguments) {
  BAHI_ASSIGN(const auto source, open_audit_source(context, arguments.tenant, arguments.key_file));
  BAHI_ASSIGN(const std::uint64_t log_end, end_of_log(*source));
  const std::uint64_t end = arguments.to.value_or(log_end);
  if (end > log_end || arguments.from >= end) {
    return Error{ErrorCode::kOffsetOutOfRange,
                 fmt::format("from {} to {}: the log ends at offset {}", arguments.from, end, log_end)};
  }
  BAHI_ASSIGN(AuditCheckpoint signed_now, source->checkpoint(end));
  const proofs::TreeHead& tree = signed_now.checkpoint.tree;
  BAHI_ASSIGN(Chosen chosen, choose(*source, arguments, end));
  if (chosen.events.empty()) return Error{ErrorCode::kNotFound, "no event was selected; there is nothing to prove"};
  proofs::Bundle bundle;
  bundle.selection = selection_of(arguments, end);
  BAHI_ASSIGN(bundle.gap_hashes, source->ranges(proofs::gaps_between(chosen.offsets, tree.size), tree.size));
  if (!proofs::verify_leaves(tree, chosen.offsets, chosen.leaves, bundle.gap_hashes)) {
    return Error{ErrorCode::kProofFailed,
                 fmt::format("the events do not lead to the root of the checkpoint of {} events: the "
                             "log was changed, or the tree is damaged",
                             tree.size)};
  }
  bundle.checkpoint = signed_now.note;
  bundle.hand_overs = std::move(signed_now.hand_overs);
  if (!arguments.previous.empty()) BAHI_TRY(add_previous(*source, arguments.previous, signed_now.checkpoint, bundle));
  bundle.events = std::move(chosen.events);
  BAHI_TRY(write_file_atomically(complete(arguments.out), proofs::encode_bundle(bundle)));
  fmt::print("{} events of {} in {}, proven against the checkpoint of {} events\n", bundle.events.size(),
             signed_now.checkpoint.origin, arguments.out, tree.size);
  return ExitCode::kOk;
}

/// The key itself, or the file that it stands in.
Result<proofs::VerifierKey> verifier_key(const std::string& text) {
  std::error_code ignored;
  if (!std::filesystem::exists(text, ignored)) return proofs::VerifierKey::parse(text);
  BAHI_ASSIGN(std::string content, read_file(text));
  while (!content.empty() && (content.back() == '\n' || content.back() == '\r')) content.pop_back();
  return proofs::VerifierKey::parse(content);
}

std::string claim_of(const proofs::VerifiedBundle& bundle) {
  using Kind = proofs::Selection::Kind;
  const auto count = bundle.events.size();
  switch (bundle.selection.kind) {
    case Kind::kRange: return fmt::format("all {} events from offset {} to {}", count, bundle.first, bundle.last);
    case Kind::kStream:
      return fmt::format("{} events of the stream {}, offsets {} to {}: none is missing between them{}", count,
                         bundle.selection.name, bundle.first, bundle.last,
                         bundle.from_first_version ? " or before" : "; there are earlier ones");
    case Kind::kCorrelation:
      return fmt::format("{} events of the correlation {}, offsets {} to {}; that there are no others is not proven",
                         count, bundle.selection.name, bundle.first, bundle.last);
  }
  return {};
}

void print_verdict(const proofs::VerifiedBundle& bundle, const proofs::VerifierKey& key, std::FILE* out) {
  const proofs::Checkpoint& checkpoint = bundle.checkpoint;
  fmt::print(out, "verified    {}\n", claim_of(bundle));
  fmt::print(out, "log         {}\n", checkpoint.origin);
  fmt::print(out, "checkpoint  {} events, root {}\n", checkpoint.tree.size, proofs::to_base64(checkpoint.tree.root));
  fmt::print(out, "signed by   {}\n", proofs::split_note(bundle.checkpoint_note).value().label());
  if (key.label() != proofs::split_note(bundle.checkpoint_note).value().label()) {
    fmt::print(out, "            to which {} handed over\n", key.label());
  }
  if (bundle.previous) fmt::print(out, "extends     the checkpoint of {} events\n", bundle.previous->tree.size);
}

Status print_events(const proofs::VerifiedBundle& bundle) {
  Output output(STDOUT_FILENO);
  EventLineWriter writer;
  EventView event;
  for (const std::string_view bytes : bundle.events) {
    BAHI_TRY(proofs::parse_canonical_event(bytes, event));
    writer.append(event, output.text());
    BAHI_TRY(output.drain());
  }
  return output.flush();
}

Result<ExitCode> run_verify(const VerifyArguments& arguments) {
  BAHI_ASSIGN(proofs::VerifierKey key, verifier_key(arguments.key));
  proofs::Trust trust{key, {}, arguments.origin};
  if (!arguments.previous.empty()) {
    BAHI_ASSIGN(trust.previous, read_file(arguments.previous));
  }
  BAHI_ASSIGN(const std::string bytes, read_file(arguments.bundle));
  BAHI_ASSIGN(const proofs::VerifiedBundle bundle, proofs::verify_bundle(bytes, trust));
  if (!arguments.save.empty()) BAHI_TRY(write_file_atomically(complete(arguments.save), bundle.checkpoint_note));
  print_verdict(bundle, key, arguments.print_events ? stderr : stdout);
  if (arguments.print_events) BAHI_TRY(print_events(bundle));
  return ExitCode::kOk;
}

void add_export(CLI::App& audit, Context& context) {
  CLI::App* const command =
      audit.add_subcommand("export", "Write events, a signed checkpoint and their proof to a file");
  auto arguments = std::make_shared<ExportArguments>();
  command->add_option("--tenant,-t", arguments->tenant, "The tenant whose log it is")->required();
  command->add_option("--out", arguments->out, "The bundle")->required();
  command->add_option("--from", arguments->from, "First offset")->capture_default_str();
  command->add_option("--to", arguments->to, "Offset to stop before [the log's end]");
  CLI::Option* const stream = command->add_option("--stream", arguments->stream, "Only this stream's events");
  command
      ->add_option("--correlation", arguments->correlation,
                   "Only events with this correlation id; reads the whole range")
      ->excludes(stream);
  command->add_option("--previous", arguments->previous,
                      "File with the checkpoint that the auditor kept: the bundle proves that the log extends it");
  command->add_option(
      "--checkpoint-key", arguments->key_file,
      "Of a directory: file with the key that signs [the last checkpoint that a server signed is taken]");
  command->footer(
      "Example:\n"
      "  bahi audit export --server 127.0.0.1:7440 --tenant shop --from 0 --to 1000 --out shop.bundle");
  command->callback([&context, arguments] {
    context.needs_directory = true;
    context.action = [&context, arguments] { return run_export(context, *arguments); };
  });
}

void add_verify(CLI::App& audit, Context& context) {
  CLI::App* const command = audit.add_subcommand("verify", "Check a bundle, link by link, without any server");
  auto arguments = std::make_shared<VerifyArguments>();
  command->add_option("BUNDLE", arguments->bundle, "File of `bahi audit export`")->required()->check(CLI::ExistingFile);
  command->add_option("--key", arguments->key, "Verifier key that is trusted, or a file with it")->required();
  command->add_option("--previous", arguments->previous, "File with the checkpoint kept from last time")
      ->check(CLI::ExistingFile);
  command->add_option("--origin", arguments->origin, "Name of the log that is meant: bahi/STORE-ID/TENANT");
  command->add_option("--save-checkpoint", arguments->save, "Keep the bundle's checkpoint in this file, for next time");
  command->add_flag("--events", arguments->print_events, "Write the events as NDJSON to standard output");
  command->footer(
      "Example:\n"
      "  bahi audit verify shop.bundle --key shop.pub --previous last.checkpoint --save-checkpoint last.checkpoint");
  command->callback([&context, arguments] {
    context.needs_directory = context.uses_profile = false;
    context.action = [arguments] { return run_verify(*arguments); };
  });
}

}  // namespace

void add_audit_commands(CLI::App& audit, Context& context) {
  add_export(audit, context);
  add_verify(audit, context);
}

}  // namespace bahi::cli
