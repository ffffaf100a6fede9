// Lets many instances fold in turn on a few threads.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "instance.hpp"

namespace bahi::projections {

/// Thread-safe.
class FoldScheduler {
 public:
  /// `caught_up` is called on a fold thread whenever an instance has folded everything; false: it is done with.
  FoldScheduler(Engine& engine, std::uint32_t threads, std::function<bool(const std::shared_ptr<Instance>&)> caught_up);
  ~FoldScheduler();
  FoldScheduler(const FoldScheduler&) = delete;
  FoldScheduler& operator=(const FoldScheduler&) = delete;

  /// The instance has something to do, perhaps. Every instance that is given here has its turn before any has its next.
  void add(const std::shared_ptr<Instance>& instance);
  /// No slice of it runs or will run when it returns.
  void remove(const std::shared_ptr<Instance>& instance);
  void stop();

 private:
  enum class Place : std::uint8_t { kReady, kRunning, kRunningAndWanted, kWaiting };
  struct Task {
    Place place = Place::kWaiting;
    std::uint64_t notify = 0;  // handle
  };
  void run();
  void run_one(const std::shared_ptr<Instance>& instance, bool others_wait);

  Engine& engine_;
  const std::function<bool(const std::shared_ptr<Instance>&)> caught_up_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Instance>> ready_;
  std::map<std::shared_ptr<Instance>, Task> tasks_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace bahi::projections
