// Settings of a server. Sizes are bytes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "bahi/base/result.hpp"
#include "bahi/engine/options.hpp"
#include "bahi/proofs/trees.hpp"
#include "bahi/schemas/wire.hpp"
#include "bahi/tls/settings.hpp"

namespace bahi::server {

/// Who needs a credential.
enum class Credentials : std::uint8_t {
  kAuto,      ///< as kRequired, except on loopback while the store holds no token
  kRequired,  ///< everybody
  kNone,      ///< nobody; loopback only
};
/// "auto", "required" or "none".
[[nodiscard]] Result<Credentials> parse_credentials(std::string_view text);
[[nodiscard]] std::string_view to_string(Credentials credentials) noexcept;

/// What one peer may use. The first group is announced to clients.
struct Limits {
  std::uint32_t in_flight_max = 1024;                         ///< requests without an answer, per connection
  std::uint32_t reads_max = 64;                               ///< open reads and subscriptions, per connection
  std::uint32_t credit_bytes_max = std::uint32_t{16} << 20U;  ///< outstanding credit of one read
  std::chrono::milliseconds heartbeat_interval{10'000};       ///< a silent peer is pinged this often

  std::size_t connections_max = 12'000;
  /// Nothing more is received from a connection while the bodies of its unanswered appends exceed this.
  std::size_t in_flight_bytes_max = std::size_t{32} << 20U;
  /// Nothing more is received from a connection, and no read goes on, while more waits to be sent to it.
  std::size_t write_queue_bytes_max = std::size_t{1} << 20U;
  std::chrono::milliseconds tls_deadline{5'000};        ///< from the connection to the end of TLS's handshake
  std::chrono::milliseconds handshake_deadline{5'000};  ///< from there (without TLS: the connection) to Hello
  std::chrono::milliseconds frame_deadline{30'000};     ///< from a frame's first byte to its last
  std::chrono::milliseconds idle_deadline{30'000};      ///< since anything was received
  std::chrono::milliseconds write_deadline{30'000};     ///< since the peer last took a byte that waits for it
};

struct ServerOptions {
  std::string address = "127.0.0.1";  ///< numeric
  std::uint16_t port = 7440;          ///< 0: any free one
  std::uint32_t io_threads = 0;       ///< 0: as many as there are processors, at most 8
  Credentials credentials = Credentials::kAuto;
  /// Then every connection speaks TLS; otherwise none does.
  std::optional<tls::ServerSettings> tls;
  Limits limits;
  std::filesystem::path views;    ///< directory of the read models' state, which is derived; empty: no read models
  std::filesystem::path backups;  ///< directory that CreateBackup backs up into; empty: it is refused
  /// Merkle trees of the logs; absent: no checkpoints, no proofs. `log` is that of the server.
  std::optional<proofs::TreesOptions> trees;
  TenantLimits tenant_limits;  ///< of tenants that have none of their own; never of the tenant "system"
  std::chrono::milliseconds shutdown_deadline{10'000};  ///< for what is in flight when the server stops
  LogSink log;                                          ///< may be empty
};

}  // namespace bahi::server
