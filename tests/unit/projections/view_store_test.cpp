#include "view_store.hpp"

#include <catch2/catch.hpp>

#include <future>
#include <map>
#include <random>

#include "engine_fixture.hpp"
#include "fold_state.hpp"
#include "key.hpp"
#include "row_codec.hpp"

namespace bahi::projections {
namespace {

using test::TemporaryDirectory;
using Mode = ViewStore::Mode;

std::unique_ptr<ViewStore> open_store(const std::filesystem::path& path) {
  auto store = ViewStore::open(path, {std::size_t{1} << 20U, std::size_t{4} << 20U});
  REQUIRE(store);
  return std::move(*store);
}

struct NumberRow {
  std::uint64_t number = 0;
  void fields(auto& row) { row(number); }
};

using Rows = std::map<std::string, std::string>;

Rows forward(const StateView& view, std::uint8_t table, std::string_view prefix = {}) {
  Rows rows;
  RowScan scan = view.scan(table, prefix);
  for (scan.seek_first(); scan.valid(); scan.next()) rows.emplace(scan.key(), scan.value());
  REQUIRE(scan.status());
  return rows;
}

Rows backward(const StateView& view, std::uint8_t table) {
  Rows rows;
  std::string last;
  RowScan scan = view.scan(table);
  for (scan.seek_last(); scan.valid(); scan.previous()) {
    CHECK((last.empty() || scan.key() < last));
    last = scan.key();
    rows.emplace(scan.key(), scan.value());
  }
  REQUIRE(scan.status());
  return rows;
}

TEST_CASE("view store: rows are read as the last commit left them, in either mode and direction", "[projections]") {
  const TemporaryDirectory directory;
  const auto store = open_store(directory.path());
  const InstanceId instance = store->add_instance();
  const InstanceId neighbour = store->add_instance();
  std::mt19937_64 random(7);
  Rows expected;
  for (int commit = 0; commit < 40; ++commit) {
    WriteSet changes(instance);
    WriteSet others(neighbour);
    for (int i = 0; i < 50; ++i) {
      const std::string key = "k" + std::to_string(random() % 200);
      if (random() % 4 == 0) {
        changes.erase(1, key);
        expected.erase(key);
      } else {
        const std::string value = std::string(random() % 20, 'v') + std::to_string(commit);
        changes.put(1, key, value);
        expected[key] = value;
      }
      others.put(1, key, "theirs");
    }
    const Mode mode = commit < 20 ? Mode::kBuild : Mode::kKeep;
    const std::uint64_t next = static_cast<std::uint64_t>(commit) + 1;
    REQUIRE(store->commit(changes, {Offset{next}, next, {}}, mode));
    REQUIRE(store->commit(others, {Offset{next}, next, {}}, mode));
    CHECK(changes.empty());
    const auto view = store->view(instance);
    CHECK(forward(*view, 1) == expected);
    CHECK(backward(*view, 1) == expected);
    CHECK(view->checkpoint()->next == Offset{next});
    if (commit == 30) REQUIRE(store->tidy(instance));
  }
  const auto view = store->view(instance);
  for (int i = 0; i < 200; ++i) {
    const std::string key = "k" + std::to_string(i);
    std::string value;
    const auto found = view->get(1, key, value);
    REQUIRE(found);
    CHECK(*found == expected.contains(key));
    if (*found) CHECK(value == expected[key]);
    RowScan scan = view->scan(1);
    scan.seek(key);
    const auto at = expected.lower_bound(key);
    CHECK(scan.valid() == (at != expected.end()));
    if (scan.valid()) CHECK(scan.key() == at->first);
    RowScan down = view->scan(1);
    down.seek_backward(key);
    const auto above = expected.upper_bound(key);
    CHECK(down.valid() == (above != expected.begin()));
    if (down.valid()) CHECK(down.key() == std::prev(above)->first);
  }
}

TEST_CASE("view store: a view does not change under its reader", "[projections]") {
  const TemporaryDirectory directory;
  const auto store = open_store(directory.path());
  const InstanceId instance = store->add_instance();
  for (const Mode mode : {Mode::kBuild, Mode::kKeep}) {
    WriteSet changes(instance);
    changes.put(1, "a", "old");
    REQUIRE(store->commit(changes, {Offset{1}, 1, {}}, mode));
    const auto view = store->view(instance);
    changes.put(1, "a", "new");
    changes.put(1, "b", "more");
    REQUIRE(store->commit(changes, {Offset{2}, 2, {}}, mode));
    CHECK(forward(*view, 1) == Rows{{"a", "old"}});
    CHECK(view->checkpoint()->next == Offset{1});
    changes.erase(1, "b");
    REQUIRE(store->commit(changes, {Offset{3}, 3, {}}, mode));
  }
}

TEST_CASE("view store: what was built first outlives its compaction under a reader", "[projections]") {
  const TemporaryDirectory directory;
  const auto store = open_store(directory.path());
  const InstanceId first = store->add_instance();
  const InstanceId second = store->add_instance();
  for (const InstanceId instance : {first, second}) {  // nothing was written when they came in
    WriteSet changes(instance);
    changes.put(1, "row", "value");
    REQUIRE(store->commit(changes, {Offset{1}, 1, {}}, Mode::kBuild));
  }
  const auto reader = store->view(first);
  REQUIRE(store->tidy(first));
  REQUIRE(store->tidy(second));
  for (const InstanceId instance : {first, second}) {
    CHECK(forward(*store->view(instance), 1) == Rows{{"row", "value"}});
    CHECK(store->view(instance)->checkpoint()->next == Offset{1});
  }
}

TEST_CASE("fold state: who holds nothing in memory waits for the commit under way, a table does not", "[projections]") {
  const TemporaryDirectory directory;
  const auto store = open_store(directory.path());
  const InstanceId instance = store->add_instance();
  const auto engine = test::memory_engine();
  FoldState state(*store, instance, EventLookup(*engine, TenantId{1}));
  Table<NumberRow> table(state, 2, 0);  // nothing is to be kept: the row stays because it is on its way
  (*table.edit_or_add("row"))->number = 7;
  state.put(1, "key", "value");
  bool committed = false;
  auto commit = [&, changes = state.take_changes()]() mutable {
    committed = true;
    return store->commit(changes, {Offset{1}, 1, {}}, Mode::kBuild);
  };
  state.await_before_reading(
      std::async(std::launch::deferred, std::move(commit)).share());  // runs when it is waited for
  CHECK((*table.find("row"))->number == 7);
  CHECK(*table.find("other") == nullptr);
  CHECK_FALSE(committed);
  std::string row;
  const auto there = state.load(1, "key", row);
  CHECK(committed);
  REQUIRE(there);
  CHECK(*there);
  CHECK(row == "value");
}

TEST_CASE("view store: a prefix gives its rows only, whatever bytes they have", "[projections]") {
  const TemporaryDirectory directory;
  const auto store = open_store(directory.path());
  const InstanceId instance = store->add_instance();
  WriteSet changes(instance);
  const std::vector<std::string> names{"a",        std::string("a\0b", 3),       "ab",
                                       "\xFF\xFF", std::string("\xFF\xFF\0", 3), "b"};
  for (const std::string& name : names) {
    for (std::uint64_t i = 0; i < 3; ++i) changes.put(255, Key().text(name).number(i), name);
  }
  REQUIRE(store->commit(changes, {Offset{1}, 1, {}}, Mode::kKeep));
  const auto view = store->view(instance);
  for (const std::string& name : names) {
    const Rows rows = forward(*view, 255, Key().text(name));
    CHECK(rows.size() == 3);
    for (const auto& [key, value] : rows) {
      CHECK(value == name);
      KeyReader reader(key);
      CHECK(reader.text() == name);
      CHECK(reader.number() < 3);
    }
  }
  CHECK(forward(*view, 254).empty());
}

TEST_CASE("view store: what was committed and flushed is there after a restart, and a dropped instance is not",
          "[projections]") {
  const TemporaryDirectory directory;
  InstanceId kept;
  InstanceId dropped;
  {
    const auto store = open_store(directory.path());
    kept = store->add_instance();
    dropped = store->add_instance();
    for (const InstanceId instance : {kept, dropped}) {
      WriteSet changes(instance);
      for (int i = 0; i < 1000; ++i) changes.put(1, "built" + std::to_string(i), std::string(100, 'x'));
      REQUIRE(store->commit(changes, {Offset{5}, 5, {}}, Mode::kBuild));
      changes.put(1, "kept", "y");
      REQUIRE(store->commit(changes, {Offset{6}, 6, {}}, Mode::kKeep));
    }
    REQUIRE(store->put_fact("fact", "value"));
    REQUIRE(store->put_fact("gone", "value"));
    REQUIRE(store->erase_fact("gone"));
    REQUIRE(store->flush());
  }
  const auto store = open_store(directory.path());
  store->keep_instances({kept, dropped});
  const auto facts = store->facts();
  REQUIRE(facts);
  CHECK(*facts == std::vector<std::pair<std::string, std::string>>{{"fact", "value"}});
  CHECK(store->view(kept)->checkpoint()->next == Offset{6});
  CHECK(forward(*store->view(kept), 1).size() == 1001);
  CHECK(store->bytes_on_disk(dropped) > 0);
  REQUIRE(store->drop({dropped}));
  CHECK(forward(*store->view(dropped), 1).empty());
  CHECK(store->bytes_on_disk(dropped) == 0);
  CHECK(forward(*store->view(kept), 1).size() == 1001);
  CHECK(store->add_instance() > dropped);
}

struct Inner {
  std::string name;
  std::int64_t amount = 0;
  bool operator==(const Inner&) const = default;
  void fields(auto& row) { row(name, amount); }
};

struct Outer {
  std::uint64_t big = 0;
  std::int64_t negative = 0;
  std::int32_t small = 0;
  bool flag = false;
  std::string text;
  std::vector<Inner> list;
  std::vector<std::string> texts;
  bool operator==(const Outer&) const = default;
  void fields(auto& row) { row(big, negative, small, flag, text, list, texts); }
};

TEST_CASE("row codec: rows come back as they were, and shorter or longer bytes are refused", "[projections]") {
  const Outer row{UINT64_MAX, INT64_MIN, -5, true, "text", {{"a", -1}, {"", INT64_MAX}}, {"", "x"}};
  std::string bytes;
  encode_row(row, bytes);
  Outer back;
  REQUIRE(decode_row(bytes, back));
  CHECK(back == row);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    Outer partial;
    CHECK_FALSE(decode_row(std::string_view(bytes).substr(0, size), partial));
  }
  CHECK_FALSE(decode_row(bytes + "x", back));
}

}  // namespace
}  // namespace bahi::projections
