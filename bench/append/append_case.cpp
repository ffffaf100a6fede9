#include "append_case.hpp"

#include <functional>
#include <limits>
#include <memory>
#include <thread>

#include <fmt/format.h>

#include "scratch.hpp"

namespace bahi::bench {
namespace {

constexpr std::uint64_t kFreeBytesMin = std::uint64_t{8} << 30U;
constexpr std::size_t kDataBytes = 256;
constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

std::unique_ptr<Engine> new_store(const std::filesystem::path& directory) {
  EngineOptions options;
  options.create_if_missing = true;
  return require(Engine::open(directory, std::move(options)), "opening the store");
}

Workload workload_of(const AppendCase& shape) {
  WorkloadOptions options;
  options.kind = shape.kind;
  options.streams = shape.streams;
  options.data_bytes = kDataBytes;
  return Workload(options);
}

/// Flushes and waits until nothing has been written for a second (compactions of the index).
EngineStats settled_stats(Engine& engine) {
  require(engine.flush(), "flush");
  EngineStats stats = engine.stats();
  for (int quiet = 0, waited = 0; quiet < 5 && waited < 300; ++waited) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    const EngineStats later = engine.stats();
    const bool still = later.disk_bytes_written == stats.disk_bytes_written &&
                       later.index_bytes_on_disk == stats.index_bytes_on_disk &&
                       later.log_bytes_on_disk == stats.log_bytes_on_disk;
    quiet = still ? quiet + 1 : 0;
    stats = later;
  }
  return stats;
}

double ratio(double a, double b) {
  return b > 0 ? a / b : 0;
}

/// The three parties of a case, alive over all of its repetitions.
class Contest {
 public:
  Contest(const AppendCase& shape, const std::filesystem::path& directory, AppendResults& results)
      : shape_(&shape),
        results_(&results),
        workload_(workload_of(shape)),
        engine_(new_store(directory / "store")),
        tenant_(require(engine_->create_tenant("bench"), "creating the tenant")),
        driver_(*engine_, tenant_, workload_, shape.driver) {
    if (!shape.baselines) return;
    raw_ = std::make_unique<RawFile>(directory / "raw");
    rocks_ = std::make_unique<PlainRocks>(directory / "rocks");
  }

  void warm_up() {
    Histogram ignored;
    driver_.run(shape_->seconds / 2, kNoLimit, ignored);
    if (rocks_) rocks_->run(shape_->seconds / 4, workload_, shape_->driver.batch, shape_->driver.submitters, ignored);
  }

  void repeat(int round) {
    const std::function<void()> parties[]{[this] { run_engine(); }, [this] { run_raw(); }, [this] { run_rocks(); }};
    for (int i = 0; i < 3; ++i) parties[(i + round) % 3]();
  }

  void finish() {
    AppendResults& results = *results_;
    results.cpu_nanos_per_event = ratio(usage_.cpu_seconds * 1e9, static_cast<double>(events_));
    results.foreign_cpu_share = usage_.foreign_cpu_share();
    results.overloads = driver_.overloads();
    const EngineStats stats = settled_stats(*engine_);
    const double stored = static_cast<double>(stats.log_bytes_on_disk + stats.index_bytes_on_disk);
    const auto events = static_cast<double>(stats.appended_events);
    results.stored_bytes_per_event = ratio(stored, events);
    results.log_bytes_per_event = ratio(static_cast<double>(stats.log_bytes_on_disk), events);
    results.write_amplification = ratio(static_cast<double>(stats.disk_bytes_written), stored);
    results.batches_per_group =
        ratio(static_cast<double>(stats.appended_batches), static_cast<double>(stats.commit_groups));
    results.batches_per_sync = ratio(static_cast<double>(stats.appended_batches), static_cast<double>(stats.syncs));
    require(engine_->close(), "closing the store");
  }

 private:
  void run_engine() {
    const Usage start = Usage::now();
    const Slice slice = driver_.run(shape_->seconds, kNoLimit, results_->latency);
    usage_ += Usage::now() - start;
    events_ += slice.events;
    results_->events_per_second.push_back(slice.events_per_second());
  }

  void run_raw() {
    if (!raw_) return;
    const EngineStats stats = engine_->stats();
    const std::size_t bytes = stats.appended_stored_bytes / std::max<std::uint64_t>(stats.appended_batches, 1);
    const unsigned together = shape_->driver.submitters;
    const double seconds = together > 1 ? shape_->seconds / 2 : shape_->seconds;
    results_->raw_batches_per_second.push_back(
        raw_->run(seconds, bytes, 1, results_->raw_latency).batches_per_second());
    if (together == 1) return;
    Histogram ignored;
    results_->raw_grouped_batches_per_second.push_back(
        raw_->run(seconds, bytes, together, ignored).batches_per_second());
  }

  void run_rocks() {
    if (!rocks_) return;
    const DriverOptions& driver = shape_->driver;
    results_->rocks_events_per_second.push_back(
        rocks_->run(shape_->seconds, workload_, driver.batch, driver.submitters, results_->rocks_latency)
            .events_per_second());
  }

  const AppendCase* shape_;
  AppendResults* results_;
  Workload workload_;
  std::unique_ptr<Engine> engine_;
  TenantId tenant_;
  AppendDriver driver_;
  std::unique_ptr<RawFile> raw_;
  std::unique_ptr<PlainRocks> rocks_;
  Usage usage_;
  std::uint64_t events_ = 0;
};

std::string describe(const AppendCase& shape) {
  const DriverOptions& driver = shape.driver;
  return fmt::format(
      "{} per batch, {} in flight ({}), {}, {}, {} streams{}", driver.batch, driver.submitters,
      driver.mode == Mode::kBlocking ? "blocking threads" : fmt::format("{} producer threads", driver.producers),
      to_string(driver.codec), shape.kind == DataKind::kJson ? "JSON" : "random bytes", shape.streams,
      driver.pre_encoded ? ", batches encoded beforehand" : "");
}

}  // namespace

Spread AppendResults::raw_ratio(const AppendCase& shape) const {
  std::vector<double> batches;
  for (const double rate : events_per_second) batches.push_back(rate / static_cast<double>(shape.driver.batch));
  return ratio_of(batches, raw_batches_per_second);
}

void run_case(const AppendCase& shape, const std::filesystem::path& scratch, AppendResults& results) {
  require_free_space(scratch, kFreeBytesMin);
  const std::filesystem::path directory = scratch / "case";
  std::filesystem::create_directory(directory);
  {
    Contest contest(shape, directory, results);
    contest.warm_up();
    for (int i = 0; i < shape.repetitions; ++i) {
      require_free_space(scratch, kFreeBytesMin / 2);
      contest.repeat(i);
    }
    contest.finish();
  }
  std::filesystem::remove_all(directory);
}

void print_case(const AppendCase& shape, const AppendResults& results) {
  const Spread rate = Spread::of(results.events_per_second);
  fmt::print("\n{}: {}\n", shape.name, describe(shape));
  Table table({"", "k events/s, median (range)", "MB/s", "p50 / p99 / p99.9 / max"});
  const auto megabytes = [](const Spread& events) { return fmt::format("{:.1f}", events.median * kDataBytes / 1e6); };
  const auto batch = static_cast<double>(shape.driver.batch);
  table.add({"bahi", rate.to_string(1e-3, 1), megabytes(rate), format_latency(results.latency)});
  if (shape.baselines) {
    const Spread rocks = Spread::of(results.rocks_events_per_second);
    table.add({"plain RocksDB", rocks.to_string(1e-3, 1), megabytes(rocks), format_latency(results.rocks_latency)});
    table.add({"write + fdatasync per batch", Spread::of(results.raw_batches_per_second).to_string(batch * 1e-3, 1), "",
               format_latency(results.raw_latency)});
    if (!results.raw_grouped_batches_per_second.empty()) {
      table.add({fmt::format("write + fdatasync per {} batches", shape.driver.submitters),
                 Spread::of(results.raw_grouped_batches_per_second).to_string(batch * 1e-3, 1), "", ""});
    }
  }
  table.print();
  if (shape.baselines) {
    fmt::print("bahi / plain RocksDB {}, bahi / fdatasync per batch {}\n", results.rocks_ratio().to_string(),
               results.raw_ratio(shape).to_string());
  }
  fmt::print(
      "stored {:.1f} B/event (log {:.1f}), write amplification {:.2f}, {:.0f} ns CPU/event, {:.1f} batches/group, "
      "{:.1f} batches/sync, "
      "overloads {}, CPU used by others {:.0f} %\n",
      results.stored_bytes_per_event, results.log_bytes_per_event, results.write_amplification,
      results.cpu_nanos_per_event, results.batches_per_group, results.batches_per_sync, results.overloads,
      results.foreign_cpu_share * 100);
  std::fflush(stdout);
}

boost::json::object case_json(const AppendCase& shape, const AppendResults& results) {
  boost::json::object object{{"name", shape.name},
                             {"batch", shape.driver.batch},
                             {"submitters", shape.driver.submitters},
                             {"mode", shape.driver.mode == Mode::kBlocking ? "blocking" : "ready_queue"},
                             {"producers", shape.driver.producers},
                             {"codec", to_string(shape.driver.codec)},
                             {"data", shape.kind == DataKind::kJson ? "json" : "random"},
                             {"streams", shape.streams},
                             {"pre_encoded", shape.driver.pre_encoded},
                             {"events_per_second", Spread::of(results.events_per_second).to_json()},
                             {"latency", latency_json(results.latency)},
                             {"stored_bytes_per_event", results.stored_bytes_per_event},
                             {"log_bytes_per_event", results.log_bytes_per_event},
                             {"write_amplification", results.write_amplification},
                             {"cpu_nanos_per_event", results.cpu_nanos_per_event},
                             {"batches_per_group", results.batches_per_group},
                             {"batches_per_sync", results.batches_per_sync},
                             {"overloads", results.overloads},
                             {"foreign_cpu_share", results.foreign_cpu_share}};
  if (!shape.baselines) return object;
  object["rocksdb_events_per_second"] = Spread::of(results.rocks_events_per_second).to_json();
  object["rocksdb_latency"] = latency_json(results.rocks_latency);
  object["rocksdb_ratio"] = results.rocks_ratio().to_json();
  object["raw_batches_per_second"] = Spread::of(results.raw_batches_per_second).to_json();
  object["raw_grouped_batches_per_second"] = Spread::of(results.raw_grouped_batches_per_second).to_json();
  object["raw_ratio"] = results.raw_ratio(shape).to_json();
  return object;
}

StorageResults measure_storage(const AppendCase& shape, std::uint64_t events, const std::filesystem::path& scratch) {
  require_free_space(scratch, kFreeBytesMin + events * kDataBytes * 2);
  const std::filesystem::path directory = scratch / "storage";
  StorageResults results;
  {
    const Workload workload = workload_of(shape);
    const Usage before = Usage::now();
    const std::unique_ptr<Engine> engine = new_store(directory);
    const TenantId tenant = require(engine->create_tenant("bench"), "creating the tenant");
    AppendDriver driver(*engine, tenant, workload, shape.driver);
    Histogram latency;
    const Slice slice = driver.run(24.0 * 3600, events, latency);
    const EngineStats stats = settled_stats(*engine);
    const Usage used = Usage::now() - before;
    const auto count = static_cast<double>(slice.events);
    const double stored = static_cast<double>(stats.log_bytes_on_disk + stats.index_bytes_on_disk);
    results.events = slice.events;
    results.seconds = slice.seconds;
    results.log_bytes_per_event = ratio(static_cast<double>(stats.log_bytes_on_disk), count);
    results.index_bytes_per_event = ratio(static_cast<double>(stats.index_bytes_on_disk), count);
    results.file_bytes_per_event = ratio(static_cast<double>(file_bytes(directory, ".sst")), count);
    results.write_amplification = ratio(static_cast<double>(stats.disk_bytes_written), stored);
    results.process_write_amplification = ratio(static_cast<double>(used.write_bytes), stored);
    require(engine->close(), "closing the store");
  }
  std::filesystem::remove_all(directory);
  return results;
}

void print_storage(const AppendCase& shape, const StorageResults& results) {
  fmt::print("\nstorage of {:.1f}M events, {}:\n", static_cast<double>(results.events) / 1e6, describe(shape));
  fmt::print("log {:.1f} + index {:.1f} B/event = {:.3f} of the {} B of data; *.sst files {:.1f} B/event\n",
             results.log_bytes_per_event, results.index_bytes_per_event, results.stored_ratio(kDataBytes), kDataBytes,
             results.file_bytes_per_event);
  fmt::print("write amplification {:.2f} by EngineStats, {:.2f} by /proc/self/io; {:.0f}k events/s sustained\n",
             results.write_amplification, results.process_write_amplification,
             ratio(static_cast<double>(results.events) / 1e3, results.seconds));
  std::fflush(stdout);
}

boost::json::object storage_json(const AppendCase& shape, const StorageResults& results) {
  return {{"name", shape.name + ", storage"},
          {"batch", shape.driver.batch},
          {"codec", to_string(shape.driver.codec)},
          {"data", shape.kind == DataKind::kJson ? "json" : "random"},
          {"streams", shape.streams},
          {"events", results.events},
          {"sustained_events_per_second", ratio(static_cast<double>(results.events), results.seconds)},
          {"log_bytes_per_event", results.log_bytes_per_event},
          {"index_bytes_per_event", results.index_bytes_per_event},
          {"file_bytes_per_event", results.file_bytes_per_event},
          {"stored_ratio", results.stored_ratio(kDataBytes)},
          {"write_amplification", results.write_amplification},
          {"process_write_amplification", results.process_write_amplification}};
}

}  // namespace bahi::bench
