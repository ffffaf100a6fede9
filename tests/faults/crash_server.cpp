#include "crash_server.hpp"

#include <chrono>
#include <csignal>

#include <unistd.h>

#include "bahi/server/server.hpp"

namespace bahi::faults {
namespace {

using std::chrono::milliseconds;

server::ServerOptions random_server_options(Random& random, std::uint16_t port) {
  server::ServerOptions options;
  options.port = port;
  options.io_threads = static_cast<std::uint32_t>(random.between(1, 3));
  options.credentials = server::Credentials::kNone;
  options.shutdown_deadline = milliseconds(random.one_in(3) ? 1 : 5'000);
  options.limits.in_flight_max = random.one_in(4) ? 4 : 1024;
  if (random.one_in(3)) {
    // Small queues: sessions stop and go on.
    options.limits.in_flight_bytes_max = 20'000;
    options.limits.write_queue_bytes_max = 20'000;
  }
  return options;
}

/// Waits for SIGTERM, which the process has blocked, until the time is up. True: it came, or the time is up.
bool wait_for_end(const ChildOptions& options, milliseconds step, std::chrono::steady_clock::time_point start) {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  const timespec wait{0, static_cast<long>(step.count()) * 1'000'000};
  if (::sigtimedwait(&signals, nullptr, &wait) == SIGTERM) return true;
  return options.run_ms > 0 && std::chrono::steady_clock::now() - start > milliseconds(options.run_ms);
}

}  // namespace

int run_server(const CrashServerOptions& options) {
  // Before the first thread is started, so that all have it blocked.
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  Random random(options.seed);
  const Pipe pipe(options.pipe);
  ChildStore store = open_child_store(options, random, pipe);
  if (!store.engine) return 3;
  // A slow disk makes the time between writing and being durable long enough to be killed in.
  if (random.one_in(2)) store.env->files().set_sync_delay(milliseconds(random.between(1, 8)));
  auto server = server::Server::start(*store.engine, random_server_options(random, options.port));
  if (!server) {
    pipe.send({Message::Kind::kFault, 0, 0, "the server did not start: " + server.error().to_string()});
    return 5;
  }
  pipe.send({Message::Kind::kListening, 0, options.port, {}});
  const auto start = std::chrono::steady_clock::now();
  const bool flushes = random.one_in(3);
  while (!wait_for_end(options, milliseconds(random.between(1, 10)), start)) {
    if (flushes && random.one_in(4)) static_cast<void>(store.engine->flush());  // its errors show in the answers
  }
  server->reset();
  static_cast<void>(store.engine->close());
  store.engine.reset();
  return 0;
}

}  // namespace bahi::faults
