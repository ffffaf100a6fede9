// One process of bahi_crash that holds the store: started, listened to, killed.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "crash_death.hpp"
#include "crash_message.hpp"

namespace bahi::faults {

class Recorder;

struct ProcessOptions {
  std::vector<std::string> arguments;  ///< the first is the program's name
  std::string planted_bug;             ///< may be empty
  Death death;
  /// Its messages, and those of `clients`, in the order in which they came.
  std::function<void(const Message&)> take;
  Recorder* clients = nullptr;  ///< may be null
};

/// The descriptor through which the process sends its messages.
inline constexpr int kChildDescriptor = 3;

class CrashProcess {
 public:
  /// Starts this program again. The options must outlive it.
  explicit CrashProcess(const ProcessOptions& options);
  /// Kills it, if it still runs.
  ~CrashProcess();
  CrashProcess(const CrashProcess&) = delete;
  CrashProcess& operator=(const CrashProcess&) = delete;

  /// Listens until `done` says so, which is asked after every message, or the process has ended. False: it has ended.
  [[nodiscard]] bool listen_until(const std::function<bool()>& done);
  /// Listens until the process has ended, and kills it when the time of its death has come. What is wrong with the way
  /// it ended; empty: nothing.
  [[nodiscard]] std::string follow();
  /// Asks the process to stop (SIGTERM), and follows it.
  [[nodiscard]] std::string stop();
  void kill();

 private:
  using Time = std::chrono::steady_clock::time_point;

  void spawn(int pipe);
  /// Waits for messages, until `deadline`, and hands them on. False: the pipe has ended.
  [[nodiscard]] bool listen(Time deadline);
  void take(const Message& message);
  void take_from_clients();
  [[nodiscard]] std::string wait();

  const ProcessOptions& options_;
  const Time start_ = std::chrono::steady_clock::now();
  pid_t child_ = -1;
  int pipe_ = -1;
  bool killed_ = false;
  std::uint32_t acks_ = 0;
  Time kill_at_;
};

}  // namespace bahi::faults
