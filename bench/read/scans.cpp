#include "scans.hpp"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "machine.hpp"
#include "scratch.hpp"

namespace bahi::bench {
namespace {

constexpr std::string_view kFullScan = "full, every field";

/// Keeps the compiler from leaving out a read whose result nobody uses.
struct Sink {
  std::uint64_t sum = 0;
  void touch(const EventView& event) {
    sum += event.offset.value + static_cast<std::uint64_t>(event.version.value) + event.id.low;
    sum += static_cast<std::uint64_t>(event.occurred_at.nanos ^ event.recorded_at.nanos);
    for (const std::string_view text : {event.stream, event.type, event.content_type, event.data}) touch(text);
    for (const std::string_view tag : event.tags) touch(tag);
    sum += event.metadata.actor.size();
  }
  void touch(std::string_view text) {
    if (!text.empty()) sum += static_cast<unsigned char>(text.front()) + static_cast<unsigned char>(text.back());
  }
};

struct Scan {
  std::string name;
  std::function<std::uint64_t(Sink&)> run;  ///< returns the events given
};

std::uint64_t read_events(const Engine& engine, ReadRequest request, Sink& sink) {
  const auto cursor = require(engine.read(std::move(request)), "read");
  EventView event;
  std::uint64_t events = 0;
  while (require(cursor->next(event), "read")) {
    sink.touch(event);
    ++events;
  }
  return events;
}

std::uint64_t read_verbatim(const Engine& engine, TenantId tenant, Sink& sink) {
  const auto cursor = require(
      engine.read_batches(tenant, Offset{0}, engine.durable_offset(tenant), Direction::kForward), "read_batches");
  std::uint64_t events = 0;
  while (require(cursor->next(), "read_batches")) {
    sink.touch(cursor->stored());
    events += cursor->header().event_count;
  }
  return events;
}

std::vector<Scan> scans_of(const Engine& engine, TenantId tenant) {
  std::vector<Scan> scans;
  const auto add = [&](std::string name, EventFilter filter, Direction direction = Direction::kForward,
                       std::optional<std::uint64_t> limit = {}) {
    ReadRequest request;
    request.tenant = tenant;
    request.direction = direction;
    request.filter = std::move(filter);
    request.limit = limit;
    scans.push_back({std::move(name), [&engine, request](Sink& sink) { return read_events(engine, request, sink); }});
  };
  add(std::string(kFullScan), {});
  scans.push_back(
      {"full, verbatim batches", [&engine, tenant](Sink& sink) { return read_verbatim(engine, tenant, sink); }});
  add("full, backward", {}, Direction::kBackward);
  add("category order (1 in 4)", {.stream = {}, .category = "order", .types = {}, .tags = {}});
  add("type OrderPlaced (1 in 5)", {.stream = {}, .category = {}, .types = {"OrderPlaced"}, .tags = {}});
  add("type RefundIssued (1 in 32)", {.stream = {}, .category = {}, .types = {"RefundIssued"}, .tags = {}});
  add("tag sku:SKU-00041 (1 in 16,000)", {.stream = {}, .category = {}, .types = {}, .tags = {"sku:SKU-00041"}});
  add("last 1000, backward", {}, Direction::kBackward, 1000);
  return scans;
}

struct Measured {
  std::uint64_t events = 0;
  std::vector<double> per_wall_second;
  std::vector<double> per_core_second;
};

/// A core's worth: reading ahead on other threads does not make the figure better.
void measure(const Scan& scan, std::uint64_t& sum, Measured& measured) {
  Sink sink;
  const Usage start = Usage::now();
  measured.events = scan.run(sink);
  const Usage used = Usage::now() - start;
  const auto events = static_cast<double>(measured.events);
  measured.per_wall_second.push_back(events / used.wall_seconds);
  measured.per_core_second.push_back(events / std::max(used.wall_seconds, used.cpu_seconds));
  sum += sink.sum;
}

void add_row(Table& table, const std::string& name, const Measured& measured, std::uint64_t log_events) {
  const Spread wall = Spread::of(measured.per_wall_second);
  const double seconds = static_cast<double>(measured.events) / wall.median;
  table.add({name, std::to_string(measured.events), wall.to_string(1e-6, 3),
             fmt::format("{:.3f}", Spread::of(measured.per_core_second).median / 1e6), format_nanos(seconds * 1e9),
             fmt::format("{:.2f}", static_cast<double>(log_events) / seconds / 1e6)});
}

}  // namespace

void run_scans(const Engine& engine, TenantId tenant, PlainRocks& rocks, const ScanOptions& options, Report& report) {
  const std::uint64_t log_events = engine.durable_offset(tenant).value;
  Table table({"scan, one thread, warm", "events", "M events/s", "per core", "time", "log covered, M events/s"});
  std::uint64_t sum = 0;
  for (const Scan& scan : scans_of(engine, tenant)) {
    const bool full = scan.name == kFullScan;
    Measured measured;
    Measured baseline;
    {
      Measured warm_up;
      measure(scan, sum, warm_up);
      if (full) rocks.scan();
    }
    for (int i = 0; i < options.repetitions; ++i) {
      measure(scan, sum, measured);
      if (full) baseline.per_wall_second.push_back(rocks.scan().events_per_second());
    }
    if (measured.events == 0) fail(fmt::format("{}: the scan found no event", scan.name));
    add_row(table, scan.name, measured, log_events);
    boost::json::object result{{"name", scan.name},
                               {"batch", options.batch},
                               {"events", measured.events},
                               {"events_per_second", Spread::of(measured.per_wall_second).to_json()},
                               {"events_per_core_second", Spread::of(measured.per_core_second).to_json()}};
    if (full) {
      const Spread rocks_rate = Spread::of(baseline.per_wall_second);
      table.add(
          {"  plain RocksDB, a key per event", std::to_string(log_events), rocks_rate.to_string(1e-6, 3), "", "", ""});
      result["rocksdb_events_per_second"] = rocks_rate.to_json();
      report.target(fmt::format("full scan, {} per batch, warm, per core", options.batch),
                    Spread::of(measured.per_core_second).median / 1e6, true, 5, "M events/s");
    }
    report.add_result(std::move(result));
  }
  fmt::print("\n");
  table.print();
  if (sum == 0) fail("the scans read nothing");
}

}  // namespace bahi::bench
