#include "proof_desk.hpp"

#include <algorithm>

#include <boost/asio/post.hpp>

namespace bahi::server {
namespace {

/// A thread is held so long at most.
constexpr std::chrono::milliseconds kTimeoutMax{10'000};

wire::Checkpoint message_of(const proofs::Checkpoint& checkpoint) {
  wire::Checkpoint message;
  message.origin = checkpoint.origin;
  message.size = checkpoint.tree.size;
  message.root = proofs::as_bytes(checkpoint.tree.root);
  return message;
}

}  // namespace

template <class Request>
void ProofDesk::post(TenantId tenant, Request request, Done done) {
  if (trees_ == nullptr) {
    return done(wire::Failure{{ErrorCode::kUnknownRequest, "this server keeps no Merkle trees"}});
  }
  boost::asio::post(threads_, [this, tenant, request = std::move(request), done = std::move(done)] {
    Result<wire::Message> message = answer(tenant, request);
    done(message ? std::move(*message) : wire::Message(wire::Failure{message.error()}));
  });
}

void ProofDesk::ask(const Credential& credential, wire::GetCheckpoint request, Done done) {
  post(credential.tenant, request, std::move(done));
}

void ProofDesk::ask(const Credential& credential, wire::GetProof request, Done done) {
  post(credential.tenant, std::move(request), std::move(done));
}

Result<wire::Message> ProofDesk::answer(TenantId tenant, const wire::GetCheckpoint& request) const {
  const auto timeout = std::min(std::chrono::milliseconds(request.timeout_ms), kTimeoutMax);
  if (request.without_signature) {
    BAHI_ASSIGN(const proofs::Checkpoint checkpoint, trees_->unsigned_checkpoint(tenant, request.min_size, timeout));
    return wire::Message(message_of(checkpoint));
  }
  BAHI_ASSIGN(proofs::SignedCheckpoint made, trees_->checkpoint(tenant, request.min_size, timeout));
  wire::Checkpoint message = message_of(made.checkpoint);
  message.hand_overs = trees_->hand_overs();
  message.note = std::move(made.note);
  return wire::Message(std::move(message));
}

Result<wire::Message> ProofDesk::answer(TenantId tenant, const wire::GetProof& request) const {
  BAHI_ASSIGN(const proofs::TenantTree* tree, trees_->tree(tenant));
  Result<proofs::HashList> hashes = proofs::HashList();
  switch (request.kind) {
    case wire::GetProof::Kind::kInclusion: hashes = tree->inclusion(request.from, request.size); break;
    case wire::GetProof::Kind::kConsistency: hashes = tree->consistency(request.from, request.size); break;
    case wire::GetProof::Kind::kRanges: {
      std::vector<proofs::LeafRange> ranges;
      for (const auto& [begin, end] : request.ranges) ranges.push_back({begin, end});
      hashes = tree->ranges(ranges, request.size);
    }
  }
  if (!hashes) return hashes.error();
  wire::Proof proof;
  for (const proofs::TreeHash& hash : *hashes) proof.hashes += proofs::as_bytes(hash);
  return wire::Message(std::move(proof));
}

void ProofDesk::stop() {
  threads_.join();
}

}  // namespace bahi::server
