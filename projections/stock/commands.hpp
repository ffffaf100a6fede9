// What is decided about stock. Each reads the read model, refuses or says which events shall be appended, and guards
// them by the tags of everything that it looked at.
#pragma once

#include <string_view>
#include <vector>

#include "projection.hpp"
#include "stock/shelf.hpp"

namespace bahi::projections::stock {

// --- outgoing: sell.cpp
[[nodiscard]] Result<Decision> decide_sale(const CommandContext& context, Arguments& arguments);
/// The sale as it would be, without storing it.
Status quote_sale(const QueryContext& context, Arguments& arguments, Answer& answer);
[[nodiscard]] Result<Decision> decide_return(const CommandContext& context, Arguments& arguments);

// --- promises: reserve.cpp
[[nodiscard]] Result<Decision> decide_reservation(const CommandContext& context, Arguments& arguments);
[[nodiscard]] Result<Decision> decide_release(const CommandContext& context, Arguments& arguments);
[[nodiscard]] Result<Decision> decide_expiry(const CommandContext& context, Arguments& arguments);

// --- keeping: keep.cpp
[[nodiscard]] Result<Decision> decide_receipt(const CommandContext& context, Arguments& arguments);
[[nodiscard]] Result<Decision> decide_transfer(const CommandContext& context, Arguments& arguments);
[[nodiscard]] Result<Decision> decide_write_off(const CommandContext& context, Arguments& arguments);
[[nodiscard]] Result<Decision> decide_count(const CommandContext& context, Arguments& arguments);

// --- what they share: decision.cpp

inline constexpr std::int64_t kQuantityMax = 1'000'000'000'000;
inline constexpr std::int64_t kPaiseMax = 1'000'000'000'000'000;
/// Each item is a tag of the event, and an event has 64.
inline constexpr std::size_t kItemsMax = 60;
inline constexpr std::size_t kLinesMax = 1000;

/// One event, and the boundary that guards it.
class Deciding {
 public:
  explicit Deciding(std::string stream, std::string_view type);
  /// The decision looked at this item, and the event is about it.
  void item(std::string_view item);
  /// The decision looked at what carries this tag, and the event carries it.
  void tag(std::string tag);
  /// The decision depends on the tenant's time zone.
  void time_zone();
  void effective_at(std::optional<Timestamp> at) { event_.occurred_at = at; }
  /// Members of the event's data.
  [[nodiscard]] Answer& data() { return data_; }
  /// Errors: kInvalidArgument when there are too many items.
  [[nodiscard]] Result<Decision> finish();

 private:
  DecidedEvent event_;
  Answer data_;
  EventQuery boundary_;
  std::size_t items_ = 0;
};

struct WantedLine {
  std::string item;
  std::string batch;  // empty: by expiry
  std::int64_t quantity = 0;
  std::optional<std::int64_t> price_paise;
};
enum class BatchWanted : std::uint8_t { kNo, kMaybe, kYes };
/// The argument `lines`.
[[nodiscard]] std::vector<WantedLine> take_lines(Arguments& arguments, BatchWanted batch, bool price);

/// The shelves of one location, loaded when first picked from.
class Shelves {
 public:
  Shelves(const StateView& state, std::string location, std::int32_t date)
      : state_(state), location_(std::move(location)), date_(date) {}
  void credit(std::vector<ReservedLine> own) { own_ = std::move(own); }
  /// All of the quantity by expiry, or an error that says what there is. Errors: kRefused, kNotFound.
  [[nodiscard]] Result<std::vector<Pick>> pick(std::string_view item, std::int64_t quantity);
  [[nodiscard]] Result<Shelf*> shelf(std::string_view item);

 private:
  const StateView& state_;
  const std::string location_;
  const std::int32_t date_;
  std::vector<ReservedLine> own_;
  std::vector<std::pair<std::string, Shelf>> loaded_;
};

/// A reservation that is open. Errors: kNotFound; kRefused when it is not open any more.
[[nodiscard]] Result<ReservationRow> open_reservation(const StateView& state, std::string_view reservation);
[[nodiscard]] Error refused(std::string message);

}  // namespace bahi::projections::stock
