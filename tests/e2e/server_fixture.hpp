// A server on a store of its own, and clients of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bahi/client/client.hpp"
#include "bahi/server/server.hpp"
#include "engine_fixture.hpp"

namespace bahi::test {

/// Listens on any free port of 127.0.0.1; the store has the tenant "shop".
class TestServer {
 public:
  explicit TestServer(server::ServerOptions options = server_options());
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  static server::ServerOptions server_options();
  [[nodiscard]] Engine& engine() { return *engine_; }
  [[nodiscard]] server::Server& server() { return *server_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] TenantId shop() const;

  [[nodiscard]] client::ClientOptions client_options(const std::string& tenant = "shop",
                                                     const std::string& token = "") const;
  [[nodiscard]] std::unique_ptr<client::Client> client(const std::string& tenant = "shop",
                                                       const std::string& token = "") const;
  /// Creates a token directly in the store.
  [[nodiscard]] std::string token(const std::string& tenant, Role role);

  /// Stops the server and closes the store.
  void stop();
  /// Opens the store again and listens on the same port.
  void start();

 private:
  TemporaryDirectory directory_;
  server::ServerOptions options_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<server::Server> server_;
  std::uint16_t port_ = 0;
};

/// All that the reader gives until its end.
std::vector<ReadEvent> drain(client::EventReader& reader);
/// The next `count` events of a subscription.
std::vector<ReadEvent> take(client::EventReader& reader, std::size_t count);

/// Events of this type in the system tenant's log.
std::size_t count_events(TestServer& server, const std::string& type);
/// Waits until the system tenant holds `count` events of `type`, and checks that there are no more.
void wait_for_events(TestServer& server, const std::string& type, std::size_t count);

}  // namespace bahi::test
