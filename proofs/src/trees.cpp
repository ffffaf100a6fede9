#include <fmt/format.h>
#include <pthread.h>

#include "trees_impl.hpp"

namespace bahi::proofs {
namespace {

/// So many leaves from a file are compared with the log before anything is answered.
constexpr std::uint64_t kRecheckAtOpenMax = std::uint64_t{1} << 20U;

}  // namespace

// --- beginning and end

std::vector<TenantInfo> Trees::Impl::all_tenants() const {
  std::vector<TenantInfo> all = engine_.tenants();
  all.push_back({kSystemTenant, "system", engine_.durable_offset(kSystemTenant)});
  return all;
}

Trees::Impl::PlantPtr Trees::Impl::add(const TenantInfo& info) {
  auto plant = std::make_shared<Plant>(engine_, info, options_);
  const std::scoped_lock lock(mutex_);
  return plants_.emplace(info.id, std::move(plant)).first->second;
}

Status Trees::Impl::open() {
  std::uint64_t recheck_left = kRecheckAtOpenMax;
  for (const TenantInfo& info : all_tenants()) {
    const PlantPtr plant = add(info);
    BAHI_TRY(plant->tree.open());
    plant->opened = true;
    BAHI_ASSIGN(const auto kept, kept_.of_log(plant->origin));
    if (kept.empty()) continue;
    if (plant->tree.taken_from_file() <= recheck_left) {
      recheck_left -= plant->tree.taken_from_file();
      BAHI_TRY(recheck_all(*plant));
    }
    BAHI_TRY(check_kept(*plant));
  }
  thread_ = std::thread([this] { run(); });
  ::pthread_setname_np(thread_.native_handle(), "bahi-tree");
  return {};
}

/// The tree's file may be wrong by accident: then the log decides, whatever was signed.
Status Trees::Impl::recheck_all(Plant& plant) {
  const std::uint64_t end = plant.tree.taken_from_file();
  while (plant.rechecked < end) {
    const auto next = plant.tree.recheck(plant.rechecked, kTurnEvents);
    if (next) {
      plant.rechecked = *next;
      continue;
    }
    if (next.error().code() != ErrorCode::kHistoryChanged) return next.error();
    complain(plant, next.error());
    return plant.tree.start_anew();
  }
  return {};
}

Status Trees::Impl::check_kept(Plant& plant) {
  BAHI_ASSIGN(const auto kept, kept_.of_log(plant.origin));
  if (kept.empty()) return {};
  const std::string hint = fmt::format(
      "what was signed stands in {}; restore a backup, or if the loss was accepted, put "
      "that directory aside",
      (kept_.path() / plant.origin).string());
  const TreeHead& last = kept.front().checkpoint.tree;
  const std::uint64_t end = engine_.durable_offset(plant.tree.tenant()).value;
  if (end < last.size) {
    return Error{ErrorCode::kHistoryChanged,
                 fmt::format("{}: the log ends at offset {}, but a checkpoint of {} events was signed; {}",
                             plant.origin, end, last.size, hint)};
  }
  BAHI_TRY(plant.tree.extend_to(last.size));
  std::optional<std::uint64_t> same;
  for (const CheckpointDirectory::Kept& one : kept) {
    BAHI_ASSIGN(const TreeHead head, plant.tree.head(one.checkpoint.tree.size));
    if (head != one.checkpoint.tree) continue;
    same = head.size;
    break;
  }
  if (same == last.size) {
    plant.signed_last = SignedCheckpoint{kept.front().checkpoint, kept.front().note};
    return {};
  }
  return Error{ErrorCode::kHistoryChanged,
               fmt::format("{}: the log is not the one that was signed: something at offsets {} to {} differs; {}",
                           plant.origin, same.value_or(0), last.size - 1, hint)};
}

void Trees::Impl::close() {
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  for (const PlantPtr& plant : plants()) {
    if (plant->notify_handle != 0) engine_.cancel_notify(plant->notify_handle);
  }
  save_all();
}

// --- asking

std::vector<Trees::Impl::PlantPtr> Trees::Impl::plants() const {
  const std::scoped_lock lock(mutex_);
  std::vector<PlantPtr> all;
  for (const auto& [id, plant] : plants_) all.push_back(plant);
  return all;
}

Result<Trees::Impl::PlantPtr> Trees::Impl::plant_of(TenantId tenant) {
  {
    const std::scoped_lock lock(mutex_);
    const auto found = plants_.find(tenant);
    if (found != plants_.end()) return found->second;
  }
  for (const TenantInfo& info : all_tenants()) {
    if (info.id == tenant) return add(info);
  }
  return Error{ErrorCode::kUnknownTenant, fmt::format("tenant {}: there is no tenant of this number", tenant.value)};
}

Result<const TenantTree*> Trees::Impl::tree(TenantId tenant) {
  BAHI_ASSIGN(const PlantPtr plant, plant_of(tenant));
  return &plant->tree;
}

/// The tenant's tree, once it covers `size` events.
Result<Trees::Impl::PlantPtr> Trees::Impl::grown(TenantId tenant, std::uint64_t size,
                                                 std::chrono::milliseconds timeout) {
  BAHI_ASSIGN(PlantPtr plant, plant_of(tenant));
  const std::uint64_t end = engine_.durable_offset(tenant).value;
  if (size > end) {
    return Error{ErrorCode::kOffsetOutOfRange, fmt::format("size: {} lies beyond the end of the log at {}", size, end)};
  }
  std::unique_lock lock(mutex_);
  const bool there = changed_.wait_for(lock, timeout, [&] { return plant->tree.size() >= size || stopping_; });
  if (stopping_) return Error{ErrorCode::kShuttingDown, "the server is stopping"};
  if (there) return plant;
  return Error{ErrorCode::kDeadlineExceeded,
               fmt::format("the Merkle tree has come to {} of {} events", plant->tree.size(), size)};
}

Result<SignedCheckpoint> Trees::Impl::checkpoint(TenantId tenant, std::uint64_t size,
                                                 std::chrono::milliseconds timeout) {
  if (!options_.key) {
    return Error{ErrorCode::kNoCheckpointKey,
                 "the server has no key to sign checkpoints with; start it with --checkpoint-key"};
  }
  BAHI_ASSIGN(const PlantPtr plant, grown(tenant, size, timeout));
  return sign(*plant, size);
}

Result<Checkpoint> Trees::Impl::unsigned_checkpoint(TenantId tenant, std::uint64_t size,
                                                    std::chrono::milliseconds timeout) {
  BAHI_ASSIGN(const PlantPtr plant, grown(tenant, size, timeout));
  BAHI_ASSIGN(const TreeHead head, plant->tree.head(plant->tree.size()));
  return Checkpoint{plant->origin, head};
}

/// One that covers `size` events: that signed last, if it does, or else a new one.
Result<SignedCheckpoint> Trees::Impl::sign(Plant& plant, std::uint64_t size) {
  const std::scoped_lock lock(plant.sign_mutex);
  BAHI_TRY(plant.tree.sound());
  if (plant.refused) return *plant.refused;
  if (plant.signed_last && plant.signed_last->checkpoint.tree.size >= size) return *plant.signed_last;
  SignedCheckpoint made;
  made.checkpoint.origin = plant.origin;
  BAHI_ASSIGN(made.checkpoint.tree, plant.tree.head(plant.tree.size()));
  if (plant.signed_last) {
    // Never two histories under one key, whatever has happened to memory or files meanwhile.
    const TreeHead& last = plant.signed_last->checkpoint.tree;
    BAHI_ASSIGN(const HashList proof, plant.tree.consistency(last.size, made.checkpoint.tree.size));
    if (!verify_consistency(last, made.checkpoint.tree, proof)) {
      return Error{ErrorCode::kHistoryChanged,
                   fmt::format("the tree does not extend the checkpoint of {} events signed last", last.size)};
    }
  }
  BAHI_ASSIGN(made.note, sign_checkpoint(made.checkpoint, options_.key->key));
  BAHI_TRY(kept_.keep(made.checkpoint, made.note));
  plant.signed_last = made;
  return made;
}

Trees::Trees(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Trees::~Trees() = default;
Result<std::unique_ptr<Trees>> Trees::open(Engine& engine, TreesOptions options) {
  auto impl = std::make_unique<Impl>(engine, std::move(options));
  BAHI_TRY(impl->open());
  return std::unique_ptr<Trees>(new Trees(std::move(impl)));
}
void Trees::close() {
  impl_->close();
}
Result<SignedCheckpoint> Trees::checkpoint(TenantId tenant, std::uint64_t size, std::chrono::milliseconds timeout) {
  return impl_->checkpoint(tenant, size, timeout);
}
Result<Checkpoint> Trees::unsigned_checkpoint(TenantId tenant, std::uint64_t size, std::chrono::milliseconds timeout) {
  return impl_->unsigned_checkpoint(tenant, size, timeout);
}
const std::vector<std::string>& Trees::hand_overs() const noexcept {
  return impl_->hand_overs();
}
Result<const TenantTree*> Trees::tree(TenantId tenant) {
  return impl_->tree(tenant);
}

}  // namespace bahi::proofs
