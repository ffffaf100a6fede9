// peer_load: the work of `bahi bench append` and `bahi bench read`, done with another store of events.
#include <map>
#include <thread>
#include <unordered_map>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "histogram.hpp"
#include "machine.hpp"
#include "peer.hpp"
#include "report.hpp"
#include "scratch.hpp"
#include "workload.hpp"

namespace {

using namespace bahi;
using namespace bahi::bench;

struct Options {
  std::string peer;
  std::string work;
  PeerAddress address;
  unsigned connections = 8;
  std::size_t batch = 1000;
  double duration = 5;
  double warm_up = 1;
  WorkloadOptions workload;
};

using Connect = std::unique_ptr<Peer> (*)(const PeerAddress&);
const std::map<std::string, Connect> kPeers{
    {"postgres", connect_postgres}, {"redis", connect_redis}, {"nats", connect_nats}};

struct Counts {
  Histogram latency;
  std::atomic<std::uint64_t> requests{0};
};

/// One connection: one request after the other. Its streams are its own, so that nobody else takes their versions.
void write(const Options& options, unsigned number, const Workload& workload, std::uint64_t begin, Counts& counts) {
  const std::uint64_t end = begin + static_cast<std::uint64_t>(options.duration * 1e9);
  const auto peer = kPeers.at(options.peer)(options.address);
  EventSource source(workload, number);
  const std::string suffix = fmt::format(".{}.{}", number, begin);
  std::unordered_map<std::string, std::int64_t> versions;
  std::vector<PeerEvent> events(options.batch);
  NewEvent event;
  for (;;) {
    for (PeerEvent& made : events) {
      source.next(event);
      made.stream = std::string(event.stream) + suffix;
      made.version = versions[made.stream]++;
      made.type = event.type;
      made.data = event.data;
    }
    const std::uint64_t called = now_nanos();
    if (called >= end) return;
    peer->append(events);
    const std::uint64_t answered = now_nanos();
    if (called >= begin && called < end) counts.latency.record(answered - called);
    if (answered >= begin && answered < end) counts.requests.fetch_add(1);
  }
}

boost::json::object append(const Options& options) {
  const Workload workload(options.workload);
  Counts counts;
  const std::uint64_t begin = now_nanos() + static_cast<std::uint64_t>(options.warm_up * 1e9);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < options.connections; ++i) {
    threads.emplace_back([&, i] { write(options, i, workload, begin, counts); });
  }
  for (std::thread& thread : threads) thread.join();
  const auto requests = static_cast<double>(counts.requests.load());
  const double events = requests * static_cast<double>(options.batch);
  return {{"requests_per_second", requests / options.duration},
          {"events_per_second", events / options.duration},
          {"latency", latency_json(counts.latency)}};
}

boost::json::object replay(const Options& options) {
  const auto peer = kPeers.at(options.peer)(options.address);
  const std::uint64_t began = now_nanos();
  const Replayed replayed = peer->replay();
  const double seconds = static_cast<double>(now_nanos() - began) / 1e9;
  if (replayed.data_bytes != replayed.events * options.workload.data_bytes) fail("the replay gave other data");
  return {{"events", replayed.events},
          {"seconds", seconds},
          {"events_per_second", static_cast<double>(replayed.events) / seconds}};
}

int run(const Options& options) {
  boost::json::object result;
  if (options.work == "create") {
    kPeers.at(options.peer)(options.address)->create();
  } else {
    result = options.work == "append" ? append(options) : replay(options);
  }
  fmt::print("{}\n", boost::json::serialize(result));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  options.workload.streams = 100;
  CLI::App app("The work of `bahi bench`, done with another store of events; bench/peers/run uses it.", "peer_load");
  app.add_option("PEER", options.peer)->required()->check(CLI::IsMember({"postgres", "redis", "nats"}));
  app.add_option("WORK", options.work)->required()->check(CLI::IsMember({"create", "append", "replay"}));
  app.add_option("--port", options.address.port)->required();
  app.add_option("--connections", options.connections)->check(CLI::PositiveNumber);
  app.add_option("--batch", options.batch, "Events per request")->check(CLI::PositiveNumber);
  app.add_option("--duration", options.duration, "Seconds that count")->check(CLI::PositiveNumber);
  app.add_option("--warm-up", options.warm_up, "Seconds before that")->check(CLI::NonNegativeNumber);
  CLI11_PARSE(app, argc, argv);
  return run(options);
}
