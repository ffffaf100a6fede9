#include "driver.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "bahi/schemas/batch_builder.hpp"
#include "machine.hpp"
#include "scratch.hpp"

namespace bahi::bench {
namespace {

/// Enough that no copy is in a processor's cache by accident.
constexpr std::size_t kPreEncodedEvents = 256 * 1024;

/// What each producer thread has: events, a builder, or the bodies made beforehand.
class BodyMaker {
 public:
  BodyMaker(const Workload& workload, const DriverOptions& options, const std::vector<EncodedBody>& bodies,
            std::uint64_t number)
      : source_(workload, number),
        builder_({options.codec, 1}),
        batch_(options.batch),
        bodies_(&bodies),
        next_(number) {}

  EncodedBody make() {
    if (!bodies_->empty()) return (*bodies_)[next_++ % bodies_->size()];
    for (std::size_t i = 0; i < batch_; ++i) {
      source_.next(event_);
      require(builder_.add(event_), "building a batch");
    }
    return require(builder_.finish(), "building a batch");
  }

 private:
  EventSource source_;
  BatchBuilder builder_;
  NewEvent event_;
  std::size_t batch_;
  const std::vector<EncodedBody>* bodies_;
  std::size_t next_;
};

/// Submitters that may send their next request; the engine wakes who waits for them.
class ReadyQueue final : public AnswerWaker {
 public:
  /// `wake` must follow.
  void push(std::uint32_t submitter) {
    const std::scoped_lock lock(mutex_);
    ready_.push_back(submitter);
  }
  void wake() override {
    bool anyone = false;
    {
      const std::scoped_lock lock(mutex_);
      anyone = waiting_ > 0;
    }
    if (anyone) available_.notify_all();
  }
  /// Waits, then takes a fair part of what is ready; false once the queue is closed.
  bool take(std::vector<std::uint32_t>& out, unsigned consumers) {
    out.clear();
    std::unique_lock lock(mutex_);
    ++waiting_;
    available_.wait(lock, [this] { return !ready_.empty() || closed_; });
    --waiting_;
    if (closed_) return false;
    const std::size_t count = (ready_.size() + consumers - 1) / consumers;
    out.assign(ready_.end() - static_cast<std::ptrdiff_t>(count), ready_.end());
    ready_.resize(ready_.size() - count);
    return true;
  }
  void close() {
    {
      const std::scoped_lock lock(mutex_);
      closed_ = true;
    }
    available_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable available_;
  std::vector<std::uint32_t> ready_;  // guarded by mutex_
  unsigned waiting_ = 0;              // guarded by mutex_
  bool closed_ = false;               // guarded by mutex_
};

/// One closed loop of `run_ready_queue`: lives on its stack, outlives every callback.
class Loop {
 public:
  Loop(Engine& engine, TenantId tenant, const DriverOptions& options, std::uint64_t end_nanos, std::uint64_t events_max,
       Histogram& latency)
      : engine_(&engine),
        tenant_(tenant),
        batch_(options.batch),
        producers_(options.producers),
        end_nanos_(end_nanos),
        budget_(events_max / options.batch),
        latency_(&latency),
        submitted_(options.submitters),
        active_(options.submitters) {
    for (std::uint32_t i = 0; i < options.submitters; ++i) queue_->push(i);
  }

  void produce(BodyMaker maker) {
    std::vector<std::uint32_t> ready;
    while (queue_->take(ready, producers_)) {
      for (const std::uint32_t submitter : ready) {
        if (now_nanos() >= end_nanos_ || batches_.fetch_add(1, std::memory_order_relaxed) >= budget_) {
          if (active_.fetch_sub(1) == 1) queue_->close();
          continue;
        }
        AppendRequest request;
        request.tenant = tenant_;
        request.body = maker.make();
        submitted_[submitter] = now_nanos();
        ++requests_;
        engine_->submit(
            std::move(request), [this, submitter](Result<AppendResult> result) { answered(submitter, result); },
            queue_);
      }
    }
  }

  /// A callback may still be on its way out of `answered` when its submitter is already done.
  void wait_for_callbacks() const {
    while (callbacks_.load(std::memory_order_acquire) != requests_.load()) std::this_thread::yield();
  }
  [[nodiscard]] std::uint64_t acknowledged() const { return acknowledged_.load(); }
  [[nodiscard]] std::uint64_t overloads() const { return overloads_.load(); }

 private:
  void answered(std::uint32_t submitter, const Result<AppendResult>& result) {
    if (result) {
      latency_->record(now_nanos() - submitted_[submitter]);
      acknowledged_.fetch_add(1, std::memory_order_relaxed);
    } else if (result.error().code() == ErrorCode::kOverloaded) {
      overloads_.fetch_add(1, std::memory_order_relaxed);
    } else {
      fail(fmt::format("append: {}", result.error().to_string()));
    }
    queue_->push(submitter);
    callbacks_.fetch_add(1, std::memory_order_release);
  }

  Engine* engine_;
  TenantId tenant_;
  std::size_t batch_;
  unsigned producers_;
  std::uint64_t end_nanos_;
  std::uint64_t budget_;
  Histogram* latency_;
  std::shared_ptr<ReadyQueue> queue_ = std::make_shared<ReadyQueue>();
  std::vector<std::uint64_t> submitted_;  // each entry: written before submit, read in its callback
  std::atomic<unsigned> active_;
  std::atomic<std::uint64_t> batches_{0};
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> callbacks_{0};
  std::atomic<std::uint64_t> acknowledged_{0};
  std::atomic<std::uint64_t> overloads_{0};
};

}  // namespace

AppendDriver::AppendDriver(Engine& engine, TenantId tenant, const Workload& workload, const DriverOptions& options)
    : engine_(&engine), tenant_(tenant), workload_(&workload), options_(options) {
  if (!options.pre_encoded) return;
  BodyMaker maker(workload, options, bodies_, 4242);
  std::vector<EncodedBody> bodies;
  for (std::size_t i = 0; i < kPreEncodedEvents / options.batch; ++i) bodies.push_back(maker.make());
  bodies_ = std::move(bodies);
}

Slice AppendDriver::run(double seconds, std::uint64_t events_max, Histogram& latency) {
  const std::uint64_t start = now_nanos();
  const std::uint64_t end = start + static_cast<std::uint64_t>(seconds * 1e9);
  Slice slice = options_.mode == Mode::kBlocking ? run_blocking(end, events_max, latency)
                                                 : run_ready_queue(end, events_max, latency);
  slice.seconds = static_cast<double>(now_nanos() - start) / 1e9;
  slice.events = slice.batches * options_.batch;
  return slice;
}

Slice AppendDriver::run_ready_queue(std::uint64_t end_nanos, std::uint64_t events_max, Histogram& latency) {
  Loop loop(*engine_, tenant_, options_, end_nanos, events_max, latency);
  std::vector<std::thread> producers;
  for (unsigned i = 0; i < options_.producers; ++i) {
    producers.emplace_back(
        [&loop, this, number = ++sources_] { loop.produce(BodyMaker(*workload_, options_, bodies_, number)); });
  }
  for (std::thread& producer : producers) producer.join();
  loop.wait_for_callbacks();
  overloads_ += loop.overloads();
  Slice slice;
  slice.batches = loop.acknowledged();
  return slice;
}

Slice AppendDriver::run_blocking(std::uint64_t end_nanos, std::uint64_t events_max, Histogram& latency) {
  const std::uint64_t budget = events_max / options_.batch;
  std::atomic<std::uint64_t> started{0};
  std::atomic<std::uint64_t> acknowledged{0};
  std::atomic<std::uint64_t> overloads{0};
  const auto work = [&](std::uint64_t number) {
    BodyMaker maker(*workload_, options_, bodies_, number);
    while (now_nanos() < end_nanos && started.fetch_add(1, std::memory_order_relaxed) < budget) {
      AppendRequest request;
      request.tenant = tenant_;
      request.body = maker.make();
      const std::uint64_t submitted = now_nanos();
      const Result<AppendResult> result = engine_->append(std::move(request));
      if (result) {
        latency.record(now_nanos() - submitted);
        acknowledged.fetch_add(1, std::memory_order_relaxed);
      } else if (result.error().code() == ErrorCode::kOverloaded) {
        overloads.fetch_add(1, std::memory_order_relaxed);
      } else {
        fail(fmt::format("append: {}", result.error().to_string()));
      }
    }
  };
  std::vector<std::thread> submitters;
  for (unsigned i = 0; i < options_.submitters; ++i) submitters.emplace_back(work, ++sources_);
  for (std::thread& submitter : submitters) submitter.join();
  overloads_ += overloads.load();
  Slice slice;
  slice.batches = acknowledged.load();
  return slice;
}

}  // namespace bahi::bench
