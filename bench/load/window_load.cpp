#include <fmt/format.h>

#include "actors.hpp"
#include "figures.hpp"
#include "load.hpp"
#include "machine.hpp"
#include "target.hpp"

namespace bahi::bench {
namespace {

void add_part(std::string_view name, const Tally& tally, double seconds, TallyTable& table, LoadReport& report) {
  table.add(name, tally, seconds);
  report.json[name] = tally_json(tally, seconds);
}

/// A run of coroutines in a window, from the opening of the connections to the report.
class Run {
 public:
  explicit Run(const LoadOptions& options) : options_(options), workload_(options.workload), state_(options.stopped) {}

  Status prepare(std::string_view what, unsigned connections) {
    BAHI_ASSIGN(const wire::Welcome welcome, bench::prepare(options_));
    report_.json = conditions(what, options_, welcome);
    meter_ = std::make_unique<Meter>(options_);
    BAHI_ASSIGN(connections_, Connections::open(options_.client, connections, options_.threads));
    state_.window = window_from_now(options_);
    const auto shares = static_cast<unsigned>(connections_->lanes().size());
    for (unsigned share = 0; share < shares; ++share) {
      writings_.push_back(std::make_shared<Writing>(workload_, options_, state_, share, shares));
      readings_.push_back(std::make_shared<Reading>(options_, state_, share, shares));
    }
    return {};
  }
  void start_writer(std::size_t member) {
    Connections::Member& connection = connections_->members()[member];
    const auto& writing = writings_[member % writings_.size()];
    for (unsigned i = 0; i < options_.in_flight; ++i) {
      connection.lane->spawn(write(*connection.lane, *connection.client, writing));
    }
  }
  void start_reader(std::size_t member, unsigned in_flight, double rate) {
    Connections::Member& connection = connections_->members()[member];
    const auto& reading = readings_[member % readings_.size()];
    for (unsigned i = 0; i < in_flight; ++i) {
      connection.lane->spawn(read_streams(*connection.lane, *connection.client, reading, rate));
    }
  }
  void start_follower(std::size_t member, Offset from) {
    Connections::Member& connection = connections_->members()[member];
    ReadRequest request;
    request.from = from;
    followers_.push_back(std::make_unique<client::AsyncReader>(connection.client->subscribe(std::move(request))));
    connection.lane->spawn(follow(*connection.lane, *followers_.back(), state_));
  }
  Status finish() {
    wait_until(state_.window.begin, state_);
    meter_->begin();
    wait_until(state_.window.end, state_);
    meter_->end();
    const std::uint64_t ended = now_nanos();
    for (const auto& follower : followers_) follower->cancel();
    connections_->wait();
    BAHI_TRY(began(state_));
    seconds_ = seconds_measured(state_.window, ended);
    for (const auto& lane : connections_->lanes()) {
      appends_.merge(lane->appends);
      reads_.merge(lane->reads);
      deliveries_.merge(lane->deliveries);
    }
    return {};
  }
  LoadReport report() {
    TallyTable table;
    if (appends_.requests != 0) add_part("append", appends_, seconds_, table, report_);
    if (reads_.requests != 0) add_part("read", reads_, seconds_, table, report_);
    if (deliveries_.events != 0) add_part("subscribe", deliveries_, seconds_, table, report_);
    report_.text = table.to_string();
    if (const std::uint64_t unsent = appends_.unsent + reads_.unsent; unsent != 0) {
      report_.text += fmt::format("the server did not keep up with the rate: {} requests were never sent\n", unsent);
    }
    if (appends_.rejected != 0) report_.text += fmt::format("answered 'overloaded': {}\n", appends_.rejected);
    meter_->add_to(report_, appends_.requests != 0 ? appends_.events : reads_.events);
    return std::move(report_);
  }

 private:
  const LoadOptions& options_;
  const Workload workload_;
  RunState state_;
  LoadReport report_;
  std::unique_ptr<Meter> meter_;
  std::unique_ptr<Connections> connections_;
  std::vector<std::shared_ptr<Writing>> writings_;  // one per lane
  std::vector<std::shared_ptr<Reading>> readings_;
  std::vector<std::unique_ptr<client::AsyncReader>> followers_;  // before the connections they belong to
  Tally appends_;
  Tally reads_;
  Tally deliveries_;
  double seconds_ = 0;
};

}  // namespace

Result<LoadReport> run_append(const LoadOptions& options) {
  BAHI_TRY(check(options));
  Run run(options);
  BAHI_TRY(run.prepare("append", options.connections));
  for (unsigned i = 0; i < options.connections; ++i) run.start_writer(i);
  BAHI_TRY(run.finish());
  return run.report();
}

Result<LoadReport> run_stream_reads(const LoadOptions& options) {
  BAHI_TRY(check(options));
  Run run(options);
  BAHI_TRY(run.prepare("read streams", options.connections));
  for (unsigned i = 0; i < options.connections; ++i) run.start_reader(i, options.in_flight, options.rate);
  BAHI_TRY(run.finish());
  return run.report();
}

Result<LoadReport> run_mixed(const LoadOptions& options) {
  BAHI_TRY(check(options));
  BAHI_TRY(prepare(options));
  BAHI_ASSIGN(const Offset end, end_of_log(options));
  Run run(options);
  BAHI_TRY(run.prepare("mixed", options.connections + options.readers + options.subscribers));
  unsigned member = 0;
  for (; member < options.connections; ++member) run.start_writer(member);
  for (; member < options.connections + options.readers; ++member) run.start_reader(member, 1, 0);
  for (; member < options.connections + options.readers + options.subscribers; ++member) {
    run.start_follower(member, end);
  }
  BAHI_TRY(run.finish());
  return run.report();
}

}  // namespace bahi::bench
