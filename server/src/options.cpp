#include "bahi/server/options.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/ip/address.hpp>

#include "bahi/server/server.hpp"
#include "bahi/tls/context.hpp"

namespace bahi::server {
namespace {

constexpr std::array kCredentials{std::pair{Credentials::kAuto, std::string_view("auto")},
                                  std::pair{Credentials::kRequired, std::string_view("required")},
                                  std::pair{Credentials::kNone, std::string_view("none")}};

}  // namespace

Result<Credentials> parse_credentials(std::string_view text) {
  for (const auto& [credentials, name] : kCredentials) {
    if (name == text) return credentials;
  }
  return Error{ErrorCode::kInvalidArgument, fmt::format("credentials: '{}' is not auto, required or none", text)};
}

std::string_view to_string(Credentials credentials) noexcept {
  for (const auto& [value, name] : kCredentials) {
    if (value == credentials) return name;
  }
  return "unknown";
}

Status check_options(const ServerOptions& options) {
  const auto wrong = [](std::string_view setting, std::string_view what) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("{}: {}", setting, what)};
  };
  boost::system::error_code problem;
  const auto address = boost::asio::ip::make_address(options.address, problem);
  if (problem) return wrong("address", fmt::format("'{}' is not a numeric IP address", options.address));
  if (!address.is_loopback() && !options.tls) {
    return wrong("address",
                 fmt::format("'{}' is not a loopback address, and without TLS tokens and events can be read on "
                             "the way: set tls_certificate and tls_key",
                             options.address));
  }
  if (options.credentials == Credentials::kNone && !address.is_loopback()) {
    return wrong("credentials", "'none' is allowed on a loopback address only");
  }
  const Limits& limits = options.limits;
  if (limits.in_flight_max == 0) return wrong("in_flight_max", "must be 1 or more");
  if (limits.credit_bytes_max == 0) return wrong("credit_bytes_max", "must be 1 or more");
  if (limits.in_flight_bytes_max == 0) return wrong("in_flight_bytes_max", "must be 1 or more");
  if (limits.write_queue_bytes_max == 0) return wrong("write_queue_bytes_max", "must be 1 or more");
  for (const auto& [name, value] : {std::pair{"heartbeat_interval", limits.heartbeat_interval},
                                    {"tls_deadline", limits.tls_deadline},
                                    {"handshake_deadline", limits.handshake_deadline},
                                    {"frame_deadline", limits.frame_deadline},
                                    {"idle_deadline", limits.idle_deadline},
                                    {"write_deadline", limits.write_deadline}}) {
    if (value.count() <= 0) return wrong(name, "must be more than 0");
  }
  if (limits.idle_deadline <= limits.heartbeat_interval) {
    return wrong("idle_deadline", "must be longer than heartbeat_interval");
  }
  if (options.tls) BAHI_TRY(tls::Context::for_server(*options.tls));
  return {};
}

}  // namespace bahi::server
