// What the processes that bahi_crash kills have in common: a store on a lossy file system, and a pipe to the checker.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "bahi/engine/engine.hpp"
#include "crash_message.hpp"
#include "fault_env.hpp"
#include "workload.hpp"

namespace bahi::faults {

struct ChildOptions {
  std::filesystem::path store;
  std::filesystem::path names;  ///< for the NameJournal
  std::uint64_t seed = 0;
  std::uint32_t run_ms = 0;  ///< then it closes the store and ends; 0 = never
  int pipe = -1;
};

/// The writing end. Ends the process when nobody listens any more.
class Pipe {
 public:
  explicit Pipe(int descriptor) : descriptor_(descriptor) {}
  void send(const Message& message) const;

 private:
  int descriptor_;
};

struct ChildStore {
  std::unique_ptr<FaultEnv> env;
  std::unique_ptr<Engine> engine;
  std::array<TenantId, kCrashTenants> tenants{};
};

/// Opens or makes the store, with settings that `random` chooses, and its tenants; tells the checker of them. On
/// failure it tells that, and `engine` is null.
[[nodiscard]] ChildStore open_child_store(const ChildOptions& options, Random& random, const Pipe& pipe);

}  // namespace bahi::faults
