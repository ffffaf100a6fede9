// The auditor's walk: every byte of the log, and the index against it.

#include <unordered_map>

#include <fmt/format.h>

#include "bahi/schemas/hash.hpp"
#include "engine_impl.hpp"
#include "keys.hpp"

namespace bahi {
namespace {

/// Sum of the hashes of all entries: independent of order and of how entries are spread over files.
struct Fingerprint {
  Hash128 sum;
  std::uint64_t count = 0;
  void add(std::string_view key, std::string_view value) {
    const Hash128 hash = xxh3_128(key, value);
    sum.high += hash.high;
    sum.low += hash.low;
    ++count;
  }
  bool operator==(const Fingerprint&) const = default;
};

/// Calls `visit(key, value)` for every entry the index must hold because of this batch.
template <class Visit>
void for_each_posting(TenantId tenant, const DecodedBatch& batch, const std::vector<StreamUse>& streams,
                      const std::vector<TermUse>& other_terms, Visit visit) {
  const BatchHeader& header = batch.header();
  std::string value;
  for (std::size_t ref = 0; ref < streams.size(); ++ref) {
    value.clear();
    bytes::put_varint(value, static_cast<std::uint64_t>(batch.first_versions()[ref]) + streams[ref].count - 1);
    visit(posting_key(tenant, streams[ref].hash, header.first_offset.value + streams[ref].last_index), value);
  }
  // Terms whose names share a hash and whose last event is the same make one entry.
  std::vector<std::pair<std::uint64_t, std::uint32_t>> terms;
  for (const TermUse& use : other_terms) terms.emplace_back(use.hash, use.last_index);
  std::sort(terms.begin(), terms.end());
  terms.erase(std::unique(terms.begin(), terms.end()), terms.end());
  for (const auto& [hash, last_index] : terms) {
    visit(posting_key(tenant, hash, header.first_offset.value + last_index), std::string());
  }
  if (header.producer_id.is_nil()) return;
  value.clear();
  bytes::put_varint(value, header.last_offset().value);
  visit(producer_key(tenant, producer_hash(header.producer_id), header.producer_sequence, header.producer_id), value);
}

/// Entries of the index that stem from batches below `end`.
Result<Fingerprint> fingerprint_of(const TermIndex& index, TenantId tenant, Offset end) {
  Fingerprint fingerprint;
  BAHI_TRY(index.for_each(tenant, [&](std::string_view key, std::string_view value) {
    if (entry_offset(key, value).value_or(kOffsetMax) < end) fingerprint.add(key, value);
  }));
  return fingerprint;
}

class LogWalk {
 public:
  LogWalk(const LogStore& store, TenantId tenant, Offset end, CacheUse use, VerifyReport& report)
      : tenant_(tenant), end_(end), report_(&report), cursor_(store.cursor(tenant, use)) {}

  [[nodiscard]] const Fingerprint& expected_index() const { return expected_index_; }

  /// False when something was found wrong; the finding is in the report.
  template <class OnEvents>
  bool run(const TenantMark* mark, OnEvents on_events) {
    for (cursor_->seek({0}); next_ < end_; cursor_->next()) {
      if (const Status status = check_batch(mark); !status) {
        report_->findings.push_back({tenant_, next_, status.error()});
        return false;
      }
      on_events();
    }
    return true;
  }

 private:
  Status check_batch(const TenantMark* mark) {
    BAHI_TRY(cursor_->status());
    const auto corrupt = [](std::string what) { return Error{ErrorCode::kCorruptLog, std::move(what)}; };
    if (!cursor_->valid()) return corrupt(fmt::format("the log ends at offset {}, {} is durable", next_.value, end_.value));
    const std::string_view stored = cursor_->stored();
    BAHI_ASSIGN(const auto batch, DecodedBatch::decode(stored));
    const BatchHeader& header = batch->header();
    if (header.tenant != tenant_) return corrupt(fmt::format("the batch belongs to tenant {}", header.tenant.value));
    if (header.first_offset != next_) return corrupt(fmt::format("the next batch begins at offset {}", header.first_offset.value));
    if (header.last_offset() != cursor_->last_offset()) return corrupt("the batch stands under another key");
    if (header.previous_hash != chain_) return corrupt("the chain is broken: the batch does not follow the one before it");
    if (mark != nullptr && mark->next_offset == header.next_offset() && mark->chain_hash != header.chain_hash) {
      return Error{ErrorCode::kAcknowledgedDataMissing, "the anchor names another batch at this place"};
    }
    BAHI_TRY(check_versions(*batch));
    collect_terms(tenant_, batch->body(), false, streams_, other_terms_);
    for_each_posting(tenant_, *batch, streams_, other_terms_,
                     [this](const std::string& key, const std::string& value) { expected_index_.add(key, value); });
    stored_bytes_ += stored.size();
    if (cursor_->tenant_bytes().value_or(stored_bytes_) != stored_bytes_) {
      return corrupt(fmt::format("the directory counts {} bytes of the tenant, there are {}", *cursor_->tenant_bytes(),
                                 stored_bytes_));
    }
    chain_ = header.chain_hash;
    next_ = header.next_offset();
    ++report_->batches;
    report_->events += header.event_count;
    report_->stored_bytes += stored.size();
    return {};
  }

  Status check_versions(const DecodedBatch& batch) {
    const BatchBody& body = batch.body();
    std::vector<std::int64_t> counts(body.stream_count(), 0);
    for (std::uint32_t i = 0; i < body.event_count(); ++i) ++counts[body.stream_ref(i)];
    for (std::uint32_t ref = 0; ref < counts.size(); ++ref) {
      std::int64_t& next_version = next_versions_[std::string(body.stream_name(ref))];
      if (batch.first_versions()[ref] != next_version) {
        return Error{ErrorCode::kCorruptLog, fmt::format("stream '{}' goes on with version {}, expected {}",
                                                         body.stream_name(ref), batch.first_versions()[ref], next_version)};
      }
      next_version += counts[ref];
    }
    return {};
  }

  TenantId tenant_;
  Offset end_;
  VerifyReport* report_;
  std::unique_ptr<LogCursor> cursor_;
  Offset next_;
  std::uint64_t stored_bytes_ = 0;
  Hash128 chain_;
  Fingerprint expected_index_;
  std::unordered_map<std::string, std::int64_t> next_versions_;
  std::vector<StreamUse> streams_;
  std::vector<TermUse> other_terms_;
};

/// First offset of a batch that is not in the index as it should be; the end when only surplus entries are wrong.
Result<Offset> first_index_difference(const LogStore& store, const TermIndex& index, TenantId tenant, Offset end) {
  std::unordered_map<std::string, std::string> entries;
  BAHI_TRY(index.for_each(tenant, [&](std::string_view key, std::string_view value) { entries.emplace(key, value); }));
  const auto cursor = store.cursor(tenant, CacheUse::kScan);
  std::vector<StreamUse> streams;
  std::vector<TermUse> other_terms;
  Offset next;
  for (cursor->seek({0}); cursor->valid() && next < end; cursor->next()) {
    BAHI_ASSIGN(const auto batch, DecodedBatch::decode(cursor->stored()));
    collect_terms(tenant, batch->body(), false, streams, other_terms);
    bool agrees = true;
    for_each_posting(tenant, *batch, streams, other_terms, [&](const std::string& key, const std::string& value) {
      const auto found = entries.find(key);
      agrees = agrees && found != entries.end() && found->second == value;
    });
    if (!agrees) return batch->header().first_offset;
    next = batch->header().next_offset();
  }
  BAHI_TRY(cursor->status());
  return end;
}

/// Null when index and log agree.
Result<std::optional<Finding>> compare_index(const LogStore& store, const TermIndex& index, TenantId tenant, Offset end,
                                             const Fingerprint& expected) {
  const auto finding = [&](Offset offset, std::string what) {
    return std::optional(Finding{tenant, offset, Error{ErrorCode::kIndexDamaged, std::move(what)}});
  };
  const auto actual = fingerprint_of(index, tenant, end);
  if (!actual) return finding({0}, actual.error().message());
  if (*actual == expected) return std::optional<Finding>();
  BAHI_ASSIGN(const Offset difference, first_index_difference(store, index, tenant, end));
  return finding(difference, "the index differs from the log; run `bahi index rebuild`");
}

}  // namespace

Result<VerifyReport> Engine::Impl::verify(const Progress& progress, std::optional<TenantId> only) const {
  VerifyReport report;
  std::vector<TenantMark> marks;
  if (on_disk_) {
    // Read before the durable offsets are, so that every mark lies within what is walked.
    BAHI_ASSIGN(const HeadAnchor::Contents anchor, HeadAnchor::read(paths_.anchor()));
    marks = anchor.tenants;
  }
  std::vector<std::pair<TenantState*, Offset>> work;
  std::uint64_t total = 0;
  if (only) {
    BAHI_ASSIGN(TenantState* tenant, find_state(*only));
    work.emplace_back(tenant, Offset{});
  } else {
    const std::shared_lock lock(tenants_mutex_);
    for (const auto& tenant : states_) work.emplace_back(tenant.get(), Offset{});
  }
  for (auto& [tenant, end] : work) {
    BAHI_ASSIGN(end, readable_end(*tenant));
    total += end.value;
  }
  for (const auto& [tenant, end] : work) {
    ++report.tenants;
    LogWalk walk(*store_, tenant->id, end, only ? CacheUse::kSparse : CacheUse::kScan, report);
    const TenantMark* mark = tenant->id.value < marks.size() ? &marks[tenant->id.value] : nullptr;
    const bool sound = walk.run(mark, [&] {
      if (progress) progress(report.events, total);
    });
    report.postings += walk.expected_index().count;
    if (!sound || !index_) continue;
    BAHI_ASSIGN(auto difference, compare_index(*store_, *index_, tenant->id, end, walk.expected_index()));
    if (difference) report.findings.push_back(std::move(*difference));
  }
  return report;
}

Result<Hash128> Engine::Impl::index_fingerprint(TenantId tenant) const {
  BAHI_ASSIGN(const TenantState* known, find_state(tenant));
  if (!index_) return Error{ErrorCode::kInvalidArgument, "the engine was opened without the index"};
  BAHI_ASSIGN(const Offset end, readable_end(*known));
  BAHI_ASSIGN(const Fingerprint fingerprint, fingerprint_of(*index_, tenant, end));
  return fingerprint.sum;
}

}  // namespace bahi
