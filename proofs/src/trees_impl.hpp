// How the trees of all tenants are kept: trees.cpp begins, ends and answers, tree_thread.cpp is the thread.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "bahi/proofs/checkpoint_directory.hpp"
#include "bahi/proofs/trees.hpp"

namespace bahi::proofs {

using SteadyTime = std::chrono::steady_clock::time_point;

/// A tenant's turn.
inline constexpr std::uint64_t kTurnEvents = 65'536;

class Trees::Impl {
 public:
  Impl(Engine& engine, TreesOptions options)
      : engine_(engine),
        options_(std::move(options)),
        hand_overs_(options_.key ? options_.key->hand_overs : std::vector<std::string>()),
        kept_(options_.witness.empty() ? options_.directory / "checkpoints" : options_.witness) {}
  ~Impl() { close(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Status open();
  void close();
  Result<SignedCheckpoint> checkpoint(TenantId tenant, std::uint64_t size, std::chrono::milliseconds timeout);
  Result<Checkpoint> unsigned_checkpoint(TenantId tenant, std::uint64_t size, std::chrono::milliseconds timeout);
  Result<const TenantTree*> tree(TenantId tenant);

  const std::vector<std::string>& hand_overs() const noexcept { return hand_overs_; }

 private:
  struct Plant {
    Plant(const Engine& engine, const TenantInfo& info, const TreesOptions& options)
        : origin(origin_of(options.store_id, info.name)),
          tree(engine, info.id, TreeFiles{options.directory, options.store_id}, options.log) {}

    const std::string origin;
    TenantTree tree;
    bool opened = false;              // of the tree's thread
    std::uint64_t rechecked = 0;      // of the tree's thread
    std::uint64_t notify_handle = 0;  // of the tree's thread
    std::string complaint;            // of the tree's thread: the last one
    SteadyTime complain_again{};      // of the tree's thread
    SteadyTime pause_until{};         // of the tree's thread: after an error
    std::mutex sign_mutex;
    std::optional<SignedCheckpoint> signed_last;  // protected by sign_mutex
    std::optional<Error> refused;                 // why nothing is signed; protected by sign_mutex
  };
  using PlantPtr = std::shared_ptr<Plant>;

  [[nodiscard]] std::vector<TenantInfo> all_tenants() const;
  [[nodiscard]] PlantPtr add(const TenantInfo& info);
  Status check_kept(Plant& plant);
  Status recheck_all(Plant& plant);
  [[nodiscard]] Result<PlantPtr> plant_of(TenantId tenant);
  [[nodiscard]] std::vector<PlantPtr> plants() const;
  Result<PlantPtr> grown(TenantId tenant, std::uint64_t size, std::chrono::milliseconds timeout);
  Result<SignedCheckpoint> sign(Plant& plant, std::uint64_t size);

  void run();
  bool grow_all();
  bool grow(Plant& plant);
  Status begin(Plant& plant);
  bool recheck_some();
  void sign_all();
  void save_all();
  void watch(Plant& plant);
  void wake();
  void complain(Plant& plant, const Error& error);

  Engine& engine_;
  const TreesOptions options_;
  const std::vector<std::string> hand_overs_;
  const CheckpointDirectory kept_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<TenantId, PlantPtr> plants_;  // protected by mutex_; entries stay
  bool news_ = true;                     // protected by mutex_
  bool stopping_ = false;                // protected by mutex_
  std::thread thread_;
};

}  // namespace bahi::proofs
