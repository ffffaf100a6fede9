// How a change reaches the balances, and what is written about it.

#include <algorithm>

#include "stock/fold.hpp"

namespace bahi::projections::stock {

Result<std::int64_t> StockFold::issue(const Place& place, const Change& change) {
  BAHI_ASSIGN(Balance * balance, balances_.edit_or_add(balance_key(place)));
  const std::int64_t paise = value_out(balance->lot(), change.quantity);
  BAHI_TRY(post(place, *balance, {change.kind, -change.quantity, -paise, change.reference, change.note}));
  return paise;
}

Status StockFold::post(const Place& place, const Change& change) {
  BAHI_ASSIGN(Balance * balance, balances_.edit_or_add(balance_key(place)));
  return post(place, *balance, change);
}

Status StockFold::post(const Place& place, Balance& balance, const Change& change) {
  note_if_untagged(place.item);
  const bool was_zero = balance.zero();
  BAHI_TRY(add_to(balance.quantity, change.quantity));
  BAHI_TRY(add_to(balance.paise, change.paise));
  if (balance.quantity < 0 && change.quantity < 0) {
    note(Discrepancy::kBelowZero, place, change.reference, balance.quantity);
  }
  Balance total;
  BAHI_TRY(change_total(place, change, 0, total));

  const std::uint64_t line = line_++;
  LedgerRow ledger{change.kind, effective_at_,    place.batch,   change.quantity,  change.paise, total.quantity,
                   total.paise, balance.quantity, balance.paise, change.reference, change.note};
  key_.clear().text(place.item).text(place.location).number(event_->offset.value).number(line);
  put(kLedger, key_, ledger);
  TraceRow trace{change.kind,  effective_at_,    place.location, change.quantity,
                 change.paise, change.reference, change.note};
  key_.clear().text(place.item).text(place.batch).number(event_->offset.value).number(line);
  put(kTrace, key_, trace);

  if (!balance.zero()) return was_zero ? show(place) : Status();
  // The row may have been made for this change.
  BAHI_TRY(balances_.erase(balance_key(place)));
  return was_zero ? Status() : hide(place);
}

Status StockFold::change_total(const Place& place, const Change& change, std::int64_t reserved, Balance& after) {
  key_.clear().text(place.item).text(place.location);
  BAHI_ASSIGN(Balance * total, totals_.edit_or_add(key_));
  const bool was_zero = total->zero();
  BAHI_TRY(add_to(total->quantity, change.quantity));
  BAHI_TRY(add_to(total->paise, change.paise));
  BAHI_TRY(add_to(total->reserved, reserved));
  after = *total;
  if (after.zero()) BAHI_TRY(totals_.erase(key_));
  if (was_zero == after.zero() && change.paise == 0) return {};

  key_.clear().text(place.location);
  BAHI_ASSIGN(LocationRow * location, locations_.edit_or_add(key_));
  BAHI_TRY(add_to(location->paise, change.paise));
  location->items += static_cast<int>(was_zero) - static_cast<int>(after.zero());
  if (location->paise == 0 && location->items == 0) BAHI_TRY(locations_.erase(key_));
  if (was_zero == after.zero()) return {};
  key_.clear().text(place.location).text(place.item);
  if (was_zero) {
    state_.put(kLocationItems, key_, {});
  } else {
    state_.erase(kLocationItems, key_);
  }
  return {};
}

Status StockFold::adjust_reserved(const Place& place, std::int64_t by) {
  note_if_untagged(place.item);
  BAHI_ASSIGN(Balance * balance, balances_.edit_or_add(balance_key(place)));
  const bool was_zero = balance->zero();
  BAHI_TRY(add_to(balance->reserved, by));
  const bool is_zero = balance->zero();
  Balance total;
  BAHI_TRY(change_total(place, {}, by, total));
  if (is_zero) BAHI_TRY(balances_.erase(balance_key(place)));
  if (was_zero == is_zero) return {};
  return is_zero ? hide(place) : show(place);
}

Status StockFold::show(const Place& place) {
  BAHI_ASSIGN(BatchRow * batch, batches_.edit_or_add(batch_key(place)));
  if (batch->locations.empty()) {
    state_.put(kExpiries, key_.clear().signed_number(batch->expires_on).text(place.item).text(place.batch), {});
  }
  const auto at = std::lower_bound(batch->locations.begin(), batch->locations.end(), place.location);
  batch->locations.insert(at, std::string(place.location));
  key_.clear().text(place.location).signed_number(batch->expires_on).text(place.item).text(place.batch);
  state_.put(kShelves, key_, {});
  return {};
}

Status StockFold::hide(const Place& place) {
  BAHI_ASSIGN(BatchRow * batch, batches_.edit_or_add(batch_key(place)));
  const auto at = std::lower_bound(batch->locations.begin(), batch->locations.end(), place.location);
  if (at != batch->locations.end() && *at == place.location) batch->locations.erase(at);
  key_.clear().text(place.location).signed_number(batch->expires_on).text(place.item).text(place.batch);
  state_.erase(kShelves, key_);
  if (batch->locations.empty()) {
    state_.erase(kExpiries, key_.clear().signed_number(batch->expires_on).text(place.item).text(place.batch));
  }
  return {};
}

Status StockFold::set_expiry(std::string_view item, std::string_view batch, BatchRow& row, std::int32_t expires_on) {
  if (row.expires_on == expires_on) return {};
  // It lies somewhere already, though it was not received before.
  for (const std::string& location : row.locations) {
    state_.erase(kShelves, key_.clear().text(location).signed_number(row.expires_on).text(item).text(batch));
    state_.put(kShelves, key_.clear().text(location).signed_number(expires_on).text(item).text(batch), {});
  }
  if (!row.locations.empty()) {
    state_.erase(kExpiries, key_.clear().signed_number(row.expires_on).text(item).text(batch));
    state_.put(kExpiries, key_.clear().signed_number(expires_on).text(item).text(batch), {});
  }
  row.expires_on = expires_on;
  return {};
}

void StockFold::note(Discrepancy kind, const Place& place, std::string_view reference, std::int64_t quantity) {
  key_.clear().number(event_->offset.value).number(discrepancies_++);
  put(kDiscrepancies, key_, DiscrepancyRow{kind, place.item, place.location, place.batch, reference, quantity});
}

void StockFold::note_if_untagged(std::string_view item) {
  constexpr std::string_view kPrefix = "stock:";
  for (const std::string_view tag : event_->tags) {
    if (tag.size() == kPrefix.size() + item.size() && tag.starts_with(kPrefix) && tag.ends_with(item)) return;
  }
  note(Discrepancy::kUntagged, {item, {}, {}});
}

}  // namespace bahi::projections::stock
