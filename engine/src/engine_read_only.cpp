// Read-only engines: opening beside a writer, and following it.

#include <cstdlib>
#include <thread>

#include <fmt/format.h>

#include "engine_impl.hpp"

namespace bahi {
namespace {

constexpr int kReadOnlyTries = 5;
constexpr std::chrono::milliseconds kReadOnlyPause{50};

}  // namespace

Status Engine::Impl::open_read_only() {
  std::string pattern = (std::filesystem::temp_directory_path() / "bahi-reader-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) return from_errno("creating", pattern);
  scratch_ = pattern;
  // A writer may be opening, flushing or closing the store at this moment: look again before reporting damage.
  for (int attempt = 1;; ++attempt) {
    const Status opened = try_open_read_only();
    if (opened || attempt == kReadOnlyTries) return opened;
    reader_.reset();
    index_.reset();
    store_.reset();
    states_.clear();
    std::this_thread::sleep_for(kReadOnlyPause * attempt);
  }
}

Status Engine::Impl::try_open_read_only() {
  BAHI_ASSIGN(const HeadAnchor::Contents anchor, HeadAnchor::read(paths_.anchor()));
  if (anchor.record.state == StoreRecord::State::kOpen || anchor.record.state == StoreRecord::State::kClosed) {
    BAHI_TRY(check_manifest(paths_.log(), anchor.record.log_manifest));
  }
  BAHI_TRY(open_log(RocksDbLogStore::Mode::kSecondary));
  BAHI_TRY(check_marks(*store_, anchor.tenants));
  ensure_states(static_cast<std::uint32_t>(anchor.tenants.size()));
  for (const TenantMark& mark : anchor.tenants) state(mark.tenant).durable.store(mark.next_offset.value);
  if (!options_.without_index) {
    TermIndex::OpenArguments arguments;
    arguments.read_only = true;
    arguments.cache = block_cache_;
    const bool trusted = static_cast<bool>(check_manifest(paths_.index(), anchor.record.index_manifest));
    if (trusted && std::filesystem::exists(paths_.index() / "CURRENT")) arguments.directory = paths_.index();
    BAHI_ASSIGN(index_, TermIndex::open(arguments, options_));
  }
  reader_ = std::make_unique<LogReader>(*store_, index_.get(), options_.batch_cache_bytes);
  if (index_) BAHI_TRY(recover_index(true));
  return load_tenant_names();
}

Result<bool> Engine::Impl::refresh() {
  if (!options_.read_only) return Error{ErrorCode::kInvalidArgument, "refresh: only a read-only engine follows a writer"};
  BAHI_ASSIGN(const HeadAnchor::Contents anchor, HeadAnchor::read(paths_.anchor()));
  const auto any_new = [&] {
    for (const TenantMark& mark : anchor.tenants) {
      const std::uint64_t known = mark.tenant.value < states_.size() ? state(mark.tenant).durable.load() : 0;
      if (mark.next_offset.value > known) return true;
    }
    return false;
  }();
  if (!any_new) return false;
  // While the writer flushes or changes its write-ahead log, a catch-up may come up short: look again.
  for (int attempt = 1;; ++attempt) {
    const auto caught_up = [&]() -> Status {
      BAHI_TRY(rocksdb_store_->catch_up());
      return check_marks(*store_, anchor.tenants);
    }();
    if (caught_up) break;
    if (attempt == kReadOnlyTries) return caught_up.error();
    std::this_thread::sleep_for(kReadOnlyPause * attempt);
  }
  ensure_states(static_cast<std::uint32_t>(anchor.tenants.size()));
  std::uint64_t done = 0;
  for (const TenantMark& mark : anchor.tenants) {
    TenantState& tenant = state(mark.tenant);
    if (index_ && tenant.indexed.load() < mark.next_offset.value) {
      BAHI_TRY(replay_into_index(tenant, {tenant.indexed.load()}, mark.next_offset, done, 0));
      tenant.indexed.store(mark.next_offset.value);
    }
    tenant.durable.store(mark.next_offset.value);
  }
  BAHI_TRY(load_tenant_names());
  return true;
}

}  // namespace bahi
