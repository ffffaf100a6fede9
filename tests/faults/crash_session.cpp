#include "crash_session.hpp"

#include <algorithm>

#include "crash_clients.hpp"

namespace bahi::faults {
namespace {

constexpr std::uint32_t kWriters = 4;
constexpr std::uint32_t kReaders = 2;
constexpr std::uint32_t kSubscribers = kCrashTenants;

}  // namespace

void SessionState::learn(const Intent& intent, const Placement& placement) {
  // What follows from every fourth one is enough to guess right often.
  std::vector<std::pair<std::string, std::int64_t>> versions;
  if (intent.request_id % 4 == 0) versions = last_versions(intent, placement);
  const std::scoped_lock lock(mutex_);
  Known& known = known_[intent.tenant];
  known.end = std::max(known.end, placement.first_offset + placement.event_count);
  for (const auto& [stream, last] : versions) {
    const auto number = hot_stream_number(stream);
    if (number) known.versions[*number] = std::max(known.versions[*number], last + 1);
  }
}

std::uint64_t SessionState::end(std::uint32_t tenant) const {
  const std::scoped_lock lock(mutex_);
  return known_[tenant].end;
}

std::int64_t SessionState::version(std::uint32_t tenant, std::uint32_t stream) const {
  const std::scoped_lock lock(mutex_);
  return known_[tenant].versions[stream] - 1;
}

void SessionState::put_retries(const std::vector<Intent>& intents) {
  const std::scoped_lock lock(mutex_);
  for (const Intent& intent : intents) known_[intent.tenant].retries.push_back(intent);
}

std::vector<Intent> SessionState::take_retries(std::uint32_t tenant) {
  const std::scoped_lock lock(mutex_);
  return std::exchange(known_[tenant].retries, {});
}

template <class Work>
void Session::start(Work work) {
  unfinished_.fetch_add(1);
  threads_.emplace_back([this, work = std::move(work)]() mutable {
    work();
    unfinished_.fetch_sub(1);
  });
}

Session::Session(std::uint16_t port, std::uint64_t seed) : state_(port) {
  Random random(seed);
  for (std::uint32_t number = 0; number < kWriters; ++number) {
    windows_.push_back(std::make_unique<Window>(random.one_in(4) ? 1 : random.between(2, 24)));
    start([this, number, seed = random.next(), &window = *windows_.back()] {
      WritingClient(state_, number, seed, window).run();
    });
  }
  for (std::uint32_t number = 0; number < kReaders; ++number) {
    start([this, seed = random.next()] { ReadingClient(state_, seed).run(); });
  }
  for (std::uint32_t number = 0; number < kSubscribers; ++number) {
    threads_.emplace_back([this, number, seed = random.next()] { SubscribingClient(state_, number, seed).run(); });
  }
}

Session::~Session() {
  state_.finishing.store(true);
  state_.ending.store(true);
  for (const auto& window : windows_) window->close();
  for (std::thread& thread : threads_) thread.join();
}

bool Session::finish(std::chrono::milliseconds patience) {
  state_.finishing.store(true);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (unfinished_.load() != 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return unfinished_.load() == 0;
}

}  // namespace bahi::faults
