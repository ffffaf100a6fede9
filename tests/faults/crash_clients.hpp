// The three kinds of clients of bahi_crash. Each has a thread and a real client of its own, records what it does before
// it does it and what it learns after it has learnt it, and now and then drops its connection.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "bahi/client/client.hpp"
#include "crash_history.hpp"
#include "crash_session.hpp"

namespace bahi::faults {

class CrashClient {
 protected:
  CrashClient(SessionState& state, std::uint32_t tenant, std::uint64_t seed)
      : state_(state), tenant_(tenant), random_(seed) {}
  /// Waits for the server. False: it is time to end, or the server does not let us in, which is recorded.
  [[nodiscard]] bool connect();
  [[nodiscard]] bool going_on() const { return !state_.finishing.load() && !state_.ending.load(); }
  void fault(const std::string& text) { state_.recorder.record({Message::Kind::kFault, 0, 0, text}); }

  SessionState& state_;
  const std::uint32_t tenant_;
  Random random_;
  std::unique_ptr<client::Client> client_;
};

/// Appends, many at a time, with and without producer positions, and repeats what it is given.
class WritingClient : CrashClient {
 public:
  WritingClient(SessionState& state, std::uint32_t number, std::uint64_t seed, Window& window);
  void run();

 private:
  /// False: time to end.
  [[nodiscard]] bool submit(const Intent& intent);
  void work();

  std::uint64_t next_id_;
  const std::uint64_t producer_;
  Window& window_;
  std::atomic<bool> refused_{false};
};

/// Records what one reader sees.
class Sightings {
 public:
  Sightings(Recorder& recorder, std::uint64_t reader) : recorder_(&recorder) { seen_.reader = reader; }
  void add(const EventView& event);
  void flush();
  void end(bool abandoned, const Status& status);

 private:
  Recorder* recorder_;
  Seen seen_;
};

/// Reads parts of the log, forward and backward, all or selected.
class ReadingClient : CrashClient {
 public:
  ReadingClient(SessionState& state, std::uint64_t seed);
  void run();

 private:
  [[nodiscard]] ReadStart choose_read();
  /// False: the client is of no more use.
  [[nodiscard]] bool read_once();
};

/// Follows the log with several subscriptions on one connection, some of which it resumes and some of which end.
class SubscribingClient : CrashClient {
 public:
  SubscribingClient(SessionState& state, std::uint32_t number, std::uint64_t seed);
  void run();

 private:
  struct Subscription {
    ReadStart start;
    ReadRequest request;  // as it would be asked for now
    std::unique_ptr<client::EventReader> reader;
    Sightings sightings;
  };

  [[nodiscard]] Subscription begin();
  void open(Subscription& subscription);
  void close(Subscription& subscription);
  void round();
  /// True: there was something.
  [[nodiscard]] bool take_some(Subscription& subscription);

  std::vector<Subscription> subscriptions_;
  bool lost_ = false;
};

}  // namespace bahi::faults
