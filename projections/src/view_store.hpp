// Where the state of all projections lies: one RocksDB database without a write-ahead log, since everything in it can
// be derived from the log again.
//
// An instance is built in the column family `built`, by sorted files only, and from then on kept up to date in `live`,
// by write batches only; RocksDB 7.8.3 reads wrongly where both are mixed. A row in `live` hides the same row in
// `built`; its value begins with 1, and a lone 0 says that the row was erased.
//
// A key is be32 instance | u8 table | the projection's key. Table 0 belongs to the framework: the checkpoint. State and
// checkpoint of a commit go into the database in one step and into the same column family, so after a crash each
// instance is exactly as it was at one of its commits.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bahi/base/result.hpp"
#include "bahi/base/types.hpp"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Snapshot;
}  // namespace rocksdb

namespace bahi::projections {

struct InstanceId {
  std::uint32_t value = 0;
  constexpr auto operator<=>(const InstanceId&) const = default;
};

/// How far an instance has folded.
struct Checkpoint {
  Offset next;               ///< everything below is folded in
  std::uint64_t events = 0;  ///< of them, those that the fold was given
  Hash128 chain;             ///< of the last batch folded, to notice that the log is another one
  void fields(auto& row) { row(next.value, events, chain.high, chain.low); }
};

/// The open database, shared by everything that reads it.
struct ViewDatabase {
  ~ViewDatabase();
  /// Instances whose rows count; of others, compaction removes what is left.
  class Living;
  std::shared_ptr<Living> living;
  std::unique_ptr<rocksdb::DB> db;
  rocksdb::ColumnFamilyHandle* built = nullptr;
  rocksdb::ColumnFamilyHandle* live = nullptr;
};

/// The rows of one table whose keys begin with a prefix. `next` goes on after `seek` and `seek_first`, `previous` after
/// `seek_backward` and `seek_last`. Not thread-safe; must not outlive its view.
class RowScan {
 public:
  struct Impl;
  explicit RowScan(std::unique_ptr<Impl> impl);
  ~RowScan();
  RowScan(RowScan&&) noexcept;
  RowScan& operator=(RowScan&&) noexcept;

  /// To the first row at or after `key`.
  void seek(std::string_view key);
  /// To the last row at or before `key`.
  void seek_backward(std::string_view key);
  void seek_first();
  void seek_last();
  void next();
  void previous();
  /// False: beyond the last or the first row, or the database failed (see `status`).
  [[nodiscard]] bool valid() const;
  /// Without instance and table. Holds until the scan moves, like the value.
  [[nodiscard]] std::string_view key() const;
  [[nodiscard]] std::string_view value() const;
  [[nodiscard]] Status status() const;

 private:
  std::unique_ptr<Impl> impl_;
};

/// An instance's state as of one commit. Thread-safe.
class StateView {
 public:
  StateView(std::shared_ptr<const ViewDatabase> database, InstanceId instance);
  ~StateView();
  StateView(const StateView&) = delete;
  StateView& operator=(const StateView&) = delete;

  /// False: there is no such row.
  [[nodiscard]] Result<bool> get(std::uint8_t table, std::string_view key, std::string& value) const;
  /// Rows whose key begins with `prefix`.
  [[nodiscard]] RowScan scan(std::uint8_t table, std::string_view prefix = {}) const;
  [[nodiscard]] Result<Checkpoint> checkpoint() const;

 private:
  std::shared_ptr<const ViewDatabase> database_;
  const rocksdb::Snapshot* snapshot_;
  InstanceId instance_;
};

/// The changes of one commit. Not thread-safe.
class WriteSet {
 public:
  explicit WriteSet(InstanceId instance) : instance_(instance) {}
  /// Of several changes of one key the last counts.
  void put(std::uint8_t table, std::string_view key, std::string_view value);
  void erase(std::uint8_t table, std::string_view key);
  [[nodiscard]] std::size_t bytes() const noexcept { return arena_.size() + entries_.size() * sizeof(Entry); }
  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  void clear();

 private:
  friend class ViewStore;
  struct Entry {
    // The key's first bytes behind the instance, as numbers: most comparisons end here.
    std::array<std::uint64_t, 4> order{};
    std::uint64_t begin = 0;
    std::uint32_t key_bytes = 0;
    std::uint32_t value_bytes = 0;
    bool erased = false;
  };
  void add(std::uint8_t table, std::string_view key, std::string_view value, bool erased);
  [[nodiscard]] std::string_view key(const Entry& entry) const {
    return {arena_.data() + entry.begin, entry.key_bytes};
  }
  [[nodiscard]] std::string_view value(const Entry& entry) const {
    return {arena_.data() + entry.begin + entry.key_bytes, entry.value_bytes};
  }
  /// By key, of equal ones the last only.
  void sort();

  InstanceId instance_;
  std::string arena_;
  std::vector<Entry> entries_;
};

/// Thread-safe. Errors of all functions: kIoError, kDiskFull, kViewsDamaged.
class ViewStore {
 public:
  struct Options {
    std::size_t write_buffer_bytes = std::size_t{32} << 20U;
    std::size_t block_cache_bytes = std::size_t{128} << 20U;
    bool compacts = true;    ///< by itself; without, files that are shared with another store stay shared
    bool durable = true;     ///< without, nothing waits for the disk, and a crash may leave anything
    bool read_only = false;  ///< nothing is written, not even into the directory
  };
  /// How an instance is written; it goes from kBuild to kKeep once and never back.
  enum class Mode : std::uint8_t { kBuild, kKeep };

  [[nodiscard]] static Result<std::unique_ptr<ViewStore>> open(const std::filesystem::path& directory,
                                                               const Options& options);
  ViewStore(const ViewStore&) = delete;
  ViewStore& operator=(const ViewStore&) = delete;

  /// An instance of its own, empty; not kept over a restart unless a fact names it.
  [[nodiscard]] InstanceId add_instance();
  /// Says which instances count after a restart; what others left goes when it is compacted.
  void keep_instances(const std::vector<InstanceId>& instances);
  /// Gives the space of instances back. Of many at once it costs little more than of one.
  Status drop(const std::vector<InstanceId>& instances);

  /// All changes and the checkpoint, or nothing. `changes` is empty afterwards.
  Status commit(WriteSet& changes, const Checkpoint& checkpoint, Mode mode);
  /// Brings the files of an instance into one order, so that it is read from one place.
  Status tidy(InstanceId instance);
  [[nodiscard]] std::shared_ptr<const StateView> view(InstanceId instance) const;

  /// Small notes of the framework about its instances; durable when written.
  Status put_fact(std::string_view key, std::string_view value);
  Status erase_fact(std::string_view key);
  [[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> facts() const;

  [[nodiscard]] const std::filesystem::path& directory() const noexcept { return directory_; }

  /// Hash over an instance's rows in their order, without its checkpoint.
  [[nodiscard]] Result<Hash128> fingerprint(InstanceId instance) const;
  /// Of the sorted files; approximate.
  [[nodiscard]] std::uint64_t bytes_on_disk(InstanceId instance) const;
  /// Makes everything that was committed survive a crash.
  Status flush();
  /// Makes a store of its own in `directory`, which does not exist yet, with each instance as of one of its commits.
  /// Sorted files are shared by hard links, so the cost does not grow with the state. What it links is synced, the
  /// directory is not.
  Status write_checkpoint(const std::filesystem::path& directory) const;

 private:
  ViewStore(std::filesystem::path directory, std::shared_ptr<ViewDatabase> database);
  Status write(WriteSet& changes, Mode mode);
  Status commit_batch(const WriteSet& changes);
  Status commit_file(const WriteSet& changes);
  [[nodiscard]] bool has_rows(InstanceId instance) const;
  Status compact(const std::string& begin, const std::string& end);
  Status find_last_instance();
  Status leave_sequence_zero();

  std::filesystem::path directory_;
  std::shared_ptr<ViewDatabase> database_;
  std::atomic<std::uint32_t> last_instance_{0};
  std::atomic<std::uint64_t> last_file_{0};
};

}  // namespace bahi::projections
