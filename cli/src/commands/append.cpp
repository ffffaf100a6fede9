#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <unordered_map>

#include <fmt/format.h>

#include "bahi/base/text.hpp"
#include "bahi/cli/event_line.hpp"
#include "bahi/cli/json_text.hpp"
#include "bahi/cli/line_source.hpp"
#include "bahi/cli/output.hpp"
#include "bahi/cli/stop_signal.hpp"
#include "bahi/schemas/limits.hpp"
#include "commands.hpp"

#include <unistd.h>

namespace bahi::cli {
namespace {

struct Arguments {
  std::string tenant;
  bool is_batch = false;
  std::string file = "-";
  std::string stream;
  std::string type;
  std::string data = "null";
  std::string content_type{kJsonContentType};
  std::string id;
  std::string occurred_at;
  std::vector<std::string> tags;
  std::string actor, on_behalf_of, correlation_id, causation_id, reason, target_type, target_id;
  std::vector<std::string> expectations;
  std::vector<std::string> fail_if_types;
  std::vector<std::string> fail_if_tags;
  std::uint64_t fail_if_from = 0;
  std::string producer;
  std::uint64_t sequence = 0;
};

std::optional<ExpectedVersion> parse_expected(std::string_view text) {
  if (text == "any") return ExpectedVersion::any();
  if (text == "no-stream") return ExpectedVersion::no_stream();
  if (text == "exists") return ExpectedVersion::stream_exists();
  std::int64_t version = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (problem != std::errc{} || end != text.data() + text.size() || version < 0) return std::nullopt;
  return ExpectedVersion::exactly({version});
}

/// "VALUE" or "STREAM=VALUE"; no value holds a '=', so the last one separates.
std::pair<std::string_view, std::string_view> split_expectation(std::string_view text) {
  const auto sign = text.rfind('=');
  if (sign == std::string_view::npos) return {{}, text};
  return {text.substr(0, sign), text.substr(sign + 1)};
}

std::string check_expectation(const std::string& text) {
  if (parse_expected(split_expectation(text).second)) return {};
  return fmt::format("'{}' is not any, no-stream, exists or a version from 0 on", text);
}

/// The value of --data: JSON, @FILE, or - for standard input.
Result<std::string> load_data(const Arguments& arguments) {
  std::string data = arguments.data;
  if (data == "-") {
    BAHI_ASSIGN(data, read_all("-", kEventDataBytesMax));
  } else if (data.starts_with('@')) {
    BAHI_ASSIGN(data, read_all(data.substr(1), kEventDataBytesMax));
  }
  if (arguments.content_type != kJsonContentType) return data;
  JsonChecker checker;
  if (const auto problem = checker.check(data)) {
    const auto before = std::string_view(data).substr(0, problem->position);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const auto column = problem->position - (before.rfind('\n') + 1) + 1;
    std::error_code ignored;
    const bool is_directory = std::filesystem::is_directory(arguments.data, ignored);
    return Error{ErrorCode::kMalformedJson,
                 fmt::format("--data, line {}, column {}: {}{}", line, column, problem->message,
                             is_directory ? " (Behind `append`, --data is the event's data; name the store with "
                                            "--data-dir or BAHI_DATA.)"
                                          : "")};
  }
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = data.find_first_not_of(kSpace);
  return join_json_lines(std::string_view(data).substr(begin, data.find_last_not_of(kSpace) + 1 - begin));
}

Status add_event(const Arguments& arguments, const std::string& data, BatchBuilder& builder) {
  NewEvent event;
  event.stream = arguments.stream;
  event.type = arguments.type;
  event.data = data;
  event.content_type = arguments.content_type;
  event.occurred_at = SystemClock::instance().now();
  if (!arguments.occurred_at.empty()) {
    auto time = parse_timestamp(arguments.occurred_at);
    if (!time) return Error{time.error().code(), "--occurred-at: " + time.error().message()};
    event.occurred_at = *time;
  }
  if (!arguments.id.empty()) {
    auto id = parse_uuid(arguments.id);
    if (!id) return Error{id.error().code(), "--id: " + id.error().message()};
    event.id = *id;
  }
  event.tags.assign(arguments.tags.begin(), arguments.tags.end());
  event.metadata = {arguments.actor,  arguments.on_behalf_of, arguments.correlation_id, arguments.causation_id,
                    arguments.reason, arguments.target_type,  arguments.target_id};
  return builder.add(event);
}

/// All lines as one batch. `streams` gets the streams in the order they first appear.
Status add_lines(const Arguments& arguments, BatchBuilder& builder, std::vector<std::string>& streams) {
  BAHI_ASSIGN(LineSource input, LineSource::open(arguments.file));
  EventLineReader reader;
  for (;;) {
    std::string_view line;
    BAHI_ASSIGN(const bool more, input.next(line));
    if (!more) break;
    BAHI_ASSIGN(const EventLine* event, reader.parse(line, input.line_number()));
    if (const Status added = builder.add(event->event); !added) return reader.locate(added.error());
    if (std::find(streams.begin(), streams.end(), event->event.stream) == streams.end()) {
      streams.emplace_back(event->event.stream);
    }
  }
  if (builder.event_count() != 0) return {};
  return Error{ErrorCode::kInvalidArgument, fmt::format("{} holds no event", input.name())};
}

/// A value without a stream is meant for the one stream of the batch.
Result<std::vector<StreamExpectation>> resolve_expectations(const Arguments& arguments,
                                                            const std::vector<std::string>& streams) {
  std::vector<StreamExpectation> expectations;
  for (const std::string& text : arguments.expectations) {
    const auto [stream, value] = split_expectation(text);
    if (stream.empty() && streams.size() != 1) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("--expect {}: the batch writes to {} streams; say which one is meant: STREAM={}", text,
                               streams.size(), value)};
    }
    expectations.push_back({stream.empty() ? streams.front() : std::string(stream), *parse_expected(value)});
  }
  return expectations;
}

/// All of the request but its tenant.
Result<AppendRequest> make_request(const Arguments& arguments) {
  AppendRequest request;
  BatchBuilder builder;
  std::vector<std::string> streams;
  if (arguments.is_batch) {
    BAHI_TRY(add_lines(arguments, builder, streams));
  } else {
    BAHI_ASSIGN(const std::string data, load_data(arguments));
    BAHI_TRY(add_event(arguments, data, builder));
    streams.push_back(arguments.stream);
  }
  BAHI_ASSIGN(request.body, builder.finish());
  BAHI_ASSIGN(request.expectations, resolve_expectations(arguments, streams));
  if (!arguments.fail_if_types.empty() || !arguments.fail_if_tags.empty()) {
    request.condition =
        AppendCondition{{{QueryItem{arguments.fail_if_types, arguments.fail_if_tags}}}, Offset{arguments.fail_if_from}};
  }
  if (!arguments.producer.empty()) {
    BAHI_ASSIGN(const Uuid id, parse_uuid(arguments.producer));
    request.producer = ProducerPosition{id, arguments.sequence};
  }
  return request;
}

/// The answer as JSON. The streams come from the log, since a duplicate answers for what was sent the first time.
Result<std::string> describe(const TenantLog& log, const AppendResult& result) {
  struct Range {
    std::string stream;
    Version first, last;
  };
  ReadRequest request;
  request.from = result.first_offset;
  request.to = result.first_offset + result.event_count;
  BAHI_ASSIGN(const auto cursor, log.read(std::move(request)));
  std::vector<Range> ranges;
  std::unordered_map<std::string, std::size_t> places;
  EventView event;
  for (;;) {
    BAHI_ASSIGN(const bool found, cursor->next(event));
    if (!found) break;
    const auto [place, is_new] = places.try_emplace(std::string(event.stream), ranges.size());
    if (is_new) ranges.push_back({place->first, event.version, event.version});
    ranges[place->second].last = event.version;
  }
  if (ranges.empty()) return Error{ErrorCode::kCorruptLog, "the batch just appended cannot be read"};
  std::string text = fmt::format(
      R"({{"first_offset":{},"event_count":{},"recorded_at":"{}","duplicate":{},"streams":[)",
      result.first_offset.value, result.event_count, format_timestamp(result.recorded_at), result.duplicate);
  for (const Range& range : ranges) {
    if (&range != ranges.data()) text += ',';
    text += R"({"stream":)";
    append_json_string(range.stream, text);
    text += fmt::format(R"(,"first_version":{},"last_version":{}}})", range.first.value, range.last.value);
  }
  return text + "]}\n";
}

Result<ExitCode> run_append(const Context& context, const Arguments& arguments) {
  StopSignal::instance();
  // Before the store is opened, and so locked: the input may be slow to come.
  BAHI_ASSIGN(AppendRequest request, make_request(arguments));
  BAHI_ASSIGN(const auto log, open_log(context, arguments.tenant, {}));
  BAHI_ASSIGN(const AppendResult result, log->append(std::move(request)));
  Output output(STDOUT_FILENO);
  BAHI_ASSIGN(output.text(), describe(*log, result));
  BAHI_TRY(log->close());
  BAHI_TRY(output.flush());
  return ExitCode::kOk;
}

void add_event_options(CLI::App& append, Arguments& arguments) {
  CLI::Option* const batch =
      append.add_flag("--batch", arguments.is_batch, "Append all lines of FILE as one atomic batch");
  append.add_option("FILE", arguments.file, "With --batch: NDJSON; '-' is standard input")
      ->capture_default_str()
      ->needs(batch);
  const auto event_option = [&append, batch](const std::string& name, std::string& value, const std::string& text) {
    return append.add_option(name, value, text)->excludes(batch)->group("The event");
  };
  event_option("--stream", arguments.stream, "The stream: category-id");
  event_option("--type", arguments.type, "The event's type");
  event_option("--data", arguments.data, "JSON, @FILE, or - for standard input")->capture_default_str();
  event_option("--content-type", arguments.content_type, "If it is not JSON, the data is stored as it is")
      ->capture_default_str();
  event_option("--id", arguments.id, "The event's id, a UUID; without it one is given");
  event_option("--occurred-at", arguments.occurred_at, "RFC 3339 time; without it now");
  append.add_option("--tag", arguments.tags, "A tag; may be given several times")
      ->allow_extra_args(false)
      ->excludes(batch)
      ->group("The event");
  event_option("--actor", arguments.actor, "Who did it");
  event_option("--on-behalf-of", arguments.on_behalf_of, "For whom");
  event_option("--correlation-id", arguments.correlation_id, "As part of what");
  event_option("--causation-id", arguments.causation_id, "Because of what");
  event_option("--reason", arguments.reason, "Why");
  event_option("--target-type", arguments.target_type, "What it was done to: its type");
  event_option("--target-id", arguments.target_id, "What it was done to: its id");
}

/// Returns the option --fail-if-from.
CLI::Option* add_condition_options(CLI::App& append, Arguments& arguments) {
  const std::string group = "Conditions";
  append
      .add_option("--expect", arguments.expectations,
                  "any, no-stream, exists, or the version of the stream's last event. For another stream, or more "
                  "than one: STREAM=VALUE; may be given several times")
      ->allow_extra_args(false)
      ->check(check_expectation, "EXPECTED")
      ->group(group);
  append
      .add_option("--fail-if-type", arguments.fail_if_types,
                  "Fail if an event of this type exists (any of those given)")
      ->allow_extra_args(false)
      ->group(group);
  append
      .add_option("--fail-if-tag", arguments.fail_if_tags, "Fail if an event with this tag exists (all of those given)")
      ->allow_extra_args(false)
      ->group(group);
  CLI::Option* const from = append.add_option("--fail-if-from", arguments.fail_if_from,
                                              "Only events from this offset on count: where your reading of the log "
                                              "ended");
  from->capture_default_str()->check(CLI::NonNegativeNumber)->group(group);
  CLI::Option* const producer = append
                                    .add_option("--producer", arguments.producer,
                                                "UUID. With --sequence: a repeat adds nothing and gets the "
                                                "first answer again")
                                    ->group(group);
  CLI::Option* const sequence = append.add_option("--sequence", arguments.sequence, "Number of this request")
                                    ->check(CLI::NonNegativeNumber)
                                    ->group(group);
  producer->needs(sequence);
  sequence->needs(producer);
  return from;
}

}  // namespace

void add_append_command(CLI::App& app, Context& context) {
  CLI::App* const append = app.add_subcommand("append", "Append one event, or one atomic batch, under conditions");
  auto arguments = std::make_shared<Arguments>();
  append->add_option("--tenant,-t", arguments->tenant, "The tenant whose log gets the events")->required();
  add_event_options(*append, *arguments);
  CLI::Option* const from = add_condition_options(*append, *arguments);
  append->footer(
      "Examples:\n"
      "  export BAHI_DATA=/var/lib/bahi\n"
      "  bahi append -t shop --stream order-1 --type placed --data '{\"total\":999}' --expect no-stream\n"
      "  bahi append -t shop --batch --expect order-1=0 --expect stock-7=12 < events.ndjson\n"
      "  bahi append -t shop --stream user-2 --type named --fail-if-tag name:ada --tag name:ada\n"
      "  bahi append -t shop --stream doc-1 --type scanned --content-type image/png --data @scan.png\n\n"
      "Behind `append`, --data is the event's data: name the store with BAHI_DATA, with --data-dir,\n"
      "or with --data in front of `append`.");
  append->callback([&context, arguments, from] {
    if (!arguments->is_batch && (arguments->stream.empty() || arguments->type.empty())) {
      throw CLI::RequiredError("--stream and --type (or --batch)");
    }
    if (from->count() != 0 && arguments->fail_if_types.empty() && arguments->fail_if_tags.empty()) {
      throw CLI::RequiredError("--fail-if-from needs --fail-if-type or --fail-if-tag; they");
    }
    context.action = [&context, arguments] { return run_append(context, *arguments); };
  });
}

}  // namespace bahi::cli
