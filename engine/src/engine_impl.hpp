// The engine's parts and how they hang together.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <vector>

#include "bahi/base/posix_file.hpp"
#include "bahi/engine/engine.hpp"
#include "bahi/engine/log_store.hpp"
#include "commit_pipeline.hpp"
#include "disk_guard.hpp"
#include "durable_signal.hpp"
#include "head_anchor.hpp"
#include "head_cache.hpp"
#include "log_reader.hpp"
#include "rocksdb_log_store.hpp"
#include "store_files.hpp"
#include "tenant_state.hpp"
#include "term_index.hpp"

namespace bahi {

/// Category of the streams in the system tenant's log that say which tenants there are.
inline constexpr std::string_view kTenantCategory = "tenant";

class Engine::Impl {
 public:
  explicit Impl(EngineOptions options);
  ~Impl();

  Status open_directory(const std::filesystem::path& directory);
  Status open_store(std::unique_ptr<LogStore> store);
  Status close();

  // engine_recover.cpp
  [[nodiscard]] Result<RecoverReport> recover(const std::filesystem::path& directory, const RecoverOptions& recover);
  // engine_read_only.cpp
  [[nodiscard]] Result<bool> refresh();
  // engine_verify.cpp
  [[nodiscard]] Result<VerifyReport> verify(const Progress& progress, std::optional<TenantId> only) const;
  [[nodiscard]] Result<Hash128> index_fingerprint(TenantId tenant) const;

  // engine.cpp
  [[nodiscard]] Result<TenantId> create_tenant(std::string_view name);
  [[nodiscard]] Result<TenantState*> find_state(TenantId tenant) const;
  [[nodiscard]] TenantState& state(TenantId tenant) const;
  /// Stored bytes of the tenant's batches below `end`.
  [[nodiscard]] Result<std::uint64_t> stored_bytes_below(TenantId tenant, Offset end) const;
  [[nodiscard]] Result<Offset> readable_end(const TenantState& tenant) const;
  Status load_tenant_names();

  EngineOptions options_;
  StorePaths paths_{""};
  bool on_disk_ = false;
  bool closed_ = false;
  StoreLock lock_;
  std::filesystem::path scratch_;
  std::unique_ptr<HeadAnchor> anchor_;
  std::unique_ptr<DiskGuard> disk_;
  std::shared_ptr<rocksdb::Cache> block_cache_;
  std::unique_ptr<LogStore> store_;
  RocksDbLogStore* rocksdb_store_ = nullptr;  // store_, when it is one
  std::unique_ptr<TermIndex> index_;          // null: read-only without an index
  std::unique_ptr<LogReader> reader_;
  HeadCache heads_;
  mutable DurableSignal signal_;

  mutable std::shared_mutex tenants_mutex_;
  std::vector<std::unique_ptr<TenantState>> states_;  // by id; protected by tenants_mutex_
  std::map<std::string, TenantId, std::less<>> names_;  // protected by tenants_mutex_
  std::vector<std::pair<std::string, TenantId>> created_;  // in order of creation; protected by tenants_mutex_
  std::mutex create_mutex_;                            // one creation at a time

  std::unique_ptr<CommitPipeline> pipeline_;           // null: read-only
  std::atomic<CommitPipeline*> listening_{nullptr};    // what RocksDB's threads report to

 private:
  Status create_store();
  Status open_read_write();
  Status check_before_open(const StoreRecord& record, bool& index_intact);
  Status check_whole_log(const LogStore& store) const;
  /// The index as it is on disk, unchanged; null when it cannot be used.
  [[nodiscard]] std::unique_ptr<TermIndex> look_at_index() const;
  Status open_log(RocksDbLogStore::Mode mode);
  Status open_index(bool intact);
  Status set_index_aside(const std::string& reason);
  /// Sets the index aside and opens an empty one, which `recover_index` fills.
  Status replace_index(const std::string& reason);
  /// Compares log and anchor; `live` gets the sorted files that count.
  [[nodiscard]] Result<RecoverReport> compare_with(const Result<HeadAnchor::Contents>& promises,
                                                   std::set<std::string>& live);
  Status write_accepted_anchor(const Uuid& store_id, const std::vector<TenantRecovery>& tenants);
  Status record_acceptance(const std::string& accepted_by, const std::string& data);
  Status open_read_only();
  Status try_open_read_only();
  Status load_tails();
  Status recover_index(bool read_only);
  Status replay_into_index(TenantState& tenant, Offset from, Offset to, std::uint64_t& done, std::uint64_t total);
  Status refresh_record(StoreRecord::State state);
  void ensure_states(std::uint32_t count);
  void start_pipeline();
};

/// Checks that the log holds what the anchor says was acknowledged. kAcknowledgedDataMissing names what is not there.
Status check_marks(const LogStore& store, const std::vector<TenantMark>& marks);

}  // namespace bahi
