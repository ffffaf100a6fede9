// Gives out checkpoints and proofs, on threads of its own: a signed checkpoint waits for the disk.
#pragma once

#include <functional>

#include <boost/asio/thread_pool.hpp>

#include "bahi/proofs/trees.hpp"
#include "bahi/schemas/wire.hpp"
#include "bahi/server/access.hpp"

namespace bahi::server {

/// Thread-safe. What it is given must outlive it.
class ProofDesk {
 public:
  using Done = std::function<void(wire::Message)>;

  /// `trees`: null when the server keeps none.
  ProofDesk(proofs::Trees* trees, std::size_t threads) : trees_(trees), threads_(threads) {}
  ~ProofDesk() { stop(); }
  ProofDesk(const ProofDesk&) = delete;
  ProofDesk& operator=(const ProofDesk&) = delete;

  /// `done` is called once, on any thread, with a Checkpoint, a Proof or a Failure.
  void ask(const Credential& credential, wire::GetCheckpoint request, Done done);
  void ask(const Credential& credential, wire::GetProof request, Done done);
  /// Answers what is under way; those who wait for a tree are answered when the trees close.
  void stop();

 private:
  [[nodiscard]] Result<wire::Message> answer(TenantId tenant, const wire::GetCheckpoint& request) const;
  [[nodiscard]] Result<wire::Message> answer(TenantId tenant, const wire::GetProof& request) const;
  template <class Request>
  void post(TenantId tenant, Request request, Done done);

  proofs::Trees* const trees_;
  boost::asio::thread_pool threads_;
};

}  // namespace bahi::server
