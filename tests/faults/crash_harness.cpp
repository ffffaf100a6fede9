#include "crash_harness.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fault_env.hpp"

namespace bahi::faults {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kStoreEventsMax = 150'000;
constexpr std::uint32_t kStoreCyclesMax = 50;
constexpr std::chrono::seconds kPatience{30};

/// A free port below those that the system gives to clients: one of them, looking for the server while it is away,
/// might otherwise be given the server's port, and connect to itself.
std::uint16_t choose_port(Random& random) {
  for (;;) {
    const auto port = static_cast<std::uint16_t>(random.between(12'000, 30'000));
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool free = ::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(listener);
    if (free) return port;
  }
}

}  // namespace

Harness::Harness(Settings settings, std::string program)
    : settings_(std::move(settings)), program_(std::move(program)), random_(settings_.seed) {}

int Harness::run() {
  std::uint32_t cycle = 0;
  for (; cycle < settings_.cycles && !found(); ++cycle) {
    if (!store_ || cycles_of_store_ >= kStoreCyclesMax || ledger_->event_count() > kStoreEventsMax) begin_store();
    run_cycle(cycle);
    if ((cycle + 1) % 50 == 0) progress(cycle + 1);
  }
  if (!found()) finish_store();
  session_.reset();
  progress(cycle);
  summary(cycle);
  return verdict(cycle);
}

void Harness::progress(std::uint32_t cycle) const {
  fmt::print("cycle {} of {}: {} acknowledged, {:.1f} s\n", cycle, settings_.cycles, totals_.acks,
             std::chrono::duration<double>(Clock::now() - start_).count());
  std::fflush(stdout);
}

void Harness::summary(std::uint32_t cycle) const {
  std::string deaths;
  for (const auto& [name, count] : deaths_) deaths += fmt::format(" {}={}", name, count);
  fmt::print(
      "summary: cycles={} acks={} duplicate_answers={} late_answers={} conflicts={} refusals={} unknown_stored={} "
      "unknown_absent={} events={} sightings={} names_forgotten={}\nends:{}\n",
      cycle, totals_.acks, totals_.duplicate_answers, totals_.late_answers, totals_.conflicts, totals_.refusals,
      totals_.unknown_stored, totals_.unknown_absent, totals_.events, totals_.sightings, names_forgotten_, deaths);
}

int Harness::verdict(std::uint32_t cycle) {
  if (settings_.expect_violation) {
    if (found()) fmt::print("found, as expected: {}\n", ledger_->violations().front());
    if (!found()) fmt::print(stderr, "no violation found, though one was expected\n");
    return found() ? 0 : 1;
  }
  if (!found()) return totals_.acks > 0 && (!over_tcp() || totals_.sightings > 0) ? 0 : 1;
  store_->keep();
  fmt::print(stderr, "VIOLATION in cycle {} (--seed {}), ended by {}; store kept in {}\n", cycle, settings_.seed,
             last_death_, store_->path().string());
  for (const std::string& text : ledger_->violations()) fmt::print(stderr, "  {}\n", text);
  return 1;
}

// --- stores

void Harness::begin_store() {
  finish_store();
  if (found()) return;
  session_.reset();
  store_ = std::make_unique<TemporaryDirectory>(settings_.directory);
  if (settings_.keep) store_->keep();
  ledger_ = std::make_unique<Ledger>(totals_, over_tcp() ? Calls::kOutliveStore : Calls::kEndWithStore);
  cycles_of_store_ = 0;
  if (!over_tcp()) return;
  port_ = choose_port(random_);
  session_ = std::make_unique<Session>(port_, random_.next());
}

void Harness::finish_store() {
  if (!store_) return;
  if (session_) return finish_session();
  if (ledger_->event_count() > 0) check(true);
}

std::unique_ptr<CrashProcess> Harness::start_quiet_server(const ProcessOptions& options) {
  auto server = std::make_unique<CrashProcess>(options);
  if (server->listen_until([this] { return listening_ || found(); })) return server;
  fault_unless_empty("a server that nobody killed ended before it listened");
  return nullptr;
}

void Harness::finish_session() {
  last_death_ = "the end of the store";
  const ProcessOptions options = process_options(0, {});
  const auto server = start_quiet_server(options);
  if (!server) return;
  if (!session_->finish(kPatience))
    fault_unless_empty("calls of the clients are not answered, though a server is there");
  fault_unless_empty(server->stop());
  check(true);
  if (!found()) await_subscriptions();
}

void Harness::await_subscriptions() {
  const ProcessOptions options = process_options(0, {});
  const auto server = start_quiet_server(options);
  if (!server) return;
  const auto deadline = Clock::now() + kPatience;
  static_cast<void>(server->listen_until([&] {
    ledger_->check_reads();
    return found() || !ledger_->subscription_behind() || Clock::now() > deadline;
  }));
  if (const auto behind = ledger_->subscription_behind()) fault_unless_empty(*behind + ", which never comes");
}

// --- cycles

void Harness::run_cycle(std::uint32_t cycle) {
  if (found()) return;
  const ProcessOptions options = process_options(cycle, random_death(random_, settings_.holder));
  last_death_ = fmt::format("{} [{}]", options.death.name, options.death.failpoints);
  ++deaths_[options.death.name];
  ++cycles_of_store_;
  hand_out_retries();
  fault_unless_empty(CrashProcess(options).follow());
  names_forgotten_ += forget_unsynced_names(store_->path() / "names", random_.next());
  // Now and then the next process recovers alone, on its lossy file system.
  if (!found() && !random_.one_in(5)) check(cycles_of_store_ % 20 == 0);
}

void Harness::hand_out_retries() {
  const std::vector<Intent> retries = ledger_->choose_retries(retry_random_);
  if (session_) return session_->state().put_retries(retries);
  std::ofstream out(store_->path() / "retries", std::ios::binary | std::ios::trunc);
  for (const Intent& intent : retries) out.write(reinterpret_cast<const char*>(&intent), sizeof intent);
}

ProcessOptions Harness::process_options(std::uint32_t cycle, Death death) {
  ProcessOptions options;
  options.arguments = {program_,
                       over_tcp() ? "--server" : "--writer",
                       (store_->path() / "store").string(),
                       (store_->path() / "names").string(),
                       std::to_string(random_.next()),
                       std::to_string(death.run_ms)};
  if (over_tcp()) {
    options.arguments.push_back(std::to_string(port_));
  } else {
    options.arguments.push_back((store_->path() / "retries").string());
    options.arguments.push_back(std::to_string(cycle));
  }
  options.planted_bug = settings_.planted_bug;
  options.death = std::move(death);
  options.take = [this](const Message& message) {
    listening_ = listening_ || message.kind == Message::Kind::kListening;
    ledger_->take(message);
  };
  if (session_) options.clients = &session_->state().recorder;
  listening_ = false;
  return options;
}

void Harness::fault_unless_empty(const std::string& text) {
  if (!text.empty()) ledger_->take({Message::Kind::kFault, 0, 0, text});
}

void Harness::check(bool everything) {
  LossOptions plain;
  plain.sync_reaches_disk = false;
  FaultEnv env(plain);
  EngineOptions options;
  options.env = env.env();
  options.reserve_bytes = std::size_t{1} << 20U;
  options.free_bytes_min = std::size_t{16} << 20U;
  options.write_buffer_bytes = std::size_t{1} << 20U;
  auto engine = Engine::open(store_->path() / "store", options);
  if (!engine) {
    // A process that died before it had made the store leaves nothing to check.
    const bool unborn = ledger_->event_count() == 0 && engine.error().code() == ErrorCode::kStoreMissing;
    if (!unborn) fault_unless_empty("reopening: " + engine.error().to_string());
    return;
  }
  ledger_->check_tail(**engine, random_);
  if (everything && !found()) ledger_->check_all(**engine, random_);
  if (const Status closed = (*engine)->close(); !closed) {
    fault_unless_empty("closing: " + closed.error().to_string());
  }
}

}  // namespace bahi::faults
