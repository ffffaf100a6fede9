// A store made of batches that another one held: what a backup is restored with.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "bahi/base/result.hpp"
#include "bahi/engine/options.hpp"
#include "bahi/engine/tenant_mark.hpp"

namespace bahi {

/// Takes batches verbatim, so offsets, versions, times, producers and hashes stay what they were. Until `finish`
/// returned the directory is no store: whoever opens it is told kRestoreUnfinished. Not thread-safe.
class StoreCopy {
 public:
  /// The directory must be missing, empty, or hold what an interrupted copy left, which is deleted.
  /// Errors: kDirectoryNotEmpty, kDirectoryInUse, kPermissionDenied, kDiskFull, kIoError.
  [[nodiscard]] static Result<std::unique_ptr<StoreCopy>> begin(const std::filesystem::path& directory,
                                                                const Uuid& store_id, const EngineOptions& options);
  StoreCopy(const StoreCopy&) = delete;
  StoreCopy& operator=(const StoreCopy&) = delete;
  /// Without `finish`: deletes what was written.
  ~StoreCopy();

  /// The next batch, in the order of commits, with header and body as stored. Its bytes are copied; the body is not
  /// looked into. kCorruptLog when its header is damaged or it does not go on where its tenant's last batch ended.
  Status add(std::string_view stored);
  /// Makes the directory a store, durably. Nothing may be added any more. Its index is built when it is opened.
  Status finish();
  /// How far each tenant got, by identifier.
  [[nodiscard]] std::vector<TenantMark> marks() const;

 private:
  class Impl;
  explicit StoreCopy(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bahi
