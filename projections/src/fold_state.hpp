// The state that a fold works on: its tables, held in memory between two commits.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "key_filter.hpp"
#include "row_codec.hpp"
#include "view_store.hpp"

namespace bahi::projections {

class TableBase;

/// Joins a fold's tables to the store. Not thread-safe.
class FoldState {
 public:
  FoldState(const ViewStore& store, InstanceId instance);
  FoldState(const FoldState&) = delete;
  FoldState& operator=(const FoldState&) = delete;

  /// Writes a row without looking at what is there: for rows that are written once.
  void put(std::uint8_t table, std::string_view key, std::string_view row) { changes_.put(table, key, row); }
  void erase(std::uint8_t table, std::string_view key) { changes_.erase(table, key); }

  // --- for tables
  void add_table(TableBase& table) { tables_.push_back(&table); }
  /// As of the last commit. False: there is no such row.
  [[nodiscard]] Result<bool> load(std::uint8_t table, std::string_view key, std::string& row);
  /// Nothing was committed before: every row there will be passes through here.
  [[nodiscard]] bool began_empty() const noexcept { return began_empty_; }
  void note_memory(std::size_t bytes) { changed_bytes_ += bytes; }

  // --- for the framework
  /// All changes since the last commit, in one set.
  [[nodiscard]] WriteSet& collect();
  /// What was collected is in the store now. Rows that were read stay in memory while they are few.
  void committed();
  /// Approximate memory of what is not committed yet.
  [[nodiscard]] std::size_t changed_bytes() const noexcept { return changed_bytes_ + changes_.bytes(); }

 private:
  const ViewStore* store_;
  InstanceId instance_;
  bool began_empty_;
  std::shared_ptr<const StateView> view_;  // of the last commit; opened when first needed
  WriteSet changes_;
  std::size_t changed_bytes_ = 0;
  std::vector<TableBase*> tables_;
};

class TableBase {
 public:
  TableBase() = default;
  TableBase(const TableBase&) = delete;
  TableBase& operator=(const TableBase&) = delete;
  virtual ~TableBase() = default;
  virtual void collect() = 0;
  virtual void committed() = 0;
};

/// How often a table is asked for a key that it does not have.
enum class Misses : std::uint8_t {
  kRare,
  kCommon,  ///< for most events: a filter in memory spares the look into the store while an instance is built
};

/// Rows of one kind by key, read when first needed and written at the commit. `Row` describes itself as row_codec.hpp
/// says. Pointers hold until the end of the event that is being folded.
template <class Row>
class Table final : public TableBase {
 public:
  /// `number`: 1 to 255, another for each table of a projection, and for ever the same. `rows_max`: kept in memory from
  /// one commit to the next.
  Table(FoldState& state, std::uint8_t number, std::size_t rows_max = 100'000, Misses misses = Misses::kRare)
      : state_(state),
        number_(number),
        rows_max_(rows_max),
        filtered_(misses == Misses::kCommon && state.began_empty()) {
    state.add_table(*this);
  }

  /// Null: there is no such row.
  [[nodiscard]] Result<const Row*> find(std::string_view key) {
    BAHI_ASSIGN(Entry * entry, look_up(key));
    return static_cast<const Row*>(entry->present ? &entry->row : nullptr);
  }
  /// The row, to be changed; null: there is no such row.
  [[nodiscard]] Result<Row*> edit(std::string_view key) {
    BAHI_ASSIGN(Entry * entry, look_up(key));
    if (!entry->present) return static_cast<Row*>(nullptr);
    mark(*entry);
    return &entry->row;
  }
  /// The row, to be changed, made with its defaults when it is not there.
  [[nodiscard]] Result<Row*> edit_or_add(std::string_view key) {
    BAHI_ASSIGN(Entry * entry, look_up(key));
    entry->present = true;
    mark(*entry);
    return &entry->row;
  }
  Status erase(std::string_view key) {
    BAHI_ASSIGN(Entry * entry, look_up(key));
    if (!entry->present) return {};
    entry->present = false;
    entry->row = {};
    mark(*entry);
    return {};
  }

  void collect() override {
    for (const auto* changed : changed_) {
      const auto& [key, entry] = *changed;
      if (!entry.present) {
        state_.erase(number_, key);
        continue;
      }
      buffer_.clear();
      encode_row(entry.row, buffer_);
      state_.put(number_, key, buffer_);
    }
  }
  void committed() override {
    if (rows_.size() > rows_max_) {
      changed_.clear();
      rows_.clear();
      return;
    }
    for (auto* changed : changed_) changed->second.changed = false;
    changed_.clear();
  }

 private:
  struct Entry {
    Row row;
    bool present = false;
    bool changed = false;
  };
  struct KeyHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const noexcept { return std::hash<std::string_view>{}(key); }
  };
  using Rows = std::unordered_map<std::string, Entry, KeyHash, std::equal_to<>>;
  using Node = typename Rows::value_type;

  [[nodiscard]] Result<Entry*> look_up(std::string_view key) {
    const auto found = rows_.find(key);
    if (found != rows_.end()) {
      last_ = &*found;
      return &found->second;
    }
    Entry entry;
    if (!filtered_ || filter_.may_contain(KeyHash{}(key))) {
      BAHI_ASSIGN(entry.present, state_.load(number_, key, buffer_));
    }
    if (entry.present && !decode_row(buffer_, entry.row)) {
      return Error{ErrorCode::kViewsDamaged, "read models: a row is malformed; rebuild the read model"};
    }
    last_ = &*rows_.emplace(std::string(key), std::move(entry)).first;
    return &last_->second;
  }
  void mark(Entry& entry) {
    if (entry.changed) return;
    entry.changed = true;
    changed_.push_back(last_);
    if (filtered_) filter_.add(KeyHash{}(last_->first));
    state_.note_memory(sizeof(Node) + 2 * last_->first.size() + 64);
  }

  FoldState& state_;
  const std::uint8_t number_;
  const std::size_t rows_max_;
  const bool filtered_;
  KeyFilter filter_;  // every key that was ever written, when filtered
  Rows rows_;
  Node* last_ = nullptr;  // the one that was looked up last
  std::vector<Node*> changed_;
  std::string buffer_;
};

/// One row that must be well-formed. Error: kViewsDamaged.
template <class Row>
Status read_row(std::string_view bytes, Row& row) {
  if (decode_row(bytes, row)) return {};
  return Error{ErrorCode::kViewsDamaged, "read models: a row is malformed; rebuild the read model"};
}

/// One row of a view, for queries. False: there is no such row.
template <class Row>
[[nodiscard]] Result<bool> get_row(const StateView& view, std::uint8_t table, std::string_view key, Row& row) {
  std::string bytes;
  BAHI_ASSIGN(const bool found, view.get(table, key, bytes));
  if (found) BAHI_TRY(read_row(bytes, row));
  return found;
}

}  // namespace bahi::projections
