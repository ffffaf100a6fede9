// The fold of the stock ledger: facts into balances, ledger rows and traces.
#pragma once

#include <array>
#include <string_view>

#include "projection.hpp"
#include "stock/rows.hpp"
#include "stock_generated.h"

namespace bahi::projections::stock {

namespace fb = ::bahi::stock::fb;

class StockFold final : public HandlerFold<StockFold> {
 public:
  explicit StockFold(FoldState& state);
  static const std::array<Handler<StockFold>, 17> kHandlers;

 private:
  /// Where a batch lies.
  struct Place {
    std::string_view item;
    std::string_view location;
    std::string_view batch;
  };
  struct Change {
    Movement kind = Movement::kReceived;
    std::int64_t quantity = 0;
    std::int64_t paise = 0;
    std::string_view reference = {};
    std::string_view note = {};
  };

  Status define_item(const FoldEvent& event);
  Status receive(const FoldEvent& event);
  Status reserve(const FoldEvent& event);
  Status release(const FoldEvent& event);
  Status expire(const FoldEvent& event);
  Status sell(const FoldEvent& event);
  Status take_back(const FoldEvent& event);
  Status transfer(const FoldEvent& event);
  Status write_off(const FoldEvent& event);
  Status recall(const FoldEvent& event);
  Status lift_recall(const FoldEvent& event);
  Status hold(const FoldEvent& event);
  Status lift_hold(const FoldEvent& event);
  Status count(const FoldEvent& event);
  Status set_tax_rate(const FoldEvent& event);
  Status set_mrp(const FoldEvent& event);
  Status set_time_zone(const FoldEvent& event);

  void begin(const FoldEvent& event);
  /// Takes `quantity` out of a place; how much value left with it.
  Result<std::int64_t> issue(const Place& place, const Change& change);
  /// Puts what `change` says into a place, or takes it out.
  Status post(const Place& place, const Change& change);
  Status post(const Place& place, Balance& balance, const Change& change);
  Status change_total(const Place& place, const Change& change, std::int64_t reserved, Balance& after);
  Status adjust_reserved(const Place& place, std::int64_t by);
  /// After a balance became, or ceased to be, zero.
  Status show(const Place& place);
  Status hide(const Place& place);
  Status end_reservation(std::string_view reservation, ReservationState state);
  Status set_expiry(std::string_view item, std::string_view batch, BatchRow& row, std::int32_t expires_on);
  /// What `quantity` of a batch costs on average over its receipts.
  Result<std::int64_t> average_cost(const Place& place, std::int64_t quantity);
  void put_price(std::string_view item, std::string_view batch, std::int64_t effective_at, std::int64_t paise);
  void note(Discrepancy kind, const Place& place, std::string_view reference = {}, std::int64_t quantity = 0);
  void note_if_untagged(std::string_view item);

  [[nodiscard]] const Key& batch_key(const Place& place) {
    return batch_key_.clear().text(place.item).text(place.batch);
  }
  [[nodiscard]] const Key& balance_key(const Place& place) {
    return balance_key_.clear().text(place.item).text(place.location).text(place.batch);
  }
  template <class Row>
  void put(std::uint8_t table, const Key& key, const Row& row) {
    row_.clear();
    encode_row(row, row_);
    state_.put(table, key, row_);
  }

  FoldState& state_;
  Table<BatchRow> batches_;
  Table<Balance> balances_;
  Table<Balance> totals_;
  Table<LocationRow> locations_;
  Table<ReservationRow> reservations_;

  // Of the event under way.
  const EventView* event_ = nullptr;
  std::int64_t effective_at_ = 0;
  std::uint64_t line_ = 0;           // of the ledger
  std::uint64_t discrepancies_ = 0;  // noted

  // Memory that is used again.
  Key batch_key_;
  Key balance_key_;
  Key key_;
  std::string row_;
  SaleRow sale_;
};

}  // namespace bahi::projections::stock
