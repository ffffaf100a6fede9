#include "crash_writer.hpp"

#include <atomic>
#include <chrono>
#include <fstream>
#include <memory>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "crash_request.hpp"
#include "crash_window.hpp"

namespace bahi::faults {
namespace {

struct Shared {
  Engine& engine;
  const std::array<TenantId, kCrashTenants>& tenants;
  Pipe pipe;
  std::atomic<bool> stop{false};
};

/// What the store says by itself.
class StoredLog final : public KnownLog {
 public:
  explicit StoredLog(const Shared& shared) : shared_(shared) {}
  [[nodiscard]] std::uint64_t end(std::uint32_t tenant) const override {
    return shared_.engine.durable_offset(shared_.tenants[tenant]).value;
  }
  [[nodiscard]] std::int64_t version(std::uint32_t tenant, std::uint32_t stream) const override {
    const auto version = shared_.engine.stream_version(shared_.tenants[tenant], hot_stream(stream));
    return version ? version->value : -1;
  }

 private:
  const Shared& shared_;
};

/// One submitting thread.
class Submitter {
 public:
  Submitter(Shared& shared, const WriterOptions& options, std::uint32_t number)
      : shared_(shared),
        known_(shared),
        random_(options.seed * 131 + number),
        next_id_((std::uint64_t{options.cycle} << 32U) | (std::uint64_t{number} << 24U)),
        producer_(0xBA41'0000U + number),
        window_(random_.one_in(4) ? 1 : random_.between(2, 24)) {}

  void run(const std::vector<Intent>& retries) {
    for (const Intent& retry : retries) {
      if (shared_.stop) break;
      submit(retry);
      if (random_.one_in(2)) submit(next_intent());
    }
    while (!shared_.stop) {
      const Intent intent = next_intent();
      submit(intent);
      if (intent.producer_high != 0 && random_.one_in(25)) submit(intent);  // the same again, in flight
      if (random_.one_in(10)) std::this_thread::sleep_for(std::chrono::microseconds(random_.below(500)));
    }
    window_.drain();
  }

 private:
  Intent next_intent() {
    const auto tenant = static_cast<std::uint32_t>(random_.below(kCrashTenants));
    return make_intent(random_, ++next_id_, tenant, producer_, known_);
  }

  void submit(const Intent& intent) {
    auto request = to_append(intent);
    if (!request) {
      shared_.pipe.send({Message::Kind::kFault, 0, 0, "the writer failed: " + request.error().to_string()});
      ::_exit(5);
    }
    request->tenant = shared_.tenants[intent.tenant];
    window_.enter();
    shared_.pipe.send(intent);
    shared_.engine.submit(std::move(*request), [this, id = intent.request_id](const Result<AppendResult>& result) {
      shared_.pipe.send(to_answer(id, result));
      if (!result && result.error().code() == ErrorCode::kReadOnly) shared_.stop = true;
      window_.leave();
    });
  }

  Shared& shared_;
  const StoredLog known_;
  Random random_;
  std::uint64_t next_id_;
  std::uint64_t producer_;
  Window window_;
};

std::vector<Intent> load_retries(const std::filesystem::path& path) {
  std::vector<Intent> retries;
  std::ifstream in(path, std::ios::binary);
  Intent intent;
  while (in.read(reinterpret_cast<char*>(&intent), sizeof intent)) retries.push_back(intent);
  return retries;
}

}  // namespace

int run_writer(const WriterOptions& options) {
  Random random(options.seed);
  const Pipe pipe(options.pipe);
  ChildStore store = open_child_store(options, random, pipe);
  if (!store.engine) return 3;
  Shared shared{*store.engine, store.tenants, pipe};
  const std::uint64_t thread_count = random.between(1, 4);
  std::vector<std::vector<Intent>> retries(thread_count);
  for (const Intent& intent : load_retries(options.retries)) retries[random.below(thread_count)].push_back(intent);
  std::vector<std::unique_ptr<Submitter>> submitters;
  std::vector<std::thread> threads;
  for (std::uint32_t number = 0; number < thread_count; ++number) {
    submitters.push_back(std::make_unique<Submitter>(shared, options, number));
    threads.emplace_back([submitter = submitters.back().get(), &mine = retries[number]] { submitter->run(mine); });
  }
  const auto start = std::chrono::steady_clock::now();
  const bool flushes = random.one_in(3);
  while (!shared.stop) {
    std::this_thread::sleep_for(std::chrono::milliseconds(random.between(1, 10)));
    if (flushes && random.one_in(4)) static_cast<void>(store.engine->flush());  // its errors show in the answers
    const auto passed = std::chrono::steady_clock::now() - start;
    if (options.run_ms > 0 && passed > std::chrono::milliseconds(options.run_ms)) shared.stop = true;
  }
  for (std::thread& thread : threads) thread.join();
  static_cast<void>(store.engine->close());
  store.engine.reset();
  return 0;
}

}  // namespace bahi::faults
