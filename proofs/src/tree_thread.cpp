#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include "trees_impl.hpp"

namespace bahi::proofs {
namespace {

/// What is written in between is taken in together.
constexpr std::chrono::milliseconds kGather{10};
constexpr std::chrono::seconds kSaveInterval{30};
constexpr std::chrono::seconds kPauseAfterError{10};
constexpr std::chrono::seconds kComplaintInterval{60};
/// Appends come first: against a busy thread this one gets a tenth of a processor.
constexpr int kNice = 10;

}  // namespace

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
  {
    const std::scoped_lock lock(mutex_);  // nobody is between looking at a size and waiting
  }
  changed_.notify_all();
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
    if (const Status saved = plant->tree.sound() ? plant->tree.save() : Status{}; !saved)
      complain(*plant, saved.error());
  }
}

void Trees::Impl::complain(Plant& plant, const Error& error) {
  const SteadyTime now = std::chrono::steady_clock::now();
  if (error.message() == plant.complaint && now < plant.complain_again) return;
  plant.complaint = error.message();
  plant.complain_again = now + kComplaintInterval;
  if (options_.log)
    options_.log(LogLevel::kError, fmt::format("Merkle tree of {}: {}", plant.origin, error.to_string()));
}

}  // namespace bahi::proofs
