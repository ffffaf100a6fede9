#include "target.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include "bahi/base/clock.hpp"
#include "bahi/base/text.hpp"
#include "machine.hpp"

namespace bahi::bench {
namespace {

client::ClientOptions store_wide(client::ClientOptions options) {
  options.tenant.clear();
  options.retry_for = std::chrono::seconds(2);
  return options;
}

}  // namespace

Result<wire::Welcome> prepare(const LoadOptions& options) {
  client::ClientOptions impatient = options.client;
  impatient.retry_for = std::chrono::seconds(2);
  auto client = client::Client::connect(impatient);
  if (client) return (*client)->welcome();
  if (client.error().code() != ErrorCode::kUnknownTenant) return client.error();
  BAHI_ASSIGN(const auto administrator, client::Client::connect(store_wide(options.client)));
  BAHI_TRY(administrator->create_tenant(options.client.tenant));
  BAHI_ASSIGN(const auto created, client::Client::connect(impatient));
  return created->welcome();
}

Result<Offset> end_of_log(const LoadOptions& options) {
  BAHI_ASSIGN(const auto client, client::Client::connect(options.client));
  ReadRequest request;
  request.direction = Direction::kBackward;
  request.limit = 1;
  EventView event;
  const auto reader = client->read(std::move(request));
  BAHI_ASSIGN(const bool found, reader->next(event));
  return found ? event.offset + 1 : Offset{0};
}

StatusWatch::StatusWatch(const LoadOptions& options) {
  auto client = client::Client::connect(store_wide(options.client));
  if (client) client_ = std::move(*client);
}

StatusWatch::Counters StatusWatch::read() const {
  if (!client_) return {};
  const Result<wire::Status> status = client_->status();
  if (!status) return {};
  return {status->counters.begin(), status->counters.end()};
}

struct Meter::Moment {
  explicit Moment(const StatusWatch& watch) : counters(watch.read()), usage(Usage::now()) {}
  const StatusWatch::Counters counters;
  const Usage usage;
};

void Meter::begin() {
  begin_ = std::make_shared<const Moment>(watch_);
}

void Meter::end() {
  end_ = std::make_shared<const Moment>(watch_);
}

std::uint64_t Meter::change(const std::string& counter) const {
  const auto before = begin_->counters.find(counter);
  const auto after = end_->counters.find(counter);
  if (before == begin_->counters.end() || after == end_->counters.end() || after->second < before->second) return 0;
  return after->second - before->second;
}

void Meter::add_to(LoadReport& report, std::uint64_t events) const {
  const Usage usage = end_->usage - begin_->usage;
  const std::uint64_t server_nanos = change("process.cpu_nanos");
  const double per_event = events != 0 ? 1 / static_cast<double>(events) : 0;
  const double capacity = usage.wall_seconds * static_cast<double>(std::thread::hardware_concurrency());
  const double others = usage.machine_cpu_seconds - usage.cpu_seconds - static_cast<double>(server_nanos) / 1e9;
  const double foreign_share = server_nanos != 0 ? std::max(0.0, others / capacity) : 0;
  boost::json::object json{{"client_cpu_nanos_per_event", usage.cpu_seconds * 1e9 * per_event},
                           {"server_cpu_nanos_per_event", static_cast<double>(server_nanos) * per_event},
                           {"foreign_cpu_share", foreign_share}};
  boost::json::object server;
  for (const auto& [name, value] : end_->counters) {
    server[name] = boost::json::object{{"at_end", value}, {"change", change(name)}};
  }
  json["server_counters"] = std::move(server);
  report.json["used"] = std::move(json);
  report.text += fmt::format("processor time per event: {:.0f} ns here, {:.0f} ns in the server; others had {:.0f} %\n",
                             usage.cpu_seconds * 1e9 * per_event, static_cast<double>(server_nanos) * per_event,
                             foreign_share * 100);
  if (const std::uint64_t syncs = change("engine.syncs"); syncs != 0) {
    report.text += fmt::format("syncs of the server: {}, for {} batches in {} groups\n", syncs,
                               change("engine.appended_batches"), change("engine.commit_groups"));
  }
}

boost::json::object conditions(std::string_view what, const LoadOptions& options, const wire::Welcome& welcome) {
  const Machine machine = Machine::describe(".");
  const WorkloadOptions& workload = options.workload;
  boost::json::object settings{{"server", fmt::format("{}:{}", options.client.host, options.client.port)},
                               {"tenant", options.client.tenant},
                               {"threads", options.threads},
                               {"connections", options.connections},
                               {"in_flight", options.in_flight},
                               {"batch", options.batch},
                               {"event_bytes", workload.data_bytes},
                               {"data", workload.kind == DataKind::kJson ? "json" : "random"},
                               {"streams", workload.streams},
                               {"seed", workload.seed},
                               {"codec", to_string(options.codec)},
                               {"rate_per_second", options.rate},
                               {"warm_up_seconds", options.warm_up.count()},
                               {"duration_seconds", options.duration.count()},
                               {"limit", options.limit},
                               {"readers", options.readers},
                               {"subscribers", options.subscribers},
                               {"rounds", options.rounds}};
  return {{"benchmark", what},
          {"at", format_timestamp(SystemClock::instance().now())},
          {"client", "bahi " BAHI_VERSION},
          {"server", welcome.server},
          {"settings", std::move(settings)},
          {"machine",
           {{"cpu", machine.cpu},
            {"cores", machine.cores},
            {"memory_bytes", machine.memory_bytes},
            {"kernel", machine.kernel},
            {"compiler", machine.compiler}}}};
}

}  // namespace bahi::bench
