#include "fold_scheduler.hpp"

#include <pthread.h>

namespace bahi::projections {
namespace {

/// A turn; short while others wait for theirs.
constexpr std::chrono::milliseconds kSliceAlone{500};
constexpr std::chrono::milliseconds kSliceAmongOthers{20};

}  // namespace

FoldScheduler::FoldScheduler(Engine& engine, std::uint32_t threads,
                             std::function<bool(const std::shared_ptr<Instance>&)> caught_up)
    : engine_(engine), caught_up_(std::move(caught_up)) {
  for (std::uint32_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { run(); });
    ::pthread_setname_np(threads_.back().native_handle(), "bahi-fold");
  }
}

FoldScheduler::~FoldScheduler() {
  stop();
}

void FoldScheduler::stop() {
  std::vector<std::uint64_t> handles;
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    ready_.clear();
    for (auto& [instance, task] : tasks_) {
      if (task.notify != 0) handles.push_back(task.notify);
    }
  }
  changed_.notify_all();
  for (const std::uint64_t handle : handles) engine_.cancel_notify(handle);
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  const std::scoped_lock lock(mutex_);
  tasks_.clear();
}

void FoldScheduler::add(const std::shared_ptr<Instance>& instance) {
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_) return;
    Task& task = tasks_[instance];
    if (task.place == Place::kReady) return;
    if (task.place != Place::kWaiting) {
      task.place = Place::kRunningAndWanted;
      return;
    }
    task.place = Place::kReady;
    ready_.push_back(instance);
  }
  changed_.notify_all();
}

void FoldScheduler::remove(const std::shared_ptr<Instance>& instance) {
  std::uint64_t handle = 0;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = tasks_.find(instance);
    if (found != tasks_.end()) {
      handle = found->second.notify;
      tasks_.erase(found);
    }
    std::erase(ready_, instance);
  }
  if (handle != 0) engine_.cancel_notify(handle);
  instance->stop();
}

void FoldScheduler::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !ready_.empty(); });
    if (stopping_) return;
    const std::shared_ptr<Instance> instance = std::move(ready_.front());
    ready_.pop_front();
    tasks_[instance].place = Place::kRunning;
    const bool others_wait = !ready_.empty();
    lock.unlock();
    run_one(instance, others_wait);
    lock.lock();
  }
}

void FoldScheduler::run_one(const std::shared_ptr<Instance>& instance, bool others_wait) {
  Instance::Next next = instance->run_slice(others_wait ? kSliceAmongOthers : kSliceAlone, others_wait);
  if (next == Instance::Next::kWait && !caught_up_(instance)) next = Instance::Next::kRest;
  bool wait = false;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = tasks_.find(instance);
    if (found == tasks_.end() || stopping_) return;
    Task& task = found->second;
    if (next == Instance::Next::kMore || task.place == Place::kRunningAndWanted) {
      task.place = Place::kReady;
      ready_.push_back(instance);
      changed_.notify_one();
      return;
    }
    task.place = Place::kWaiting;
    wait = next == Instance::Next::kWait;
  }
  if (!wait) return;
  // Perhaps called at once, on this thread.
  const std::uint64_t handle =
      engine_.notify_after(instance->fact().tenant, instance->next(), [this, weak = std::weak_ptr<Instance>(instance)] {
        if (const auto strong = weak.lock()) add(strong);
      });
  bool gone = false;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = tasks_.find(instance);
    gone = found == tasks_.end() || stopping_;
    if (!gone) found->second.notify = handle;
  }
  if (gone) engine_.cancel_notify(handle);
}

}  // namespace bahi::projections
