#include "bahi/proofs/trees.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bahi/proofs/checkpoint_directory.hpp"

namespace bahi::proofs {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

/// A tenant's turn; also what is compared with the log at once.
constexpr std::uint64_t kTurnEvents = 65'536;
/// So many leaves from a file are compared with the log before anything is answered.
constexpr std::uint64_t kRecheckAtOpenMax = std::uint64_t{1} << 20U;
/// What is written in between is taken in together.
constexpr std::chrono::milliseconds kGather{10};
constexpr std::chrono::seconds kSaveInterval{30};
constexpr std::chrono::seconds kPauseAfterError{10};
/// Appends come first: against a busy thread this one gets a tenth of a processor.
constexpr int kNice = 10;

}  // namespace

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
    bool opened = false;                // of the tree's thread
    std::uint64_t rechecked = 0;        // of the tree's thread
    std::uint64_t notify_handle = 0;    // of the tree's thread
    SteadyTime pause_until{};           // of the tree's thread: after an error
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
  for (const TenantInfo& info : all_tenants()) {
    const PlantPtr plant = add(info);
    BAHI_TRY(plant->tree.open());
    plant->opened = true;
    if (plant->tree.taken_from_file() <= kRecheckAtOpenMax) BAHI_TRY(recheck_all(*plant));
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
  const std::string hint = fmt::format("what was signed stands in {}; restore a backup, or if the loss was accepted, put "
                                       "that directory aside",
                                       (kept_.path() / plant.origin).string());
  const TreeHead& last = kept.front().checkpoint.tree;
  const std::uint64_t end = engine_.durable_offset(plant.tree.tenant()).value;
  if (end < last.size) {
    return Error{ErrorCode::kHistoryChanged, fmt::format("{}: the log ends at offset {}, but a checkpoint of {} events was signed; {}",
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
               fmt::format("{}: the log is not the one that was signed: its events at offsets {} to {} differ; {}", plant.origin,
                           same.value_or(0), last.size - 1, hint)};
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

// --- the thread

void Trees::Impl::run() {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice);
  SteadyTime next_signing = std::chrono::steady_clock::now();
  SteadyTime next_saving = next_signing + kSaveInterval;
  for (;;) {
    const bool more = grow_all() || recheck_some();
    const SteadyTime now = std::chrono::steady_clock::now();
    if (options_.key && now >= next_signing) {
      sign_all();
      next_signing = now + options_.checkpoint_interval;
    }
    if (now >= next_saving) {
      save_all();
      next_saving = now + kSaveInterval;
    }
    std::unique_lock lock(mutex_);
    if (!more) {
      changed_.wait_until(lock, std::min(options_.key ? next_signing : next_saving, next_saving),
                          [this] { return news_ || stopping_; });
      if (news_) changed_.wait_for(lock, kGather, [this] { return stopping_; });
    }
    if (stopping_) return;
    news_ = false;
  }
}

/// One turn for each tenant. True: there is more to do.
bool Trees::Impl::grow_all() {
  for (const TenantInfo& info : all_tenants()) {
    const std::scoped_lock lock(mutex_);
    if (!plants_.contains(info.id)) plants_.emplace(info.id, std::make_shared<Plant>(engine_, info, options_));
  }
  bool more = false;
  for (const PlantPtr& plant : plants()) more = grow(*plant) || more;
  changed_.notify_all();  // those who wait for a size
  return more;
}

bool Trees::Impl::grow(Plant& plant) {
  if (std::chrono::steady_clock::now() < plant.pause_until) return false;
  const Status ready = plant.opened ? Status{} : begin(plant);
  const Result<bool> more = ready ? plant.tree.extend(kTurnEvents) : Result<bool>(ready.error());
  if (!more) {
    complain(plant, more.error());
    plant.pause_until = std::chrono::steady_clock::now() + kPauseAfterError;
    return false;
  }
  if (!*more) watch(plant);
  return *more;
}

/// Of a tenant that was created meanwhile. One of its name may have been there before the store was restored.
Status Trees::Impl::begin(Plant& plant) {
  BAHI_TRY(plant.tree.open());
  plant.opened = true;
  const std::scoped_lock lock(plant.sign_mutex);
  const Status extends = check_kept(plant);
  if (!extends) plant.refused = extends.error();
  return extends;
}

void Trees::Impl::watch(Plant& plant) {
  if (plant.notify_handle != 0) engine_.cancel_notify(plant.notify_handle);
  plant.notify_handle = engine_.notify_after(plant.tree.tenant(), {plant.tree.size()}, [this] { wake(); });
}

void Trees::Impl::wake() {
  {
    const std::scoped_lock lock(mutex_);
    if (news_) return;
    news_ = true;
  }
  changed_.notify_all();
}

/// Compares what came from files with the log, while there is nothing else to do. True: there is more of it.
bool Trees::Impl::recheck_some() {
  for (const PlantPtr& plant : plants()) {
    if (plant->rechecked >= plant->tree.taken_from_file() || !plant->tree.sound()) continue;
    const auto next = plant->tree.recheck(plant->rechecked, kTurnEvents);
    if (next) {
      plant->rechecked = *next;
    } else {
      complain(*plant, next.error());
      plant->rechecked = plant->tree.taken_from_file();
    }
    return true;
  }
  return false;
}

void Trees::Impl::sign_all() {
  for (const PlantPtr& plant : plants()) {
    const std::uint64_t size = plant->tree.size();
    if (size == 0 || !plant->tree.sound()) continue;
    const auto done = sign(*plant, size);
    if (!done) complain(*plant, done.error());
  }
}

void Trees::Impl::save_all() {
  for (const PlantPtr& plant : plants()) {
    if (const Status saved = plant->tree.sound() ? plant->tree.save() : Status{}; !saved) complain(*plant, saved.error());
  }
}

void Trees::Impl::complain(Plant& plant, const Error& error) {
  if (options_.log) options_.log(LogLevel::kError, fmt::format("Merkle tree of {}: {}", plant.origin, error.to_string()));
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
Result<Trees::Impl::PlantPtr> Trees::Impl::grown(TenantId tenant, std::uint64_t size, std::chrono::milliseconds timeout) {
  BAHI_ASSIGN(PlantPtr plant, plant_of(tenant));
  const std::uint64_t end = engine_.durable_offset(tenant).value;
  if (size > end) {
    return Error{ErrorCode::kOffsetOutOfRange, fmt::format("size: {} lies beyond the end of the log at {}", size, end)};
  }
  std::unique_lock lock(mutex_);
  const bool there = changed_.wait_for(lock, timeout, [&] { return plant->tree.size() >= size || stopping_; });
  if (stopping_) return Error{ErrorCode::kShuttingDown, "the server is stopping"};
  if (there) return plant;
  return Error{ErrorCode::kDeadlineExceeded, fmt::format("the Merkle tree has come to {} of {} events", plant->tree.size(), size)};
}

Result<SignedCheckpoint> Trees::Impl::checkpoint(TenantId tenant, std::uint64_t size, std::chrono::milliseconds timeout) {
  if (!options_.key) {
    return Error{ErrorCode::kNoCheckpointKey, "the server has no key to sign checkpoints with; start it with --checkpoint-key"};
  }
  BAHI_ASSIGN(const PlantPtr plant, grown(tenant, size, timeout));
  return sign(*plant, size);
}

Result<Checkpoint> Trees::Impl::unsigned_checkpoint(TenantId tenant, std::uint64_t size, std::chrono::milliseconds timeout) {
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
      return Error{ErrorCode::kHistoryChanged, fmt::format("the tree does not extend the checkpoint of {} events signed last", last.size)};
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
