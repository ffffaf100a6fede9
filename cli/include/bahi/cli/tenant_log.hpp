// One tenant's log, wherever it is: in a directory, opened in process, or behind a server.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "bahi/base/result.hpp"
#include "bahi/client/client.hpp"
#include "bahi/engine/engine.hpp"

namespace bahi::cli {

/// Thread-safe, but for `close`. The tenant of the requests is filled in.
class TenantLog {
 public:
  TenantLog() = default;
  TenantLog(const TenantLog&) = delete;
  TenantLog& operator=(const TenantLog&) = delete;
  virtual ~TenantLog() = default;

  virtual void submit(AppendRequest request, AppendCallback done) = 0;
  [[nodiscard]] virtual Result<AppendResult> append(AppendRequest request) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<EventCursor>> read(ReadRequest request) const = 0;
  /// Bytes that appends of this process have added to the log; 0 when that is not known.
  [[nodiscard]] virtual std::uint64_t stored_bytes() const = 0;
  virtual Status close() = 0;
};

/// Of an engine that the log then owns. kUnknownTenant.
[[nodiscard]] Result<std::unique_ptr<TenantLog>> local_log(std::unique_ptr<Engine> engine, const std::string& tenant);
/// Of a server: that of the options' tenant.
[[nodiscard]] Result<std::unique_ptr<TenantLog>> remote_log(client::ClientOptions options);

/// "HOST:PORT", "HOST", "[ADDRESS]:PORT", ":PORT"; what is left out stays as it is in `host` and `port`.
/// kInvalidArgument.
Status parse_endpoint(const std::string& text, std::string& host, std::uint16_t& port);

}  // namespace bahi::cli
