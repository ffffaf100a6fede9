// The clients of bahi_crash over TCP: writers, readers and subscribers that live through the deaths of the server.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "crash_message.hpp"
#include "crash_recorder.hpp"
#include "crash_request.hpp"
#include "crash_window.hpp"

namespace bahi::faults {

/// What all clients of a store share. Thread-safe.
class SessionState final : public KnownLog {
 public:
  explicit SessionState(std::uint16_t server_port) : port(server_port) {}

  const std::uint16_t port;
  Recorder recorder;
  std::atomic<bool> finishing{false};  ///< begin nothing new
  std::atomic<bool> ending{false};     ///< leave off at once
  std::atomic<std::uint64_t> next_reader{1};

  /// What was acknowledged is known to every writer.
  void learn(const Intent& intent, const Placement& placement);
  [[nodiscard]] std::uint64_t end(std::uint32_t tenant) const override;
  [[nodiscard]] std::int64_t version(std::uint32_t tenant, std::uint32_t stream) const override;

  /// Requests that any writer of their tenant is to submit again.
  void put_retries(const std::vector<Intent>& intents);
  [[nodiscard]] std::vector<Intent> take_retries(std::uint32_t tenant);

 private:
  struct Known {
    std::uint64_t end = 0;
    std::array<std::int64_t, kHotStreams> versions{};  // one more than the version; 0: no stream
    std::vector<Intent> retries;
  };
  mutable std::mutex mutex_;
  std::array<Known, kCrashTenants> known_;  // protected by mutex_
};

class Session {
 public:
  /// Starts the clients; they wait for the server.
  Session(std::uint16_t port, std::uint64_t seed);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] SessionState& state() { return state_; }
  /// Lets writers and readers end what they have begun, which needs a server; subscribers go on. False: it took too
  /// long.
  [[nodiscard]] bool finish(std::chrono::milliseconds patience);

 private:
  template <class Work>
  void start(Work work);

  SessionState state_;
  std::vector<std::unique_ptr<Window>> windows_;
  std::atomic<int> unfinished_{0};
  std::vector<std::thread> threads_;
};

}  // namespace bahi::faults
