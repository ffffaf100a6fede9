#include "engine_fixture.hpp"
#include "rocksdb_log_store.hpp"

using namespace bahi;
using namespace bahi::test;

namespace {

/// What both stores must do alike.
void check_store(LogStore& store) {
  const auto put = [&store](std::uint32_t tenant, std::uint64_t first, std::uint64_t last) {
    const std::string header = "h" + std::to_string(first);
    const std::vector<LogRecord> records{{{tenant}, {first}, {last}, header, "body"}};
    REQUIRE(store.append(records));
  };
  CHECK(store.tenants().value().empty());
  put(1, 0, 4);
  put(1, 5, 5);
  put(3, 0, 9);
  put(1, 6, 8);
  REQUIRE(store.sync());
  CHECK(store.tenants().value() == std::vector<TenantId>{{1}, {3}});
  const auto cursor = store.cursor({1}, CacheUse::kFill);
  cursor->seek({3});
  REQUIRE(cursor->valid());
  CHECK(cursor->last_offset() == Offset{4});
  CHECK(cursor->stored() == "h0body");
  cursor->next();
  CHECK(cursor->last_offset() == Offset{5});
  cursor->next();
  CHECK(cursor->stored() == "h6body");
  cursor->next();
  CHECK_FALSE(cursor->valid());
  cursor->seek({9});
  CHECK_FALSE(cursor->valid());
  cursor->seek_backward(kOffsetMax);
  REQUIRE(cursor->valid());
  CHECK(cursor->last_offset() == Offset{8});
  cursor->seek_backward({6});
  CHECK(cursor->last_offset() == Offset{8});
  cursor->previous();
  CHECK(cursor->last_offset() == Offset{5});
  cursor->previous();
  cursor->previous();
  CHECK_FALSE(cursor->valid());
  CHECK(cursor->status().has_value());
  const auto other = store.cursor({2}, CacheUse::kScan);
  other->seek({0});
  CHECK_FALSE(other->valid());
  other->seek_backward({5});
  CHECK_FALSE(other->valid());
}

}  // namespace

TEST_CASE("log store: in memory", "[engine][store]") {
  MemoryLogStore store(std::make_shared<MemoryLog>());
  check_store(store);
}

TEST_CASE("log store: on RocksDB", "[engine][store]") {
  TemporaryDirectory directory;
  RocksDbLogStore::OpenArguments arguments;
  arguments.directory = directory.path() / "log";
  arguments.cache = rocksdb::NewLRUCache(1 << 20U);
  arguments.callbacks = {[](const rocksdb::Status&) {}, [] {}};
  const auto store = RocksDbLogStore::open(arguments, small_options()).value();
  check_store(*store);
}

TEST_CASE("log store: a crash of the memory log loses what was not synced", "[engine][store]") {
  const auto log = std::make_shared<MemoryLog>();
  MemoryLogStore store(log);
  const std::vector<LogRecord> first{{{1}, {0}, {0}, "a", ""}};
  const std::vector<LogRecord> second{{{1}, {1}, {1}, "b", ""}};
  REQUIRE(store.append(first));
  REQUIRE(store.sync());
  REQUIRE(store.append(second));
  log->crash();
  const auto cursor = store.cursor({1}, CacheUse::kFill);
  cursor->seek_backward(kOffsetMax);
  CHECK(cursor->last_offset() == Offset{0});
}
