#include "target.hpp"

#include <optional>

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

boost::json::object Meter::to_json(std::uint64_t events) const {
  boost::json::object json;
  if (!begin_ || !end_) return json;
  const Usage usage = end_->usage - begin_->usage;
  const double per_event = events != 0 ? 1e9 / static_cast<double>(events) : 0;
  json["client_cpu_seconds"] = usage.cpu_seconds;
  json["client_cpu_nanos_per_event"] = usage.cpu_seconds * per_event;
  json["machine_cpu_seconds"] = usage.machine_cpu_seconds;
  json["machine_cpu_nanos_per_event"] = usage.machine_cpu_seconds * per_event;
  boost::json::object server;
  for (const auto& [name, value] : end_->counters) {
    const auto before = begin_->counters.find(name);
    // Of what is a level and not a count, the level at the end says more than the difference.
    const bool counts = before != begin_->counters.end() && value >= before->second;
    server[name] = boost::json::object{{"at_end", value}, {"change", counts ? value - before->second : 0}};
  }
  if (!server.empty()) json["server_counters"] = std::move(server);
  return json;
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
