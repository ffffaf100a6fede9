// The state that a fold works on: its tables, held in memory between two commits.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bahi/schemas/hash.hpp"
#include "event_lookup.hpp"
#include "key_filter.hpp"
#include "row_codec.hpp"
#include "view_store.hpp"

namespace bahi::projections {

class TableBase;

/// Joins a fold's tables to the store. Not thread-safe.
class FoldState {
 public:
  FoldState(const ViewStore& store, InstanceId instance, EventLookup history);
  FoldState(const FoldState&) = delete;
  FoldState& operator=(const FoldState&) = delete;

  /// Writes a row without looking at what is there: for rows that are written once.
  void put(std::uint8_t table, std::string_view key, std::string_view row) { changes_.put(table, key, row); }
  void erase(std::uint8_t table, std::string_view key) { changes_.erase(table, key); }

  /// Events below the one that is being folded. They never change, so a fold may look at them as at its tables; each
  /// look costs what a read of the log costs.
  [[nodiscard]] EventLookup& history() noexcept { return history_; }

  // --- for tables
  void add_table(TableBase& table) { tables_.push_back(&table); }
  /// As of the last commit, for which it waits when it is under way. False: there is no such row.
  [[nodiscard]] Result<bool> load(std::uint8_t table, std::string_view key, std::string& row);
  /// As of the last commit that has ended, without waiting: for who holds what is under way in memory.
  [[nodiscard]] Result<bool> load_ended(std::uint8_t table, std::string_view key, std::string& row);
  /// All rows as of the last commit. Errors: those of the commit, when it was under way.
  [[nodiscard]] Result<const StateView*> view();
  /// Nothing was committed before: every row there will be passes through here.
  [[nodiscard]] bool began_empty() const noexcept { return began_empty_; }
  void note_memory(std::size_t bytes) { changed_bytes_ += bytes; }

  // --- for the framework
  /// All changes since the last commit, in one set. What was taken before must be in the store by now.
  [[nodiscard]] WriteSet take_changes();
  /// The changes that were taken are on their way into the store: `view` and `load` wait for them.
  void await_before_reading(std::shared_future<Status> commit) { commit_ = std::move(commit); }
  /// Approximate memory of what is not committed yet.
  [[nodiscard]] std::size_t changed_bytes() const noexcept { return changed_bytes_ + changes_.bytes(); }
  /// Approximate memory of the tables' rows, committed or not.
  [[nodiscard]] std::size_t held_bytes() const noexcept;

 private:
  const ViewStore* store_;
  InstanceId instance_;
  EventLookup history_;
  bool began_empty_;
  std::shared_future<Status> commit_;      // of what was taken last; invalid once it was waited for
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
  virtual void taken() = 0;
  [[nodiscard]] virtual std::size_t held_bytes() const noexcept = 0;
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
  /// `number`: 1 to 255, another for each table of a projection, and for ever the same. `rows_max`: when there are more
  /// in memory at a commit, those that are not used until the next such commit leave it.
  Table(FoldState& state, std::uint8_t number, std::size_t rows_max = 100'000, Misses misses = Misses::kRare)
      : state_(state),
        number_(number),
        rows_max_(rows_max),
        filtered_(misses == Misses::kCommon && state.began_empty()) {
    state.add_table(*this);
  }

  /// Null: there is no such row.
  [[nodiscard]] Result<const Row*> find(std::string_view key) {
    const WantedKey wanted(key);
    if (surely_absent(wanted)) return static_cast<const Row*>(nullptr);
    BAHI_ASSIGN(Entry * entry, look_up(wanted));
    return static_cast<const Row*>(entry->present ? &entry->row : nullptr);
  }
  /// The row, to be changed; null: there is no such row.
  [[nodiscard]] Result<Row*> edit(std::string_view key) {
    BAHI_ASSIGN(Entry * entry, look_up(WantedKey(key)));
    if (!entry->present) return static_cast<Row*>(nullptr);
    mark(*entry);
    return &entry->row;
  }
  /// The row, to be changed, made with its defaults when it is not there.
  [[nodiscard]] Result<Row*> edit_or_add(std::string_view key) {
    BAHI_ASSIGN(Entry * entry, look_up(WantedKey(key)));
    entry->present = true;
    mark(*entry);
    return &entry->row;
  }
  Status erase(std::string_view key) {
    BAHI_ASSIGN(Entry * entry, look_up(WantedKey(key)));
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
        state_.erase(number_, key.text);
        continue;
      }
      buffer_.clear();
      encode_row(entry.row, buffer_);
      state_.put(number_, key.text, buffer_);
    }
  }
  void taken() override {
    for (auto* changed : changed_) changed->second.changed = false;
    changed_.clear();
    if (rows_.size() <= rows_max_) return;
    // What was just taken is not in the store yet, so it must stay in memory; what is older is in the store.
    older_.clear();
    std::swap(rows_, older_);
  }
  [[nodiscard]] std::size_t held_bytes() const noexcept override {
    constexpr std::size_t kAboutOneRow = sizeof(Node) + 64;
    return (rows_.size() + older_.size()) * kAboutOneRow;
  }

 private:
  struct Entry {
    Row row;
    bool present = false;
    bool changed = false;
  };
  /// With its hash, which is needed several times.
  template <class Text>
  struct HashedKey {
    explicit HashedKey(std::string_view key) : text(key), hash(xxh3_64(key)) {}
    template <class Other>
    explicit HashedKey(const HashedKey<Other>& other) : text(other.text), hash(other.hash) {}
    Text text;
    std::uint64_t hash;
  };
  using WantedKey = HashedKey<std::string_view>;
  struct KeyHash {
    using is_transparent = void;
    template <class Text>
    std::size_t operator()(const HashedKey<Text>& key) const noexcept {
      return key.hash;
    }
  };
  struct SameKey {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const HashedKey<A>& a, const HashedKey<B>& b) const noexcept {
      return a.hash == b.hash && a.text == b.text;
    }
  };
  using Rows = std::unordered_map<HashedKey<std::string>, Entry, KeyHash, SameKey>;
  using Node = typename Rows::value_type;

  [[nodiscard]] bool surely_absent(const WantedKey& key) const { return filtered_ && !filter_.may_contain(key.hash); }
  /// The row in memory; null: it is not there.
  [[nodiscard]] Node* in_memory(const WantedKey& key) {
    if (const auto found = rows_.find(key); found != rows_.end()) return &*found;
    if (older_.empty()) return nullptr;
    const auto found = older_.find(key);
    if (found == older_.end()) return nullptr;
    return &*rows_.insert(older_.extract(found)).position;  // in use, so it stays
  }
  [[nodiscard]] Result<Entry*> look_up(const WantedKey& key) {
    const bool absent = surely_absent(key);
    last_ = absent ? nullptr : in_memory(key);
    if (last_ != nullptr) return &last_->second;
    Entry entry;
    if (!absent) {
      BAHI_ASSIGN(entry.present, state_.load_ended(number_, key.text, buffer_));
    }
    if (entry.present && !decode_row(buffer_, entry.row)) {
      return Error{ErrorCode::kViewsDamaged, "read models: a row is malformed; rebuild the read model"};
    }
    last_ = &*rows_.emplace(key, std::move(entry)).first;
    return &last_->second;
  }
  void mark(Entry& entry) {
    if (entry.changed) return;
    entry.changed = true;
    changed_.push_back(last_);
    if (filtered_) filter_.add(last_->first.hash);
    state_.note_memory(sizeof(Node) + 2 * last_->first.text.size() + 64);
  }

  FoldState& state_;
  const std::uint8_t number_;
  const std::size_t rows_max_;
  const bool filtered_;
  KeyFilter filter_;  // every key that was ever written, when filtered
  Rows rows_;
  Rows older_;            // those of `rows_` when they became too many; none is in both
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
