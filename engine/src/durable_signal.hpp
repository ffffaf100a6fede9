// Wakes those who wait for the durable offset of a tenant to move.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "bahi/base/result.hpp"
#include "bahi/base/types.hpp"

namespace bahi {

/// Thread-safe.
class DurableSignal {
 public:
  /// Called by the commit pipeline after the tenant's durable offset became `next_offset`.
  void advance(TenantId tenant, Offset next_offset);
  /// Wakes everybody for good.
  void close();

  /// Waits until the tenant's durable offset, as `current` tells it, exceeds `offset`.
  Status wait(const std::function<Offset()>& current, Offset offset, std::chrono::nanoseconds timeout);
  /// See Engine::notify_after.
  std::uint64_t notify(TenantId tenant, const std::function<Offset()>& current, Offset offset,
                       std::function<void()> callback);
  void cancel(std::uint64_t handle);

 private:
  struct Watcher {
    std::uint64_t handle;
    std::uint32_t tenant;
    Offset offset;
    std::function<void()> callback;
  };
  void run_ripe(const std::function<bool(const Watcher&)>& ripe);

  std::mutex mutex_;
  std::condition_variable moved_;
  std::condition_variable callback_done_;
  bool closed_ = false;                                 // protected by mutex_
  std::size_t waiters_ = 0;                             // protected by mutex_
  std::uint64_t next_handle_ = 1;                       // protected by mutex_
  std::vector<Watcher> watchers_;                       // protected by mutex_
  std::map<std::uint64_t, std::thread::id> running_;    // handles whose callback runs now; protected by mutex_
};

}  // namespace bahi
