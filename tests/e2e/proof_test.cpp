// Checkpoints and proofs over TCP.
#include <cstring>

#include "bahi/proofs/canonical_event.hpp"
#include "bahi/proofs/checkpoint.hpp"
#include "server_fixture.hpp"

namespace bahi::test {
namespace {

using namespace proofs;

server::ServerOptions options_with(std::optional<KeyFile> key) {
  server::ServerOptions options = TestServer::server_options();
  options.trees.emplace();
  options.trees->store_id = {1, 2};
  options.trees->key = std::move(key);
  return options;
}

HashList hashes_of(const Result<wire::Proof>& proof) {
  REQUIRE(proof);
  HashList hashes(proof->hashes.size() / sizeof(TreeHash));
  if (!hashes.empty()) std::memcpy(hashes.data(), proof->hashes.data(), proof->hashes.size());
  return hashes;
}

TreeHash leaf_at(const Engine& engine, TenantId tenant, std::uint64_t offset) {
  ReadRequest request = everything(tenant);
  request.from = {offset};
  const auto cursor = engine.read(request).value();
  EventView event;
  REQUIRE(cursor->next(event).value());
  std::string bytes;
  append_canonical_event(event, bytes);
  return leaf_hash(bytes);
}

TEST_CASE("proofs over TCP: a checkpoint, and what it proves", "[e2e][proofs]") {
  const SigningKey old_key = SigningKey::generate("log").value();
  const SigningKey key = SigningKey::generate("log").value();
  TestServer server(options_with(KeyFile{key, {sign_hand_over(old_key, key.verifier()).value()}}));
  const auto client = server.client("shop", "");
  for (int i = 0; i < 300; ++i) REQUIRE(append(server.engine(), server.shop(), {{"item-1"}, {"item-2"}}));
  const auto answer = client->checkpoint({600, false, 60'000});
  REQUIRE(answer);
  const auto trusted = TrustedKeys::follow(old_key.verifier(), answer->hand_overs);
  REQUIRE(trusted);
  const Checkpoint checkpoint = trusted->open(answer->note).value();
  CHECK(checkpoint.origin == origin_of({1, 2}, "shop"));
  CHECK(checkpoint.tree.size == 600);
  CHECK(answer->size == 600);
  CHECK(answer->root == as_bytes(checkpoint.tree.root));

  using Kind = wire::GetProof::Kind;
  const TreeHash leaf = leaf_at(server.engine(), server.shop(), 333);
  const HashList path = hashes_of(client->proof({Kind::kInclusion, 600, 333, {}}));
  CHECK(verify_inclusion(checkpoint.tree, 333, leaf, path));
  CHECK_FALSE(verify_inclusion(checkpoint.tree, 334, leaf, path));
  const HashList around = hashes_of(client->proof({Kind::kRanges, 600, 0, {{0, 333}, {334, 600}}}));
  CHECK(verify_leaves(checkpoint.tree, {333}, {leaf}, around));

  REQUIRE(append(server.engine(), server.shop(), {{"item-3"}}));
  const auto later = client->checkpoint({601, true, 60'000});
  REQUIRE(later);
  CHECK(later->note.empty());
  TreeHead head{later->size, {}};
  REQUIRE(later->root.size() == head.root.size());
  std::memcpy(head.root.data(), later->root.data(), head.root.size());
  CHECK(verify_consistency(checkpoint.tree, head, hashes_of(client->proof({Kind::kConsistency, 601, 600, {}}))));

  CHECK(client->proof({Kind::kInclusion, 601, 601, {}}).error().code() == ErrorCode::kOffsetOutOfRange);
  CHECK(client->proof({Kind::kInclusion, 9'999, 0, {}}).error().code() == ErrorCode::kOffsetOutOfRange);
  CHECK(client->proof({Kind::kRanges, 601, 0, {{5, 4}}}).error().code() == ErrorCode::kOffsetOutOfRange);
  CHECK(client->checkpoint({602, false, 60'000}).error().code() == ErrorCode::kOffsetOutOfRange);
}

TEST_CASE("proofs over TCP: who may ask, and what a server without key or trees says", "[e2e][proofs]") {
  SECTION("roles") {
    TestServer server(options_with(KeyFile{SigningKey::generate("log").value(), {}}));
    REQUIRE(append(server.engine(), server.shop(), {{"item-1"}}));
    for (const Role role : {Role::kAdmin, Role::kReader, Role::kAuditor, Role::kWriter}) {
      const std::string token = server.token("shop", role);
      server.stop();
      server.start();
      const auto client = server.client("shop", token);
      const auto answer = client->checkpoint({1, false, 60'000});
      CHECK(answer.has_value() == (role != Role::kWriter));
      if (!answer) CHECK(answer.error().code() == ErrorCode::kForbidden);
    }
  }
  SECTION("no key") {
    TestServer server(options_with(std::nullopt));
    REQUIRE(append(server.engine(), server.shop(), {{"item-1"}}));
    const auto client = server.client();
    CHECK(client->checkpoint({1, false, 60'000}).error().code() == ErrorCode::kNoCheckpointKey);
    CHECK(client->checkpoint({1, true, 60'000}));
  }
  SECTION("no trees") {
    TestServer server;
    const auto client = server.client();
    CHECK(client->checkpoint({0, true, 0}).error().code() == ErrorCode::kUnknownRequest);
  }
}

}  // namespace
}  // namespace bahi::test
