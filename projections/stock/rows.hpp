// The tables of the stock ledger. Rows with string_view members are written and read in place; their texts hold as long
// as what they were read from.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "key.hpp"
#include "stock/money.hpp"

namespace bahi::projections::stock {

// Table numbers, with key -> row. They never change; a new kind of row gets a new number.
inline constexpr std::uint8_t kSettings = 1;        // (nothing) -> SettingsRow
inline constexpr std::uint8_t kItems = 2;           // item -> ItemRow
inline constexpr std::uint8_t kBatches = 3;         // item, batch -> BatchRow
inline constexpr std::uint8_t kBalances = 4;        // item, location, batch -> Balance; only those that are not zero
inline constexpr std::uint8_t kTotals = 5;          // item, location -> Balance; only those that are not zero
inline constexpr std::uint8_t kLocationItems = 6;   // location, item -> (nothing); of kTotals
inline constexpr std::uint8_t kLocations = 7;       // location -> LocationRow; only those that are not zero
inline constexpr std::uint8_t kShelves = 8;         // location, expiry, item, batch -> (nothing); of kBalances
inline constexpr std::uint8_t kExpiries = 9;        // expiry, item, batch -> (nothing); of batches with a balance
inline constexpr std::uint8_t kLedger = 10;         // item, location, offset, line -> LedgerRow
inline constexpr std::uint8_t kTrace = 11;          // item, batch, offset, line -> TraceRow
inline constexpr std::uint8_t kSales = 12;          // sale, offset -> SaleRow
inline constexpr std::uint8_t kReservations = 13;   // reservation -> ReservationRow
inline constexpr std::uint8_t kDue = 14;            // lapse time, reservation -> (nothing); of open reservations
inline constexpr std::uint8_t kTaxRates = 15;       // item, effective time, offset -> RateRow
inline constexpr std::uint8_t kPrices = 16;         // item, batch or "", effective time, offset -> RateRow
inline constexpr std::uint8_t kDiscrepancies = 17;  // offset, number -> DiscrepancyRow

/// India's, unless a stock.TimeZoneSet says otherwise.
inline constexpr std::int32_t kUtcOffsetMinutesDefault = 330;
inline constexpr std::int32_t kNeverExpires = std::numeric_limits<std::int32_t>::max();
inline constexpr std::uint64_t kNotReceived = std::numeric_limits<std::uint64_t>::max();

struct SettingsRow {
  std::int32_t utc_offset_minutes = kUtcOffsetMinutesDefault;
  void fields(auto& row) { row(utc_offset_minutes); }
};

struct ItemRow {
  std::string name;
  std::string unit;
  std::uint64_t offset = 0;  // of the definition that counts: the last
  void fields(auto& row) { row(name, unit, offset); }
};

struct BatchRow {
  std::int32_t expires_on = kNeverExpires;
  std::uint64_t received_offset = kNotReceived;  // first receipt; its expiry is the batch's
  std::int64_t received_quantity = 0;            // of all receipts
  std::int64_t received_paise = 0;
  bool recalled = false;
  bool held = false;
  std::string recall_reason;
  std::string hold_reason;
  std::vector<std::string> locations;  // with a balance, ascending
  void fields(auto& row) {
    row(expires_on, received_offset, received_quantity, received_paise, recalled, held, recall_reason, hold_reason,
        locations);
  }
};

struct Balance {
  std::int64_t quantity = 0;  // on hand; below zero when the log says that more went out than there was
  std::int64_t paise = 0;
  std::int64_t reserved = 0;
  [[nodiscard]] bool zero() const { return quantity == 0 && paise == 0 && reserved == 0; }
  [[nodiscard]] Lot lot() const { return {quantity, paise}; }
  void fields(auto& row) { row(quantity, paise, reserved); }
};

struct LocationRow {
  std::int64_t paise = 0;
  std::int64_t items = 0;  // rows of kTotals
  void fields(auto& row) { row(paise, items); }
};

enum class Movement : std::uint8_t {
  kReceived,
  kSold,
  kReturned,
  kTransferredOut,
  kTransferredIn,  // follows its kTransferredOut at once
  kWrittenOff,
  kCounted,
};
inline constexpr std::array<std::string_view, 7> kMovementNames{
    "received", "sold", "returned", "transferred out", "transferred in", "written off", "counted"};
[[nodiscard]] inline std::string_view to_string(Movement kind) {
  const auto number = static_cast<std::size_t>(kind);
  return number < kMovementNames.size() ? kMovementNames[number] : "unknown";
}

struct LedgerRow {
  Movement kind = Movement::kReceived;
  std::int64_t effective_at = 0;
  std::string_view batch;
  std::int64_t quantity = 0;  // what came in, negative: what went out
  std::int64_t paise = 0;
  std::int64_t balance_quantity = 0;  // of the item at the location, afterwards
  std::int64_t balance_paise = 0;
  std::int64_t batch_quantity = 0;  // of the batch at the location, afterwards
  std::int64_t batch_paise = 0;
  std::string_view reference;  // sale, purchase, transfer
  std::string_view note;       // reason, or a transfer's other location
  void fields(auto& row) {
    row(kind, effective_at, batch, quantity, paise, balance_quantity, balance_paise, batch_quantity, batch_paise,
        reference, note);
  }
};

struct TraceRow {
  Movement kind = Movement::kReceived;
  std::int64_t effective_at = 0;
  std::string_view location;
  std::int64_t quantity = 0;
  std::int64_t paise = 0;
  std::string_view reference;
  std::string_view note;
  void fields(auto& row) { row(kind, effective_at, location, quantity, paise, reference, note); }
};

struct SaleLineRow {
  std::string_view item;
  std::string_view batch;
  std::int64_t quantity = 0;
  std::int64_t cost_paise = 0;  // what left the ledger, or came back
  std::int64_t amount_paise = 0;
  std::int64_t tax_paise = 0;
  void fields(auto& row) { row(item, batch, quantity, cost_paise, amount_paise, tax_paise); }
};

struct SaleRow {
  bool returned = false;
  std::string_view location;
  std::int64_t effective_at = 0;
  std::string_view customer;
  std::int64_t total_paise = 0;
  std::vector<SaleLineRow> lines;
  void fields(auto& row) { row(returned, location, effective_at, customer, total_paise, lines); }
};

enum class ReservationState : std::uint8_t { kOpen, kSold, kReleased, kExpired };
inline constexpr std::array<std::string_view, 4> kReservationStateNames{"open", "sold", "released", "expired"};

struct ReservedLine {
  std::string item;
  std::string batch;
  std::int64_t quantity = 0;
  void fields(auto& row) { row(item, batch, quantity); }
};

struct ReservationRow {
  ReservationState state = ReservationState::kOpen;
  std::string location;
  std::int64_t expires_at = 0;  // 0: does not lapse
  std::uint64_t offset = 0;
  std::vector<ReservedLine> lines;
  void fields(auto& row) { row(state, location, expires_at, offset, lines); }
};

struct RateRow {
  std::int64_t value = 0;  // basis points, or paise
  void fields(auto& row) { row(value); }
};

/// What a fact of the log does not agree with. It is folded all the same.
enum class Discrepancy : std::uint8_t {
  kBelowZero,            // more went out than there was
  kUnknownReservation,   // ended, but never made
  kReservationNotOpen,   // ended twice
  kReservationRepeated,  // made twice; the second is ignored
  kExpiryDiffers,        // a batch received again with another expiry; the first counts
  kUntagged,             // without the tag that decisions are guarded by
};
inline constexpr std::array<std::string_view, 6> kDiscrepancyNames{
    "below zero", "unknown reservation", "reservation not open", "reservation repeated", "expiry differs", "untagged"};

struct DiscrepancyRow {
  Discrepancy kind = Discrepancy::kBelowZero;
  std::string_view item;
  std::string_view location;
  std::string_view batch;
  std::string_view reference;
  std::int64_t quantity = 0;  // kBelowZero: on hand afterwards
  void fields(auto& row) { row(kind, item, location, batch, reference, quantity); }
};

/// The tag that every event about an item carries, so that a decision on the item can be guarded.
[[nodiscard]] inline std::string item_tag(std::string_view item) {
  return std::string("stock:").append(item);
}
[[nodiscard]] inline std::string sale_tag(std::string_view sale) {
  return std::string("sale:").append(sale);
}
[[nodiscard]] inline std::string reservation_tag(std::string_view reservation) {
  return std::string("reservation:").append(reservation);
}

}  // namespace bahi::projections::stock
