// The checking process of bahi_crash: store after store, cycle after cycle, each ended by a death.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "crash_ledger.hpp"
#include "crash_process.hpp"
#include "crash_session.hpp"

namespace bahi::faults {

struct Settings {
  std::uint32_t cycles = 500;
  std::uint64_t seed = 1;
  std::filesystem::path directory;
  Holder holder = Holder::kWriter;
  std::string planted_bug;
  bool expect_violation = false;
  bool keep = false;
};

class Harness {
 public:
  Harness(Settings settings, std::string program);
  /// The exit code of the program.
  int run();

 private:
  [[nodiscard]] bool over_tcp() const { return settings_.holder == Holder::kServer; }
  [[nodiscard]] bool found() const { return ledger_ && !ledger_->violations().empty(); }
  void progress(std::uint32_t cycle) const;
  void summary(std::uint32_t cycle) const;
  [[nodiscard]] int verdict(std::uint32_t cycle);

  void begin_store();
  void finish_store();
  /// With a server that nobody kills: every call is answered, and every subscription sees everything.
  void finish_session();
  void await_subscriptions();
  void run_cycle(std::uint32_t cycle);
  void hand_out_retries();
  /// What is to be run, until it dies so.
  [[nodiscard]] ProcessOptions process_options(std::uint32_t cycle, Death death);
  /// Starts a server that nobody kills; null, with a violation, when it does not come up.
  [[nodiscard]] std::unique_ptr<CrashProcess> start_quiet_server(const ProcessOptions& options);
  void fault_unless_empty(const std::string& text);
  void check(bool everything);

  const Settings settings_;
  const std::string program_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  Random random_;
  Random retry_random_{7};
  LedgerTotals totals_;
  std::unique_ptr<TemporaryDirectory> store_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<Session> session_;  // over TCP
  std::uint16_t port_ = 0;
  bool listening_ = false;
  std::uint32_t cycles_of_store_ = 0;
  std::map<std::string, std::uint32_t> deaths_;
  std::string last_death_;
  std::size_t names_forgotten_ = 0;
};

}  // namespace bahi::faults
