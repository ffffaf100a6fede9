#include "crash_writer.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "bahi/engine/engine.hpp"
#include "fault_env.hpp"
#include "workload.hpp"

namespace bahi::faults {
namespace {

class Pipe {
 public:
  explicit Pipe(int descriptor) : descriptor_(descriptor) {}
  void send(const Message& message) const {
    if (::write(descriptor_, &message, sizeof message) != sizeof message) ::_exit(4);  // the checker is gone
  }
  void announce(Message::Kind kind, std::uint32_t tenant, std::uint32_t id, const std::string& text) const {
    Message message;
    message.kind = kind;
    message.announcement = {};
    message.announcement.tenant = tenant;
    message.announcement.tenant_id = id;
    text.copy(message.announcement.text.data(), message.announcement.text.size() - 1);
    send(message);
  }

 private:
  int descriptor_;
};

/// Bounds the requests of one thread that have no answer yet.
class Window {
 public:
  explicit Window(std::size_t max) : max_(max) {}
  void enter() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return now_ < max_; });
    ++now_;
  }
  void leave() {
    const std::scoped_lock lock(mutex_);
    --now_;
    changed_.notify_all();
  }
  void drain() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return now_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t now_ = 0;  // protected by mutex_
  const std::size_t max_;
};

struct Shared {
  Engine& engine;
  Pipe pipe;
  std::array<TenantId, kCrashTenants> tenants{};
  std::atomic<bool> stop{false};
};

Message answer_message(std::uint64_t request_id, const Result<AppendResult>& result) {
  Message message;
  message.kind = Message::Kind::kAnswer;
  message.answer = {};
  Answer& answer = message.answer;
  answer.request_id = request_id;
  if (result) {
    answer.first_offset = result->first_offset.value;
    answer.event_count = result->event_count;
    answer.recorded_at = result->recorded_at.nanos;
    answer.duplicate = result->duplicate;
    answer.version_count = static_cast<std::uint32_t>(result->first_versions.size());
    std::copy_n(result->first_versions.begin(), std::min<std::size_t>(4, result->first_versions.size()),
                answer.first_versions.begin());
    return message;
  }
  answer.code = static_cast<std::uint16_t>(result.error().code());
  if (const Conflict* conflict = result.error().conflict()) {
    answer.actual_version = conflict->actual_version;
    answer.conflict_offset = conflict->offset;
    conflict->stream.copy(answer.conflict_stream.data(), answer.conflict_stream.size() - 1);
  }
  return message;
}

/// One submitting thread.
class Submitter {
 public:
  Submitter(Shared& shared, const WriterOptions& options, std::uint32_t number)
      : shared_(shared),
        random_(options.seed * 131 + number),
        next_id_((std::uint64_t{options.cycle} << 32U) | (std::uint64_t{number} << 24U)),
        producer_(0xBA41'0000U + number),
        window_(random_.one_in(4) ? 1 : random_.between(2, 24)) {}

  void run(const std::vector<Intent>& retries) {
    for (const Intent& retry : retries) {
      if (shared_.stop) break;
      submit(retry);
      if (random_.one_in(2)) submit(make_intent());
    }
    while (!shared_.stop) {
      const Intent intent = make_intent();
      submit(intent);
      if (intent.producer_high != 0 && random_.one_in(25)) submit(intent);  // the same again, in flight
      if (random_.one_in(10)) std::this_thread::sleep_for(std::chrono::microseconds(random_.below(500)));
    }
    window_.drain();
  }

 private:
  Intent make_intent() {
    Intent intent;
    intent.request_id = ++next_id_;
    intent.plan_seed = random_.next();
    intent.tenant = static_cast<std::uint32_t>(random_.below(kCrashTenants));
    if (!random_.one_in(4)) intent.producer_high = producer_;
    const TenantId tenant = shared_.tenants[intent.tenant];
    if (random_.one_in(3)) {
      intent.expected_stream = static_cast<std::uint32_t>(random_.below(kHotStreams));
      intent.expected_kind = static_cast<std::uint8_t>(random_.between(1, 3));
      const auto version = shared_.engine.stream_version(tenant, hot_stream(intent.expected_stream));
      if (version) intent.expected_version = version->value - (random_.one_in(10) ? 1 : 0);
      if (intent.expected_version < 0) intent.expected_kind = 1;  // no stream
    }
    if (random_.one_in(5)) {
      intent.has_condition = true;
      intent.condition_tag = static_cast<std::uint32_t>(random_.below(kTags));
      const std::uint64_t end = shared_.engine.durable_offset(tenant).value;
      intent.condition_from = end - std::min(end, random_.below(100));
    }
    return intent;
  }

  void submit(const Intent& intent) {
    AppendRequest request;
    request.tenant = shared_.tenants[intent.tenant];
    auto body = encode_events(plan_events(intent.request_id, intent.plan_seed, kCrashEventsMax), intent.plan_seed);
    if (!body) {
      shared_.pipe.announce(Message::Kind::kFault, 0, 0, body.error().to_string());
      ::_exit(5);
    }
    request.body = std::move(*body);
    if (intent.expected_kind != 0) {
      request.expectations.push_back(
          {hot_stream(intent.expected_stream),
           {static_cast<ExpectedVersion::Kind>(intent.expected_kind), Version{intent.expected_version}}});
    }
    if (intent.producer_high != 0) {
      request.producer = ProducerPosition{{intent.producer_high, 1}, intent.request_id};
    }
    if (intent.has_condition) {
      request.condition = AppendCondition{{{{{}, {tag_name(intent.condition_tag)}}}}, Offset{intent.condition_from}};
    }
    window_.enter();
    Message message;
    message.kind = Message::Kind::kIntent;
    message.intent = intent;
    shared_.pipe.send(message);
    shared_.engine.submit(std::move(request), [this, id = intent.request_id](const Result<AppendResult>& result) {
      shared_.pipe.send(answer_message(id, result));
      if (!result && result.error().code() == ErrorCode::kReadOnly) shared_.stop = true;
      window_.leave();
    });
  }

  Shared& shared_;
  Random random_;
  std::uint64_t next_id_;
  std::uint64_t producer_;
  Window window_;
};

EngineOptions random_options(Random& random) {
  EngineOptions options;
  options.create_if_missing = true;
  options.write_buffer_bytes = std::size_t{1} << random.between(17, 21);
  options.index_delta_postings_max = random.between(200, 6000);
  options.groups_in_flight_max = static_cast<std::uint32_t>(random.between(1, 16));
  options.group_bytes_max = std::size_t{1} << random.between(14, 20);
  options.stream_cache_entries_max = random.one_in(2) ? 50 : 100'000;
  options.condition_window_bytes = random.one_in(2) ? 20'000 : std::size_t{1} << 20U;
  options.block_cache_bytes = std::size_t{8} << 20U;
  options.batch_cache_bytes = std::size_t{8} << 20U;
  options.reserve_bytes = std::size_t{1} << 20U;
  options.free_bytes_min = std::size_t{16} << 20U;
  options.anchor_sync_interval = std::chrono::milliseconds(random.between(1, 50));
  return options;
}

std::vector<Intent> load_retries(const std::filesystem::path& path) {
  std::vector<Intent> retries;
  std::ifstream in(path, std::ios::binary);
  Intent intent;
  while (in.read(reinterpret_cast<char*>(&intent), sizeof intent)) retries.push_back(intent);
  return retries;
}

Status find_or_create_tenants(Shared& shared) {
  for (std::uint32_t number = 0; number < kCrashTenants; ++number) {
    const std::string name = fmt::format("shop{}", number);
    auto id = shared.engine.find_tenant(name);
    if (!id) id = shared.engine.create_tenant(name);
    if (!id) return id.error();
    shared.tenants[number] = *id;
    shared.pipe.announce(Message::Kind::kTenant, number, id->value, name);
  }
  return {};
}

}  // namespace

int run_writer(const WriterOptions& options) {
  Random random(options.seed);
  LossOptions loss;
  loss.lossy = true;
  loss.sync_reaches_disk = random.one_in(4);
  loss.leak_one_in = random.one_in(2) ? 10 : 0;
  loss.seed = random.next();
  if (random.one_in(2)) loss.name_journal = options.names;
  FaultEnv env(loss);
  EngineOptions engine_options = random_options(random);
  engine_options.env = env.env();
  const Pipe pipe(options.pipe);
  auto engine = Engine::open(options.store, engine_options);
  if (!engine) {
    pipe.announce(Message::Kind::kOpenFailed, 0, 0, engine.error().to_string());
    return 3;
  }
  Shared shared{**engine, pipe, {}, {}};
  if (const Status status = find_or_create_tenants(shared); !status) {
    pipe.announce(Message::Kind::kOpenFailed, 0, 0, status.error().to_string());
    return 3;
  }
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
    if (flushes && random.one_in(4)) static_cast<void>((*engine)->flush());  // its errors show in the answers
    const auto passed = std::chrono::steady_clock::now() - start;
    if (options.run_ms > 0 && passed > std::chrono::milliseconds(options.run_ms)) shared.stop = true;
  }
  for (std::thread& thread : threads) thread.join();
  static_cast<void>((*engine)->close());
  engine->reset();
  return 0;
}

}  // namespace bahi::faults
