// Keys, certificates and rules that many connections share. TLS 1.3 and nothing older.
#pragma once

#include <memory>
#include <string>

#include "bahi/base/result.hpp"
#include "bahi/base/types.hpp"
#include "bahi/tls/settings.hpp"

namespace bahi::tls {

/// Immutable, so thread-safe. Later changes of the files do not reach it.
class Context {
 public:
  /// Errors: kInvalidArgument names the setting, the file and what is wrong with it.
  [[nodiscard]] static Result<std::shared_ptr<const Context>> for_server(const ServerSettings& settings);
  [[nodiscard]] static Result<std::shared_ptr<const Context>> for_client(const ClientSettings& settings);

  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// When the own certificate expires; 0 when there is none.
  [[nodiscard]] Timestamp expires_at() const noexcept { return expires_at_; }

 private:
  friend class Channel;
  struct Handle;
  Context();
  Status load_identity(const std::string& certificate_file, const std::string& key_file);

  std::unique_ptr<Handle> handle_;
  bool server_ = false;
  bool verify_ = true;
  std::string server_name_;
  Timestamp expires_at_;
};

}  // namespace bahi::tls
