// Backs the store up, one backup at a time, while the server serves.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>

#include "bahi/engine/engine.hpp"
#include "bahi/schemas/wire.hpp"

namespace bahi::server {

/// Thread-safe. The engine must outlive it.
class BackupDesk {
 public:
  /// `directory`: where the backups go; empty: none are taken. `log` may be empty.
  BackupDesk(const Engine& engine, std::filesystem::path directory, LogSink log)
      : engine_(engine), directory_(std::move(directory)), log_(std::move(log)) {}

  /// Takes a backup on the calling thread. Errors: those of create_backup; kOverloaded while another is being taken;
  /// kInvalidArgument without a directory.
  [[nodiscard]] Result<wire::BackupCreated> create(std::uint64_t bytes_per_second_max);
  /// Ends the one that is being taken, and takes no more.
  void begin_shutdown() { stopping_.store(true); }

 private:
  const Engine& engine_;
  const std::filesystem::path directory_;
  const LogSink log_;
  std::atomic<bool> busy_{false};
  std::atomic<bool> stopping_{false};
};

}  // namespace bahi::server
