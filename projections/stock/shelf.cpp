#include "stock/shelf.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

#include <fmt/format.h>

namespace bahi::projections::stock {
namespace {

constexpr std::int64_t kSecondsPerDay = 86'400;
constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

constexpr std::int64_t floor_divide(std::int64_t value, std::int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

/// A value that was set, and since when.
struct Effective {
  std::int64_t since = std::numeric_limits<std::int64_t>::min();
  std::uint64_t offset = 0;
  std::int64_t value = 0;
};

/// The last one that is effective at `at` in the rows behind `prefix`.
Result<Effective> effective_at(const StateView& state, std::uint8_t table, const Key& prefix, Timestamp at) {
  RowScan scan = state.scan(table, prefix);
  Key last = prefix;
  last.signed_number(at.nanos).number(std::numeric_limits<std::uint64_t>::max());
  scan.seek_backward(last);
  Effective found;
  if (scan.valid()) {
    KeyReader reader(scan.key().substr(prefix.bytes().size()));
    found.since = reader.signed_number();
    found.offset = reader.number();
    RateRow row;
    BAHI_TRY(read_row(scan.value(), row));
    found.value = row.value;
  }
  BAHI_TRY(scan.status());
  return found;
}

}  // namespace

bool may_be_picked(const BatchRow& batch, std::int32_t date) {
  return batch.expires_on > date && !batch.recalled && !batch.held;
}

Result<Shelf> Shelf::load(const StateView& state, std::string_view item, std::string_view location, std::int32_t date,
                          const std::vector<ReservedLine>& own) {
  Shelf shelf;
  const Key prefix = Key().text(item).text(location);
  RowScan scan = state.scan(kBalances, prefix);
  for (scan.seek_first(); scan.valid(); scan.next()) {
    Balance balance;
    BAHI_TRY(read_row(scan.value(), balance));
    Candidate candidate;
    candidate.batch = KeyReader(scan.key().substr(prefix.bytes().size())).text();
    for (const ReservedLine& line : own) {
      if (line.item == item && line.batch == candidate.batch) balance.reserved -= line.quantity;
    }
    BatchRow batch;
    BAHI_TRY(get_row(state, kBatches, Key().text(item).text(candidate.batch), batch));
    candidate.expires_on = batch.expires_on;
    candidate.received_offset = batch.received_offset;
    candidate.barred = !may_be_picked(batch, date);
    const std::int64_t free = balance.quantity - balance.reserved;
    candidate.free = std::max<std::int64_t>(0, free);
    BAHI_TRY(add_to(shelf.on_hand_, balance.quantity));
    BAHI_TRY(add_to(shelf.reserved_, balance.reserved));
    BAHI_TRY(add_to(candidate.barred ? shelf.barred_ : shelf.promisable_, candidate.barred ? balance.quantity : free));
    shelf.candidates_.push_back(std::move(candidate));
  }
  BAHI_TRY(scan.status());
  shelf.promisable_ = std::max<std::int64_t>(0, shelf.promisable_);
  std::sort(shelf.candidates_.begin(), shelf.candidates_.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(a.expires_on, a.received_offset, a.batch) < std::tie(b.expires_on, b.received_offset, b.batch);
  });
  return shelf;
}

std::vector<Pick> Shelf::pick(std::int64_t quantity) {
  std::vector<Pick> picks;
  std::int64_t left = std::min(quantity, promisable_);
  for (Candidate& candidate : candidates_) {
    if (left == 0) break;
    const std::int64_t taken = candidate.barred ? 0 : std::min(left, candidate.free);
    if (taken == 0) continue;
    picks.push_back({candidate.batch, taken, candidate.expires_on});
    candidate.free -= taken;
    promisable_ -= taken;
    left -= taken;
  }
  return picks;
}

bool Shelf::take(std::string_view batch, std::int64_t quantity) {
  for (Candidate& candidate : candidates_) {
    if (candidate.batch != batch) continue;
    if (candidate.free < quantity || (!candidate.barred && promisable_ < quantity)) return false;
    candidate.free -= quantity;
    if (!candidate.barred) promisable_ -= quantity;
    return true;
  }
  return false;
}

Result<std::int32_t> utc_offset_minutes(const StateView& state) {
  SettingsRow settings;
  BAHI_TRY(get_row(state, kSettings, {}, settings));
  return settings.utc_offset_minutes;
}

std::int32_t local_date(Timestamp at, std::int32_t utc_offset_minutes) {
  const std::int64_t seconds = floor_divide(at.nanos, kNanosPerSecond) + std::int64_t{utc_offset_minutes} * 60;
  return static_cast<std::int32_t>(floor_divide(seconds, kSecondsPerDay));
}

Timestamp end_of_date(std::int32_t date, std::int32_t utc_offset_minutes) {
  const std::int64_t seconds = (std::int64_t{date} + 1) * kSecondsPerDay - std::int64_t{utc_offset_minutes} * 60;
  std::int64_t nanos = 0;
  if (__builtin_mul_overflow(seconds, kNanosPerSecond, &nanos)) {
    return {seconds < 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max()};
  }
  return {nanos};
}

Result<AsOf> as_of(const StateView& state, Timestamp now, std::optional<Timestamp> at,
                   std::optional<std::int32_t> date) {
  AsOf result{at.value_or(now), 0};
  BAHI_ASSIGN(const std::int32_t minutes, utc_offset_minutes(state));
  result.date = date.value_or(local_date(result.at, minutes));
  return result;
}

Result<std::int64_t> tax_rate_at(const StateView& state, std::string_view item, Timestamp at) {
  BAHI_ASSIGN(const Effective rate, effective_at(state, kTaxRates, Key().text(item), at));
  return rate.value;
}

Result<std::int64_t> mrp_at(const StateView& state, std::string_view item, std::string_view batch, Timestamp at) {
  BAHI_ASSIGN(const Effective general, effective_at(state, kPrices, Key().text(item).text({}), at));
  BAHI_ASSIGN(const Effective own, effective_at(state, kPrices, Key().text(item).text(batch), at));
  return std::tie(own.since, own.offset) >= std::tie(general.since, general.offset) ? own.value : general.value;
}

Result<ItemRow> defined_item(const StateView& state, std::string_view item) {
  ItemRow row;
  BAHI_ASSIGN(const bool found, get_row(state, kItems, Key().text(item), row));
  if (!found) {
    return Error{ErrorCode::kNotFound,
                 fmt::format("the item '{}' is not defined; append a stock.ItemDefined first", item)};
  }
  return row;
}

}  // namespace bahi::projections::stock
