#include "stock/fold.hpp"

namespace bahi::projections::stock {

const std::array<Handler<StockFold>, 17> StockFold::kHandlers{{
    {"stock.ItemDefined", &StockFold::define_item},
    {"stock.BatchReceived", &StockFold::receive},
    {"stock.Reserved", &StockFold::reserve},
    {"stock.Released", &StockFold::release},
    {"stock.ReservationExpired", &StockFold::expire},
    {"stock.Sold", &StockFold::sell},
    {"stock.Returned", &StockFold::take_back},
    {"stock.Transferred", &StockFold::transfer},
    {"stock.WrittenOff", &StockFold::write_off},
    {"stock.Recalled", &StockFold::recall},
    {"stock.RecallLifted", &StockFold::lift_recall},
    {"stock.BatchHeld", &StockFold::hold},
    {"stock.HoldLifted", &StockFold::lift_hold},
    {"stock.Counted", &StockFold::count},
    {"stock.TaxRateSet", &StockFold::set_tax_rate},
    {"stock.MrpSet", &StockFold::set_mrp},
    {"stock.TimeZoneSet", &StockFold::set_time_zone},
}};

StockFold::StockFold(FoldState& state)
    : state_(state),
      batches_(state, kBatches),
      balances_(state, kBalances),
      totals_(state, kTotals),
      locations_(state, kLocations),
      reservations_(state, kReservations, 100'000, Misses::kCommon) {}

void StockFold::begin(const FoldEvent& event) {
  event_ = &event.view;
  effective_at_ = effective_time(event.view).nanos;
  line_ = 0;
  discrepancies_ = 0;
}

// --- what came and went

Status StockFold::receive(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::BatchReceived>();
  const Place place{text_of(fact.item()), text_of(fact.location()), text_of(fact.batch())};
  BAHI_ASSIGN(BatchRow * batch, batches_.edit_or_add(batch_key(place)));
  if (batch->received_offset == kNotReceived) {
    batch->received_offset = event.view.offset.value;
    BAHI_TRY(set_expiry(place.item, place.batch, *batch, fact.expires_on()));
  } else if (batch->expires_on != fact.expires_on()) {
    note(Discrepancy::kExpiryDiffers, place);
  }
  BAHI_TRY(add_to(batch->received_quantity, fact.quantity()));
  BAHI_TRY(add_to(batch->received_paise, fact.cost_paise()));
  if (fact.mrp_paise() > 0) put_price(place.item, place.batch, effective_at_, fact.mrp_paise());
  return post(place, {Movement::kReceived, fact.quantity(), fact.cost_paise(), text_of(fact.reference())});
}

Status StockFold::sell(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::Sold>();
  const std::string_view sale = text_of(fact.sale());
  if (const auto reservation = text_of(fact.reservation()); !reservation.empty()) {
    BAHI_TRY(end_reservation(reservation, ReservationState::kSold));
  }
  sale_.lines.clear();
  for (const fb::SaleLine* line : *fact.lines()) {
    const Place place{text_of(line->item()), text_of(fact.location()), text_of(line->batch())};
    BAHI_ASSIGN(const std::int64_t cost, issue(place, {Movement::kSold, line->quantity(), 0, sale}));
    std::int64_t tax = line->cgst_paise();
    BAHI_TRY(add_to(tax, line->sgst_paise()));
    BAHI_TRY(add_to(tax, line->igst_paise()));
    sale_.lines.push_back({place.item, place.batch, line->quantity(), cost, line->amount_paise(), tax});
  }
  sale_.returned = false;
  sale_.location = text_of(fact.location());
  sale_.effective_at = effective_at_;
  sale_.customer = text_of(fact.customer());
  sale_.total_paise = fact.total_paise();
  put(kSales, key_.clear().text(sale).number(event.view.offset.value), sale_);
  return {};
}

Status StockFold::take_back(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::Returned>();
  const std::string_view sale = text_of(fact.sale());
  sale_.lines.clear();
  for (const fb::ReturnLine* line : *fact.lines()) {
    const Place place{text_of(line->item()), text_of(fact.location()), text_of(line->batch())};
    std::int64_t cost = line->cost_paise();
    if (cost < 0) {
      BAHI_ASSIGN(cost, average_cost(place, line->quantity()));
    }
    BAHI_TRY(post(place, {Movement::kReturned, line->quantity(), cost, sale, text_of(fact.reason())}));
    sale_.lines.push_back({place.item, place.batch, line->quantity(), cost, 0, 0});
  }
  sale_.returned = true;
  sale_.location = text_of(fact.location());
  sale_.effective_at = effective_at_;
  sale_.customer = {};
  sale_.total_paise = 0;
  put(kSales, key_.clear().text(sale).number(event.view.offset.value), sale_);
  return {};
}

Status StockFold::transfer(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::Transferred>();
  const std::string_view reference = text_of(fact.transfer());
  for (const fb::StockLine* line : *fact.lines()) {
    Place place{text_of(line->item()), text_of(fact.from()), text_of(line->batch())};
    const Change out{Movement::kTransferredOut, line->quantity(), 0, reference, text_of(fact.to())};
    BAHI_ASSIGN(const std::int64_t paise, issue(place, out));
    place.location = text_of(fact.to());
    BAHI_TRY(post(place, {Movement::kTransferredIn, line->quantity(), paise, reference, text_of(fact.from())}));
  }
  return {};
}

Status StockFold::write_off(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::WrittenOff>();
  for (const fb::StockLine* line : *fact.lines()) {
    const Place place{text_of(line->item()), text_of(fact.location()), text_of(line->batch())};
    BAHI_TRY(issue(place, {Movement::kWrittenOff, line->quantity(), 0, {}, text_of(fact.reason())}));
  }
  return {};
}

Status StockFold::count(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::Counted>();
  const Place place{text_of(fact.item()), text_of(fact.location()), text_of(fact.batch())};
  BAHI_ASSIGN(Balance * balance, balances_.edit_or_add(balance_key(place)));
  Change change{Movement::kCounted, fact.quantity(), 0, {}, text_of(fact.reason())};
  // On hand is at least the least number + 1: every change was checked.
  if (__builtin_sub_overflow(fact.quantity(), balance->quantity, &change.quantity)) {
    return Error{ErrorCode::kMalformedEvent, "stock: the difference of a count is beyond 64 bits"};
  }
  if (change.quantity < 0) {
    change.paise = -value_out(balance->lot(), -change.quantity);
  } else if (balance->quantity > 0) {
    const auto paise = multiply_divide(balance->paise, change.quantity, balance->quantity);
    if (!paise) return Error{ErrorCode::kMalformedEvent, "stock: the value of a count is beyond 64 bits"};
    change.paise = *paise;
  } else if (change.quantity > 0) {
    BAHI_ASSIGN(change.paise, average_cost(place, change.quantity));
  }
  return post(place, *balance, change);
}

Result<std::int64_t> StockFold::average_cost(const Place& place, std::int64_t quantity) {
  BAHI_ASSIGN(const BatchRow* batch, batches_.find(batch_key(place)));
  if (batch == nullptr || batch->received_quantity <= 0) return std::int64_t{0};
  const auto paise = multiply_divide(batch->received_paise, quantity, batch->received_quantity);
  if (!paise) return Error{ErrorCode::kMalformedEvent, "stock: the value of a quantity is beyond 64 bits"};
  return *paise;
}

// --- promises

Status StockFold::reserve(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::Reserved>();
  const std::string_view name = text_of(fact.reservation());
  key_.clear().text(name);
  BAHI_ASSIGN(const ReservationRow* earlier, reservations_.find(key_));
  if (earlier != nullptr) {
    note(Discrepancy::kReservationRepeated, {}, name);
    return {};
  }
  BAHI_ASSIGN(ReservationRow * row, reservations_.edit_or_add(key_));
  row->location = text_of(fact.location());
  row->expires_at = fact.expires_at();
  row->offset = event.view.offset.value;
  for (const fb::StockLine* line : *fact.lines()) {
    const Place place{text_of(line->item()), text_of(fact.location()), text_of(line->batch())};
    row->lines.push_back({std::string(place.item), std::string(place.batch), line->quantity()});
    BAHI_TRY(adjust_reserved(place, line->quantity()));
  }
  if (row->expires_at != 0) state_.put(kDue, key_.clear().signed_number(row->expires_at).text(name), {});
  return {};
}

Status StockFold::release(const FoldEvent& event) {
  begin(event);
  return end_reservation(text_of(event.as<fb::Released>().reservation()), ReservationState::kReleased);
}

Status StockFold::expire(const FoldEvent& event) {
  begin(event);
  return end_reservation(text_of(event.as<fb::ReservationExpired>().reservation()), ReservationState::kExpired);
}

Status StockFold::end_reservation(std::string_view reservation, ReservationState state) {
  key_.clear().text(reservation);
  BAHI_ASSIGN(const ReservationRow* found, reservations_.find(key_));
  if (found == nullptr || found->state != ReservationState::kOpen) {
    note(found == nullptr ? Discrepancy::kUnknownReservation : Discrepancy::kReservationNotOpen, {}, reservation);
    return {};
  }
  BAHI_ASSIGN(ReservationRow * row, reservations_.edit(key_));
  row->state = state;
  for (const ReservedLine& line : row->lines) {
    BAHI_TRY(adjust_reserved({line.item, row->location, line.batch}, -line.quantity));
  }
  if (row->expires_at != 0) state_.erase(kDue, key_.clear().signed_number(row->expires_at).text(reservation));
  return {};
}

// --- what is said about items and batches

Status StockFold::define_item(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::ItemDefined>();
  note_if_untagged(text_of(fact.item()));
  put(kItems, key_.clear().text(text_of(fact.item())),
      ItemRow{std::string(text_of(fact.name())), std::string(text_of(fact.unit())), event.view.offset.value});
  return {};
}

Status StockFold::recall(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::Recalled>();
  note_if_untagged(text_of(fact.item()));
  BAHI_ASSIGN(BatchRow * batch, batches_.edit_or_add(batch_key({text_of(fact.item()), {}, text_of(fact.batch())})));
  batch->recalled = true;
  batch->recall_reason = text_of(fact.reason());
  return {};
}

Status StockFold::lift_recall(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::RecallLifted>();
  note_if_untagged(text_of(fact.item()));
  BAHI_ASSIGN(BatchRow * batch, batches_.edit_or_add(batch_key({text_of(fact.item()), {}, text_of(fact.batch())})));
  batch->recalled = false;
  batch->recall_reason.clear();
  return {};
}

Status StockFold::hold(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::BatchHeld>();
  note_if_untagged(text_of(fact.item()));
  BAHI_ASSIGN(BatchRow * batch, batches_.edit_or_add(batch_key({text_of(fact.item()), {}, text_of(fact.batch())})));
  batch->held = true;
  batch->hold_reason = text_of(fact.reason());
  return {};
}

Status StockFold::lift_hold(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::HoldLifted>();
  note_if_untagged(text_of(fact.item()));
  BAHI_ASSIGN(BatchRow * batch, batches_.edit_or_add(batch_key({text_of(fact.item()), {}, text_of(fact.batch())})));
  batch->held = false;
  batch->hold_reason.clear();
  return {};
}

Status StockFold::set_tax_rate(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::TaxRateSet>();
  note_if_untagged(text_of(fact.item()));
  key_.clear().text(text_of(fact.item()));
  key_.signed_number(fact.effective_at() != 0 ? fact.effective_at() : effective_at_).number(event.view.offset.value);
  put(kTaxRates, key_, RateRow{fact.rate_basis_points()});
  return {};
}

Status StockFold::set_mrp(const FoldEvent& event) {
  begin(event);
  const auto& fact = event.as<fb::MrpSet>();
  note_if_untagged(text_of(fact.item()));
  put_price(text_of(fact.item()), text_of(fact.batch()), fact.effective_at() != 0 ? fact.effective_at() : effective_at_,
            fact.mrp_paise());
  return {};
}

Status StockFold::set_time_zone(const FoldEvent& event) {
  begin(event);
  put(kSettings, key_.clear(), SettingsRow{event.as<fb::TimeZoneSet>().utc_offset_minutes()});
  return {};
}

void StockFold::put_price(std::string_view item, std::string_view batch, std::int64_t effective_at,
                          std::int64_t paise) {
  key_.clear().text(item).text(batch).signed_number(effective_at).number(event_->offset.value);
  put(kPrices, key_, RateRow{paise});
}

}  // namespace bahi::projections::stock
