#include "audit_source.hpp"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "bahi/engine/store_id.hpp"
#include "bahi/proofs/checkpoint_directory.hpp"
#include "bahi/proofs/tenant_tree.hpp"
#include "key_file.hpp"

namespace bahi::cli {
namespace {

constexpr std::uint32_t kTimeoutMs = 10'000;

Result<proofs::HashList> hashes_of(const wire::Proof& proof) {
  constexpr std::size_t kBytes = sizeof(proofs::TreeHash);
  if (proof.hashes.size() % kBytes != 0)
    return Error{ErrorCode::kMalformedFrame, "the server's proof is no list of hashes"};
  proofs::HashList hashes(proof.hashes.size() / kBytes);
  if (!hashes.empty()) std::memcpy(hashes.data(), proof.hashes.data(), proof.hashes.size());
  return hashes;
}

class RemoteSource final : public AuditSource {
 public:
  RemoteSource(std::unique_ptr<TenantLog> log, std::unique_ptr<client::Client> client)
      : log_(std::move(log)), client_(std::move(client)) {}

  Result<std::unique_ptr<EventCursor>> read(ReadRequest request) override { return log_->read(std::move(request)); }

  Result<AuditCheckpoint> checkpoint(std::uint64_t size) override {
    BAHI_ASSIGN(wire::Checkpoint answer, client_->checkpoint({size, false, kTimeoutMs}));
    AuditCheckpoint made;
    BAHI_ASSIGN(made.checkpoint, proofs::read_checkpoint(answer.note));
    made.note = std::move(answer.note);
    made.hand_overs = std::move(answer.hand_overs);
    return made;
  }

  Result<proofs::HashList> ranges(const std::vector<proofs::LeafRange>& ranges, std::uint64_t size) override {
    proofs::HashList all;
    for (std::size_t first = 0; first < ranges.size(); first += wire::GetProof::kRangesMax) {
      wire::GetProof request{wire::GetProof::Kind::kRanges, size, 0, {}};
      for (std::size_t i = first; i < std::min(first + wire::GetProof::kRangesMax, ranges.size()); ++i) {
        request.ranges.emplace_back(ranges[i].begin, ranges[i].end);
      }
      BAHI_ASSIGN(const wire::Proof proof, client_->proof(request));
      BAHI_ASSIGN(const proofs::HashList part, hashes_of(proof));
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }

  Result<proofs::HashList> consistency(std::uint64_t old_size, std::uint64_t size) override {
    BAHI_ASSIGN(const wire::Proof proof, client_->proof({wire::GetProof::Kind::kConsistency, size, old_size, {}}));
    return hashes_of(proof);
  }

 private:
  std::unique_ptr<TenantLog> log_;
  std::unique_ptr<client::Client> client_;
};

class LocalSource final : public AuditSource {
 public:
  LocalSource(std::unique_ptr<Engine> engine, TenantId tenant, const proofs::TreeFiles& files, std::string origin,
              std::optional<proofs::KeyFile> key)
      : engine_(std::move(engine)),
        tenant_(tenant),
        origin_(std::move(origin)),
        key_(std::move(key)),
        kept_(files.directory / "checkpoints"),
        tree_(*engine_, tenant, files) {}

  Status open() { return tree_.open(); }

  Result<std::unique_ptr<EventCursor>> read(ReadRequest request) override {
    request.tenant = tenant_;
    return engine_->read(std::move(request));
  }

  Result<AuditCheckpoint> checkpoint(std::uint64_t size) override {
    BAHI_TRY(tree_.extend_to(engine_->durable_offset(tenant_).value));
    BAHI_ASSIGN(const auto kept, kept_.of_log(origin_));
    if (!kept.empty()) BAHI_TRY(check_kept(kept.front().checkpoint.tree));
    if (!key_) {
      if (!kept.empty() && kept.front().checkpoint.tree.size >= size) {
        return AuditCheckpoint{kept.front().checkpoint, kept.front().note, {}};
      }
      return Error{ErrorCode::kNoCheckpointKey,
                   fmt::format("no checkpoint of {} events has been signed; give the key with --checkpoint-key", size)};
    }
    AuditCheckpoint made;
    made.checkpoint.origin = origin_;
    BAHI_ASSIGN(made.checkpoint.tree, tree_.head(tree_.size()));
    BAHI_ASSIGN(made.note, proofs::sign_checkpoint(made.checkpoint, key_->key));
    made.hand_overs = key_->hand_overs;
    return made;
  }

  Result<proofs::HashList> ranges(const std::vector<proofs::LeafRange>& ranges, std::uint64_t size) override {
    return tree_.ranges(ranges, size);
  }

  Result<proofs::HashList> consistency(std::uint64_t old_size, std::uint64_t size) override {
    return tree_.consistency(old_size, size);
  }

 private:
  /// Nothing is signed that contradicts what was signed before.
  Status check_kept(const proofs::TreeHead& last) {
    auto head = tree_.head(last.size);
    if (head && *head == last) return {};
    return Error{ErrorCode::kHistoryChanged,
                 fmt::format("{}: the log does not extend the checkpoint of {} events that was signed last", origin_,
                             last.size)};
  }

  std::unique_ptr<Engine> engine_;
  TenantId tenant_;
  std::string origin_;
  std::optional<proofs::KeyFile> key_;
  proofs::CheckpointDirectory kept_;
  proofs::TenantTree tree_;
};

}  // namespace

Result<std::unique_ptr<AuditSource>> open_audit_source(const Context& context, const std::string& tenant,
                                                       const std::string& key_file) {
  if (context.remote()) {
    if (!key_file.empty()) {
      return Error{ErrorCode::kInvalidArgument, "--checkpoint-key: the server signs; it is for --data only"};
    }
    BAHI_ASSIGN(client::ClientOptions options, client_options(context, tenant));
    BAHI_ASSIGN(auto log, remote_log(std::move(options)));
    BAHI_ASSIGN(auto client, connect(context, tenant));
    return std::unique_ptr<AuditSource>(std::make_unique<RemoteSource>(std::move(log), std::move(client)));
  }
  std::optional<proofs::KeyFile> key;
  if (!key_file.empty()) {
    BAHI_ASSIGN(key, read_key_file(key_file));
  }
  EngineOptions options;
  options.read_only = true;
  BAHI_ASSIGN(auto engine, open_engine(context, std::move(options)));
  BAHI_ASSIGN(const TenantId id, engine->find_tenant(tenant));
  BAHI_ASSIGN(const Uuid store_id, read_store_id(context.directory));
  const proofs::TreeFiles files{std::filesystem::path(context.directory) / "tree", store_id, true};
  auto source =
      std::make_unique<LocalSource>(std::move(engine), id, files, proofs::origin_of(store_id, tenant), std::move(key));
  BAHI_TRY(source->open());
  return std::unique_ptr<AuditSource>(std::move(source));
}

}  // namespace bahi::cli
