#include "serve_settings.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include <toml++/toml.h>

#include <fmt/format.h>

#include "bahi/cli/tenant_log.hpp"
#include "bahi/server/server.hpp"

namespace bahi::cli {
namespace {

/// A whole number with a range; `place` gives the field.
template <class T>
Setting number(std::string name, std::string help, T& (*place)(ServeSettings&), std::uint64_t min, std::uint64_t max) {
  Setting setting;
  setting.name = std::move(name);
  setting.help = std::move(help);
  setting.set = [place, min, max](ServeSettings& settings, const std::string& text) -> Status {
    std::uint64_t value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc{} || end != text.data() + text.size() || value < min || value > max) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("'{}' is not a whole number from {} to {}", text, min, max)};
    }
    place(settings) = T(value);
    return {};
  };
  setting.get = [place](const ServeSettings& settings) {
    ServeSettings copy = settings;
    if constexpr (std::is_integral_v<T>) {
      return std::to_string(place(copy));
    } else {
      return std::to_string(place(copy).count());
    }
  };
  return setting;
}

Setting text(std::string name, std::string help, std::function<Status(ServeSettings&, const std::string&)> set,
             std::function<std::string(const ServeSettings&)> get) {
  Setting setting;
  setting.name = std::move(name);
  setting.help = std::move(help);
  setting.is_text = true;
  setting.set = std::move(set);
  setting.get = std::move(get);
  return setting;
}

/// The name of a file.
Setting file(std::string name, std::string help, std::string& (*place)(ServeSettings&)) {
  return text(
      std::move(name), std::move(help),
      [place](ServeSettings& settings, const std::string& value) -> Status {
        place(settings) = value;
        return {};
      },
      [place](const ServeSettings& settings) {
        ServeSettings copy = settings;
        return place(copy);
      });
}

using Millis = std::chrono::milliseconds;
constexpr std::uint64_t kMiB = 1U << 20U;
constexpr std::uint64_t kBytesMax = std::uint64_t{1} << 40U;
constexpr std::uint64_t kMillisMax = 86'400'000;

std::string with_dashes(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

std::string variable_of(const std::string& name) {
  std::string variable = "BAHI_" + name;
  std::transform(variable.begin(), variable.end(), variable.begin(), [](unsigned char c) { return std::toupper(c); });
  return variable;
}

Error about(std::string_view where, const Setting& setting, const Error& error) {
  return {error.code(), fmt::format("{}{}: {}", where, setting.name, error.message())};
}

Status apply_file(const std::vector<Setting>& settings, const std::string& file, ServeSettings& result) {
  toml::table table;
  try {  // Debian's library is the one that throws
    table = toml::parse_file(file);
  } catch (const toml::parse_error& problem) {
    const auto& place = problem.source().begin;
    return Error{place.line == 0 ? ErrorCode::kIoError : ErrorCode::kInvalidArgument,
                 fmt::format("{}, line {}, column {}: {}", file, place.line, place.column, problem.description())};
  }
  for (const auto& [key, node] : table) {
    const auto found =
        std::find_if(settings.begin(), settings.end(), [&](const Setting& s) { return s.name == key.str(); });
    const std::string where = fmt::format("{}, line {}: ", file, node.source().begin.line);
    if (found == settings.end()) {
      return Error{ErrorCode::kInvalidArgument, fmt::format("{}there is no setting '{}'", where, key.str())};
    }
    std::string value;
    if (found->is_text && node.is_string()) {
      value = node.as_string()->get();
    } else if (!found->is_text && node.is_integer()) {
      value = std::to_string(node.as_integer()->get());
    } else {
      return about(where, *found,
                   {ErrorCode::kInvalidArgument, found->is_text ? "must be a text" : "must be a whole number"});
    }
    if (const Status status = found->set(result, value); !status) return about(where, *found, status.error());
  }
  return {};
}

template <TenantLimit limit>
std::uint64_t& tenant_limit(ServeSettings& settings) {
  return settings.server.tenant_limits[limit];
}

void add_tenant_settings(std::vector<Setting>& all) {
  const auto add = [&all](std::string_view name, std::string_view what, std::uint64_t& (*place)(ServeSettings&)) {
    all.push_back(number<std::uint64_t>(fmt::format("tenant_{}", name),
                                        fmt::format("{}, per tenant without a limit of its own; 0: no limit", what),
                                        place, 0, std::numeric_limits<std::int64_t>::max()));
  };
  add(to_string(TenantLimit::kBytesPerSecond), "Bytes of appends per second",
      tenant_limit<TenantLimit::kBytesPerSecond>);
  add(to_string(TenantLimit::kEventsPerSecond), "Events appended per second",
      tenant_limit<TenantLimit::kEventsPerSecond>);
  add(to_string(TenantLimit::kConnections), "Connections at a time", tenant_limit<TenantLimit::kConnections>);
  add(to_string(TenantLimit::kSubscriptions), "Subscriptions at a time", tenant_limit<TenantLimit::kSubscriptions>);
  add(to_string(TenantLimit::kStoredBytes), "Bytes of the log", tenant_limit<TenantLimit::kStoredBytes>);
}

void add_tls_settings(std::vector<Setting>& all) {
  all.push_back(file(
      "tls_certificate", "PEM file of the server's certificate and its chain; turns TLS 1.3 on",
      +[](ServeSettings& s) -> std::string& { return s.tls.certificate_file; }));
  all.push_back(file(
      "tls_key", "PEM file of the certificate's key",
      +[](ServeSettings& s) -> std::string& { return s.tls.key_file; }));
  all.push_back(file(
      "tls_client_ca", "PEM file of the authorities whose certificates clients show; empty: clients are not asked",
      +[](ServeSettings& s) -> std::string& { return s.tls.client_ca_file; }));
  all.push_back(text(
      "tls_client_certificates", "With tls_client_ca: required, or optional (only wrong ones are refused)",
      [](ServeSettings& s, const std::string& v) -> Status {
        if (v != "required" && v != "optional") {
          return Error{ErrorCode::kInvalidArgument, fmt::format("'{}' is not required or optional", v)};
        }
        s.tls.client_certificate_required = v == "required";
        return {};
      },
      [](const ServeSettings& s) -> std::string {
        return s.tls.client_certificate_required ? "required" : "optional";
      }));
}

void add_proof_settings(std::vector<Setting>& all) {
  all.push_back(file(
      "checkpoint_key",
      "File of the key that signs checkpoints of the logs (bahi key generate); empty: none are signed",
      +[](ServeSettings& s) -> std::string& { return s.checkpoint_key; }));
  all.push_back(file(
      "witness_dir",
      "Directory for the signed checkpoints, best on another disk; a log that does not extend them is not served",
      +[](ServeSettings& s) -> std::string& { return s.witness_dir; }));
}

void add_access_settings(std::vector<Setting>& all) {
  all.push_back(text(
      "listen", "Numeric ADDRESS:PORT; port 0: any free one",
      [](ServeSettings& s, const std::string& v) { return parse_endpoint(v, s.server.address, s.server.port); },
      [](const ServeSettings& s) { return fmt::format("{}:{}", s.server.address, s.server.port); }));
  all.push_back(text(
      "credentials", "Who needs a token: auto (everybody, except on loopback while there is no token), required, none",
      [](ServeSettings& s, const std::string& v) -> Status {
        BAHI_ASSIGN(s.server.credentials, server::parse_credentials(v));
        return {};
      },
      [](const ServeSettings& s) { return std::string(to_string(s.server.credentials)); }));
}

}  // namespace

std::vector<Setting> serve_settings() {
  std::vector<Setting> all;
  add_access_settings(all);
  add_tls_settings(all);
  add_proof_settings(all);
  const auto add = [&all]<class T>(const char* name, const char* help, T& (*place)(ServeSettings&), std::uint64_t min,
                                   std::uint64_t max) { all.push_back(number<T>(name, help, place, min, max)); };
  add(
      "io_threads", "Threads that serve connections; 0: one per processor, at most 8",
      +[](ServeSettings& s) -> std::uint32_t& { return s.server.io_threads; }, 0, 64);
  add(
      "connections_max", "Connections at a time; more are closed at once",
      +[](ServeSettings& s) -> std::size_t& { return s.server.limits.connections_max; }, 1, 1'000'000);
  add(
      "in_flight_max", "Requests without an answer, per connection",
      +[](ServeSettings& s) -> std::uint32_t& { return s.server.limits.in_flight_max; }, 1, 1'000'000);
  add(
      "in_flight_bytes_max", "Bytes of unanswered appends, per connection",
      +[](ServeSettings& s) -> std::size_t& { return s.server.limits.in_flight_bytes_max; }, 1, kBytesMax);
  add(
      "reads_max", "Open reads and subscriptions, per connection",
      +[](ServeSettings& s) -> std::uint32_t& { return s.server.limits.reads_max; }, 1, 1'000'000);
  add(
      "credit_bytes_max", "Bytes that a reader may let the server send ahead, per read",
      +[](ServeSettings& s) -> std::uint32_t& { return s.server.limits.credit_bytes_max; }, 1, 1024 * kMiB);
  add(
      "write_queue_bytes_max", "Bytes that wait to be sent, per connection",
      +[](ServeSettings& s) -> std::size_t& { return s.server.limits.write_queue_bytes_max; }, 1, kBytesMax);
  add(
      "heartbeat_interval_ms", "Milliseconds of silence after which a peer is pinged",
      +[](ServeSettings& s) -> Millis& { return s.server.limits.heartbeat_interval; }, 1, kMillisMax);
  add(
      "tls_deadline_ms", "Milliseconds from the connection to the end of the TLS handshake",
      +[](ServeSettings& s) -> Millis& { return s.server.limits.tls_deadline; }, 1, kMillisMax);
  add(
      "handshake_deadline_ms", "Milliseconds from there to the first message",
      +[](ServeSettings& s) -> Millis& { return s.server.limits.handshake_deadline; }, 1, kMillisMax);
  add(
      "frame_deadline_ms", "Milliseconds from a frame's first byte to its last",
      +[](ServeSettings& s) -> Millis& { return s.server.limits.frame_deadline; }, 1, kMillisMax);
  add(
      "idle_deadline_ms", "Milliseconds of silence after which a connection is closed",
      +[](ServeSettings& s) -> Millis& { return s.server.limits.idle_deadline; }, 1, kMillisMax);
  add(
      "write_deadline_ms", "Milliseconds for which a peer may take nothing of what waits for it",
      +[](ServeSettings& s) -> Millis& { return s.server.limits.write_deadline; }, 1, kMillisMax);
  all.push_back(text(
      "backup_dir", "Directory that clients may have the store backed up into; empty: they may not",
      [](ServeSettings& s, const std::string& v) -> Status {
        s.server.backups = v;
        return {};
      },
      [](const ServeSettings& s) { return s.server.backups.string(); }));
  add_tenant_settings(all);
  add(
      "shutdown_deadline_ms", "Milliseconds for what is in flight when the server stops",
      +[](ServeSettings& s) -> Millis& { return s.server.shutdown_deadline; }, 0, kMillisMax);
  add(
      "queue_bytes_max", "Bytes of appends submitted and not yet sequenced, of all connections",
      +[](ServeSettings& s) -> std::size_t& { return s.engine.queue_bytes_max; }, 1, kBytesMax);
  add(
      "write_buffer_bytes", "Bytes of the log in memory; bounds what is replayed when the store is opened",
      +[](ServeSettings& s) -> std::size_t& { return s.engine.write_buffer_bytes; }, kMiB, kBytesMax);
  add(
      "block_cache_bytes", "Bytes of the log and the index cached as they are on the disk",
      +[](ServeSettings& s) -> std::size_t& { return s.engine.block_cache_bytes; }, kMiB, kBytesMax);
  add(
      "batch_cache_bytes", "Bytes of decompressed batches cached",
      +[](ServeSettings& s) -> std::size_t& { return s.engine.batch_cache_bytes; }, kMiB, kBytesMax);
  return all;
}

void add_options(CLI::App& app, std::vector<Setting>& settings) {
  const ServeSettings defaults;
  for (Setting& setting : settings) {
    setting.option = app.add_option("--" + with_dashes(setting.name), setting.value,
                                    fmt::format("{} [{}]", setting.help, setting.get(defaults)))
                         ->envname(variable_of(setting.name))
                         ->group("Settings, with their defaults");
  }
}

Result<ServeSettings> resolve(const std::vector<Setting>& settings, const std::string& file) {
  ServeSettings result;
  if (!file.empty()) BAHI_TRY(apply_file(settings, file, result));
  for (const Setting& setting : settings) {
    if (setting.option->count() == 0) continue;
    const Status status = setting.set(result, setting.value);
    if (!status) return about("--", setting, status.error());
  }
  const tls::ServerSettings& tls = result.tls;
  if (!tls.certificate_file.empty() || !tls.key_file.empty() || !tls.client_ca_file.empty()) result.server.tls = tls;
  BAHI_TRY(server::check_options(result.server));
  return result;
}

}  // namespace bahi::cli
