#include "bahi/proofs/tenant_tree.hpp"

#include <fstream>

#include "bahi/proofs/canonical_event.hpp"
#include "engine_fixture.hpp"
#include "tree_file.hpp"

namespace bahi::proofs {
namespace {

using namespace bahi::test;

constexpr Uuid kStore{1, 2};

/// `count` events in batches of growing size.
void fill(Engine& engine, TenantId tenant, std::size_t count) {
  std::size_t done = 0;
  for (std::size_t batch = 1; done < count; batch = batch * 3 % 1009 + 1) {
    std::vector<Event> events;
    for (; events.size() < batch && done < count; ++done) {
      events.push_back({"item-" + std::to_string(done % 17), "counted", std::to_string(done), {"tag"}});
    }
    REQUIRE(append(engine, tenant, events));
  }
}

HashList leaves_of(const Engine& engine, TenantId tenant) {
  const auto cursor = engine.read(everything(tenant));
  REQUIRE(cursor);
  HashList leaves;
  EventView event;
  std::string bytes;
  while ((*cursor)->next(event).value()) {
    bytes.clear();
    append_canonical_event(event, bytes);
    leaves.push_back(leaf_hash(bytes));
  }
  return leaves;
}

TreeHead reference_head(const HashList& leaves, std::size_t size) {
  RangeStack stack;
  for (std::size_t i = 0; i < size; ++i) (void)stack.push(0, leaves[i]);
  return {size, stack.root()};
}

struct Shop {
  TemporaryDirectory directory;
  std::unique_ptr<Engine> engine = open_engine(directory.path() / "store");
  TenantId tenant = engine->create_tenant("shop").value();
  TreeFiles files{directory.path() / "tree", kStore};

  [[nodiscard]] std::unique_ptr<TenantTree> tree() const {
    auto opened = std::make_unique<TenantTree>(*engine, tenant, files);
    const Status status = opened->open();
    REQUIRE(status);
    return opened;
  }
};

void flip_byte(const std::filesystem::path& path, std::streamoff place) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(place);
  const auto byte = static_cast<char>(file.get() ^ 1);
  file.seekp(place);
  file.put(byte);
  REQUIRE(file);
}

TEST_CASE("tenant tree: heads and proofs are those of the log's events", "[proofs][tree]") {
  Shop shop;
  fill(*shop.engine, shop.tenant, 70'000);
  const HashList leaves = leaves_of(*shop.engine, shop.tenant);
  const bool in_memory = GENERATE(false, true);
  TenantTree tree(*shop.engine, shop.tenant, in_memory ? std::nullopt : std::optional(shop.files));
  REQUIRE(tree.open());
  while (tree.extend(777).value()) continue;
  REQUIRE(tree.size() == leaves.size());
  const TreeHead whole = reference_head(leaves, leaves.size());
  for (const std::size_t size : {0U, 1U, 255U, 256U, 257U, 65'535U, 65'536U, 65'537U, 69'999U, 70'000U}) {
    INFO("size " << size);
    const TreeHead expected = reference_head(leaves, size);
    REQUIRE(tree.head(size));
    CHECK(*tree.head(size) == expected);
    const auto consistency = tree.consistency(size, leaves.size());
    REQUIRE(consistency);
    CHECK(verify_consistency(expected, whole, *consistency));
    for (const std::size_t leaf : {0U, 1U, 254U, 300U, 65'536U, 69'999U}) {
      const auto proof = tree.inclusion(leaf, size);
      REQUIRE(proof.has_value() == (leaf < size));
      if (proof) CHECK(verify_inclusion(expected, leaf, leaves[leaf], *proof));
    }
  }
  CHECK(tree.head(70'001).error().code() == ErrorCode::kOffsetOutOfRange);
  CHECK(tree.recheck(0, 100'000).value() == 70'000 / 256 * 256);
}

TEST_CASE("tenant tree: a saved tree goes on where it was", "[proofs][tree]") {
  Shop shop;
  fill(*shop.engine, shop.tenant, 3'000);
  {
    const auto tree = shop.tree();
    REQUIRE(tree->extend_to(3'000));
    REQUIRE(tree->save());
  }
  fill(*shop.engine, shop.tenant, 1'000);
  const auto tree = shop.tree();
  CHECK(tree->size() == 3'000 / 256 * 256);
  CHECK(tree->taken_from_file() == tree->size());
  REQUIRE(tree->extend_to(4'000));
  CHECK(tree->head(4'000).value() == reference_head(leaves_of(*shop.engine, shop.tenant), 4'000));
  CHECK(tree->extend_to(4'001).error().code() == ErrorCode::kOffsetOutOfRange);
}

TEST_CASE("tenant tree: files that are damaged, cut off, missing or of another log are built anew", "[proofs][tree]") {
  Shop shop;
  fill(*shop.engine, shop.tenant, 3'000);
  {
    const auto tree = shop.tree();
    REQUIRE(tree->extend_to(3'000));
    REQUIRE(tree->save());
  }
  const auto tiles = shop.files.directory / "000001.tiles";
  const auto head = shop.files.directory / "000001.head";
  REQUIRE(std::filesystem::file_size(tiles) == 3'000 / 256 * 32);
  SECTION("a byte of the tiles") {
    flip_byte(tiles, GENERATE(0, 100, 351));
  }
  SECTION("a byte of the head") {
    flip_byte(head, GENERATE(0, 20, 52, 60, 100));
  }
  SECTION("cut off") {
    std::filesystem::resize_file(GENERATE(false, true) ? tiles : head, 50);
  }
  SECTION("missing") {
    std::filesystem::remove(GENERATE(false, true) ? tiles : head);
  }
  SECTION("of another store") {
    shop.files.store_id = {3, 4};
  }
  SECTION("of a log of other events") {
    shop.engine = open_engine(shop.directory.path() / "other");
    REQUIRE(shop.engine->create_tenant("shop"));
    fill(*shop.engine, shop.tenant, 5'000);
  }
  SECTION("of a longer log") {
    shop.engine = open_engine(shop.directory.path() / "other");
    REQUIRE(shop.engine->create_tenant("shop"));
    fill(*shop.engine, shop.tenant, 100);
  }
  const auto tree = shop.tree();
  CHECK(tree->size() == 0);
  const std::uint64_t end = shop.engine->durable_offset(shop.tenant).value;
  REQUIRE(tree->extend_to(end));
  CHECK(tree->head(end).value() == reference_head(leaves_of(*shop.engine, shop.tenant), end));
  REQUIRE(tree->save());
  CHECK(shop.tree()->size() == end / 256 * 256);
}

TEST_CASE("tenant tree: a tail behind what was saved is dropped", "[proofs][tree]") {
  Shop shop;
  fill(*shop.engine, shop.tenant, 3'000);
  {
    const auto tree = shop.tree();
    REQUIRE(tree->extend_to(2'000));
    REQUIRE(tree->save());
    REQUIRE(tree->extend_to(3'000));
  }
  const auto tiles = shop.files.directory / "000001.tiles";
  std::ofstream(tiles, std::ios::binary | std::ios::app) << "half a hash";
  const auto tree = shop.tree();
  CHECK(tree->size() == 2'000 / 256 * 256);
  CHECK(std::filesystem::file_size(tiles) == 2'000 / 256 * 32);
  REQUIRE(tree->extend_to(3'000));
  CHECK(tree->head(3'000).value() == reference_head(leaves_of(*shop.engine, shop.tenant), 3'000));
}

TEST_CASE("tenant tree: a log that is not the one of the tree is noticed", "[proofs][tree]") {
  Shop shop;
  fill(*shop.engine, shop.tenant, 3'000);
  {
    const auto tree = shop.tree();
    REQUIRE(tree->extend_to(3'000));
    REQUIRE(tree->save());
  }
  // Whoever can write the files can also make the tree's file vouch for other events.
  {
    TreeFile file(shop.files.directory, kStore, shop.tenant, false);
    TreeFile::Head head = file.read_head().value().value();
    REQUIRE(file.open(head.tiles));
    HashList roots = file.read(0, head.tiles).value();
    roots[5][0] ^= 1;
    RangeStack stack;
    for (const TreeHash& root : roots) REQUIRE(stack.push(kTileLevel, root));
    head.root = stack.root();
    REQUIRE(file.open(0));
    REQUIRE(file.append(roots));
    REQUIRE(file.save(head));
  }
  TenantTree other(*shop.engine, shop.tenant, shop.files);
  REQUIRE(other.open());
  REQUIRE(other.taken_from_file() == 3'000 / 256 * 256);
  REQUIRE(other.extend_to(3'000));
  const auto proof = other.inclusion(5 * 256 + 7, 3'000);
  REQUIRE_FALSE(proof);
  CHECK(proof.error().code() == ErrorCode::kHistoryChanged);
  CHECK(proof.error().message().find("offsets 1280 to 1535") != std::string::npos);
  CHECK(other.sound());
  CHECK(other.recheck(0, 1'000).value() == 1'024);
  CHECK(other.recheck(1'024, 10'000).error().code() == ErrorCode::kHistoryChanged);
  CHECK_FALSE(other.sound());
  CHECK(other.head(1).error().code() == ErrorCode::kHistoryChanged);
  REQUIRE(other.start_anew());
  REQUIRE(other.extend_to(3'000));
  CHECK(other.sound());
}

TEST_CASE("tenant tree: read-only, it uses the files and changes none", "[proofs][tree]") {
  Shop shop;
  fill(*shop.engine, shop.tenant, 70'000);
  const HashList leaves = leaves_of(*shop.engine, shop.tenant);
  const bool has_files = GENERATE(false, true);
  if (has_files) {
    const auto tree = shop.tree();
    REQUIRE(tree->extend_to(1'000));
    REQUIRE(tree->save());
  }
  TreeFiles files = shop.files;
  files.read_only = true;
  TenantTree tree(*shop.engine, shop.tenant, files);
  REQUIRE(tree.open());
  CHECK(tree.size() == (has_files ? 768U : 0U));
  REQUIRE(tree.extend_to(70'000));
  REQUIRE(tree.save());
  CHECK(tree.head(70'000).value() == reference_head(leaves, 70'000));
  CHECK(tree.head(66'000).value() == reference_head(leaves, 66'000));
  CHECK(std::filesystem::exists(files.directory) == has_files);
  if (has_files) CHECK(std::filesystem::file_size(files.directory / "000001.tiles") == 1'000 / 256 * 32);
}

}  // namespace
}  // namespace bahi::proofs
