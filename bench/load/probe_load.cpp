// Single events sent at a low rate: how long one takes, to its answer and to its subscribers.
#include "bahi/base/text.hpp"

#include <fmt/format.h>

#include "actors.hpp"
#include "figures.hpp"
#include "idle_connections.hpp"
#include "load.hpp"
#include "target.hpp"

namespace bahi::bench {
namespace {

constexpr double kDefaultRate = 100;
constexpr std::chrono::milliseconds kPause{10};
constexpr std::chrono::seconds kPatience{30};

LoadOptions with_rate(LoadOptions options) {
  if (options.rate == 0) options.rate = kDefaultRate;
  options.batch = 1;
  return options;
}

void add_row(Table& table, const char* name, const Histogram& latency) {
  table.add({name, std::to_string(latency.count()), format_latency(latency)});
}

/// Everything on one event loop: what a lone process that both writes and follows would do.
Status probe(const LoadOptions& options, unsigned subscribers, RunState& state, Probe& probe) {
  BAHI_ASSIGN(const Offset end, end_of_log(options));
  BAHI_ASSIGN(const auto connections, Connections::open(options.client, subscribers + 1, 1));
  state.window = window_from_now(options);
  auto& members = connections->members();
  Lane& lane = *members.front().lane;
  std::vector<std::unique_ptr<client::AsyncReader>> readers;
  for (unsigned i = 1; i <= subscribers; ++i) {
    ReadRequest request;
    request.from = end;
    readers.push_back(std::make_unique<client::AsyncReader>(members[i].client->subscribe(std::move(request))));
    lane.spawn(receive_probes(*readers.back(), state, probe));
  }
  std::atomic<bool> all_sent{false};
  const auto send = [&]() -> boost::asio::awaitable<void> {
    co_await send_probes(*members.front().client, options, state, probe);
    all_sent.store(true);
  };
  lane.spawn(send());
  while (!all_sent.load()) std::this_thread::sleep_for(kPause);
  // Deliveries may follow the last answer by a moment.
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (probe.received.load() < probe.sent.size() * subscribers && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(kPause);
  }
  for (const auto& reader : readers) reader->cancel();
  connections->wait();
  return began(state);
}

}  // namespace

Result<LoadReport> run_subscribe(const LoadOptions& given) {
  const LoadOptions options = with_rate(given);
  BAHI_TRY(check(options));
  LoadReport report;
  BAHI_ASSIGN(const wire::Welcome welcome, prepare(options));
  report.json = conditions("subscribe", options, welcome);
  RunState state(options.stopped);
  Probe sent;
  sent.stream = "probe-" + format_uuid(random_uuid());
  BAHI_TRY(probe(options, options.connections, state, sent));
  const std::uint64_t expected = sent.sent.size() * options.connections;
  if (sent.received.load() != expected) {
    return Error{ErrorCode::kInternal,
                 fmt::format("{} deliveries were due, and {} came", expected, sent.received.load())};
  }
  report.json["append_to_subscriber"] = latency_json(sent.from_call);
  report.json["due_to_subscriber"] = latency_json(sent.from_due);
  report.json["append_to_answer"] = latency_json(sent.acknowledged);
  Table table({"latency", "samples", "p50 / p99 / p99.9 / max"});
  add_row(table, "append called to subscriber", sent.from_call);
  add_row(table, "append due to subscriber", sent.from_due);
  add_row(table, "append called to answer", sent.acknowledged);
  report.text = table.to_string();
  return report;
}

Result<LoadReport> run_idle(const LoadOptions& given) {
  LoadOptions options = with_rate(given);
  BAHI_TRY(check(options));
  LoadReport report;
  BAHI_ASSIGN(const wire::Welcome welcome, prepare(options));
  report.json = conditions("idle", options, welcome);
  const StatusWatch watch(options);
  const auto resident = [&watch] {
    const StatusWatch::Counters counters = watch.read();
    const auto found = counters.find("process.resident_bytes");
    return found == counters.end() ? 0 : found->second;
  };
  Probe without;
  Probe with;
  double open_seconds = 0;
  std::uint64_t resident_without = 0;
  std::uint64_t resident_with = 0;
  for (unsigned round = 0; round < options.rounds; ++round) {
    RunState state(options.stopped);
    without.stream = with.stream = "probe-" + format_uuid(random_uuid());
    BAHI_TRY(probe(options, 0, state, without));
    if (round == 0) resident_without = resident();
    BAHI_ASSIGN(const auto idle, IdleConnections::open(options.client, options.connections));
    open_seconds = std::max(open_seconds, idle->seconds_to_open());
    BAHI_TRY(probe(options, 0, state, with));
    resident_with = std::max(resident_with, resident());
    if (idle->lost() != 0) {
      return Error{ErrorCode::kConnectionLost, fmt::format("{} of the idle connections were closed", idle->lost())};
    }
  }
  report.json["without"] = latency_json(without.acknowledged);
  report.json["with"] = latency_json(with.acknowledged);
  report.json["seconds_to_open"] = open_seconds;
  report.json["server_resident_bytes"] = {{"without", resident_without}, {"with", resident_with}};
  Table table({"append latency", "samples", "p50 / p99 / p99.9 / max"});
  add_row(table, "without idle connections", without.acknowledged);
  add_row(table, fmt::format("with {}", options.connections).c_str(), with.acknowledged);
  report.text = table.to_string();
  report.text +=
      fmt::format("opened in {:.2f} s; the server's resident memory: {:.1f} MB without, {:.1f} MB with\n", open_seconds,
                  static_cast<double>(resident_without) / 1e6, static_cast<double>(resident_with) / 1e6);
  return report;
}

}  // namespace bahi::bench
