#include "bahi/proofs/trees.hpp"

#include <thread>

#include "bahi/proofs/checkpoint_directory.hpp"
#include "engine_fixture.hpp"

namespace bahi::proofs {
namespace {

using namespace bahi::test;
using namespace std::chrono_literals;

constexpr Uuid kStore{1, 2};
constexpr auto kPatience = 60'000ms;

void fill(Engine& engine, TenantId tenant, std::size_t count, const std::string& data = "1") {
  for (std::size_t done = 0; done < count;) {
    std::vector<Event> events;
    for (; events.size() < 500 && done < count; ++done)
      events.push_back({"item-1", "counted", data + std::to_string(done)});
    REQUIRE(append(engine, tenant, events));
  }
}

/// A store, the trees of its logs, and who witnesses them.
struct Shop {
  TemporaryDirectory directory;
  std::unique_ptr<Engine> engine = open_engine(directory.path() / "store");
  TenantId tenant = engine->create_tenant("shop").value();
  SigningKey key = SigningKey::generate("log").value();
  TreesOptions options = {.directory = directory.path() / "tree",
                          .store_id = kStore,
                          .key = KeyFile{key, {}},
                          .witness = directory.path() / "witness",
                          .checkpoint_interval = 20ms,
                          .log = {}};

  [[nodiscard]] std::unique_ptr<Trees> trees() const {
    auto opened = Trees::open(*engine, options);
    REQUIRE(opened);
    return std::move(*opened);
  }
  /// Another log takes the place of this one.
  void rewrite(const std::string& name) {
    engine = open_engine(directory.path() / name);
    REQUIRE(engine->create_tenant("shop"));
  }
  void check_refused(const std::string& words) const {
    const auto opened = Trees::open(*engine, options);
    REQUIRE_FALSE(opened);
    INFO(opened.error().to_string());
    CHECK(opened.error().code() == ErrorCode::kHistoryChanged);
    CHECK(opened.error().message().find(words) != std::string::npos);
  }
};

TEST_CASE("trees: signed checkpoints follow what is appended", "[proofs][trees]") {
  Shop shop;
  const auto trees = shop.trees();
  const TrustedKeys keys = TrustedKeys::follow(shop.key.verifier(), {}).value();
  TreeHead last;
  for (const std::uint64_t size : {1U, 700U, 5'000U}) {
    fill(*shop.engine, shop.tenant, size - last.size);
    const auto made = trees->checkpoint(shop.tenant, size, kPatience);
    REQUIRE(made);
    CHECK(keys.open(made->note).value() == made->checkpoint);
    CHECK(made->checkpoint.origin == origin_of(kStore, "shop"));
    CHECK(made->checkpoint.tree.size == size);
    const TenantTree* const tree = trees->tree(shop.tenant).value();
    CHECK(verify_consistency(last, made->checkpoint.tree, tree->consistency(last.size, size).value()) ==
          (last.size > 0));
    last = made->checkpoint.tree;
    CHECK(CheckpointDirectory(shop.options.witness).of_log(made->checkpoint.origin).value().front().note == made->note);
  }
  CHECK(trees->checkpoint(shop.tenant, 5'001, 1ms).error().code() == ErrorCode::kOffsetOutOfRange);
  CHECK(trees->checkpoint({7}, 0, 1ms).error().code() == ErrorCode::kUnknownTenant);
}

TEST_CASE("trees: tenants created later, and the system's own log", "[proofs][trees]") {
  Shop shop;
  const auto trees = shop.trees();
  const TenantId other = shop.engine->create_tenant("other").value();
  fill(*shop.engine, other, 300);
  CHECK(trees->checkpoint(other, 300, kPatience).value().checkpoint.origin == origin_of(kStore, "other"));
  CHECK(trees->checkpoint(kSystemTenant, 2, kPatience).value().checkpoint.origin == origin_of(kStore, "system"));
}

TEST_CASE("trees: checkpoints come by themselves, and old ones go", "[proofs][trees]") {
  Shop shop;
  const auto trees = shop.trees();
  const CheckpointDirectory witness(shop.options.witness);
  const std::string origin = origin_of(kStore, "shop");
  for (std::uint64_t size = 1; size <= 20; ++size) {
    fill(*shop.engine, shop.tenant, 1);
    while (true) {
      const auto kept = witness.of_log(origin);
      // One may go while they are looked at.
      if (kept && !kept->empty() && kept->front().checkpoint.tree.size == size) break;
      std::this_thread::sleep_for(1ms);
    }
  }
  trees->close();
  CHECK(witness.of_log(origin).value().size() == 16);
}

TEST_CASE("trees: without a key there are roots and proofs, but no signature", "[proofs][trees]") {
  Shop shop;
  shop.options.key.reset();
  const auto trees = shop.trees();
  fill(*shop.engine, shop.tenant, 600);
  CHECK(trees->checkpoint(shop.tenant, 1, 1ms).error().code() == ErrorCode::kNoCheckpointKey);
  const auto made = trees->unsigned_checkpoint(shop.tenant, 600, kPatience);
  REQUIRE(made);
  CHECK(made->tree == trees->tree(shop.tenant).value()->head(600).value());
}

TEST_CASE("trees: a log that was cut back or rewritten is refused at the start", "[proofs][trees]") {
  Shop shop;
  fill(*shop.engine, shop.tenant, 3'000);
  TreeHead first;
  {
    const auto trees = shop.trees();
    first = trees->checkpoint(shop.tenant, 3'000, kPatience).value().checkpoint.tree;
    fill(*shop.engine, shop.tenant, 1'000);
    REQUIRE(trees->checkpoint(shop.tenant, 4'000, kPatience));
  }
  SECTION("unchanged, it goes on") {
    const auto trees = shop.trees();
    CHECK(trees->checkpoint(shop.tenant, 4'000, kPatience).value().checkpoint.tree.size == 4'000);
  }
  SECTION("without its tree") {
    std::filesystem::remove_all(shop.options.directory);
    CHECK(shop.trees()->tree(shop.tenant).value()->head(3'000).value() == first);
  }
  SECTION("shorter") {
    shop.rewrite("other");
    fill(*shop.engine, shop.tenant, 500);
    shop.check_refused("the log ends at offset 500, but a checkpoint of 4000 events was signed");
  }
  SECTION("other events, the tree kept or not") {
    if (GENERATE(false, true)) std::filesystem::remove_all(shop.options.directory);
    shop.rewrite("other");
    fill(*shop.engine, shop.tenant, 5'000, "2");
    shop.check_refused("something at offsets 0 to 3999 differs");
  }
  SECTION("a checkpoint that is none") {
    const auto file = shop.options.witness / origin_of(kStore, "shop") / "00000000000000004000.checkpoint";
    REQUIRE(std::filesystem::exists(file));
    std::filesystem::resize_file(file, 60);
    const auto opened = Trees::open(*shop.engine, shop.options);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().message().find(file.string()) != std::string::npos);
  }
}

}  // namespace
}  // namespace bahi::proofs
