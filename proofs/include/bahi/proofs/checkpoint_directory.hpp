// Where signed checkpoints are put so that they outlive a change of the log: a witness directory, best on another
// machine's disk, or else the store's own.
//
//   DIRECTORY/bahi/STORE-ID/TENANT/SIZE.checkpoint     a note; SIZE in twenty digits
//
// The newest 16 of each log are kept.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "bahi/proofs/checkpoint.hpp"

namespace bahi::proofs {

/// Not thread-safe for the same log.
class CheckpointDirectory {
 public:
  explicit CheckpointDirectory(std::filesystem::path directory) : directory_(std::move(directory)) {}
  /// Durable when it returns: the file is whole or not there. Errors: kIoError, kDiskFull, kPermissionDenied.
  Status keep(const Checkpoint& checkpoint, std::string_view note) const;
  struct Kept {
    Checkpoint checkpoint;
    std::string note;
  };
  /// Of one log, the newest first. kMalformedBundle names a file that holds no checkpoint of it.
  [[nodiscard]] Result<std::vector<Kept>> of_log(std::string_view origin) const;
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return directory_; }

 private:
  [[nodiscard]] Result<std::vector<std::filesystem::path>> files_of(std::string_view origin) const;
  std::filesystem::path directory_;
};

}  // namespace bahi::proofs
