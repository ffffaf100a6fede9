#include <algorithm>

#include <fmt/format.h>

#include "stock/commands.hpp"

namespace bahi::projections::stock {

Error refused(std::string message) {
  return {ErrorCode::kRefused, std::move(message)};
}

Deciding::Deciding(std::string stream, std::string_view type) {
  event_.stream = std::move(stream);
  event_.type = type;
  event_.content_type = kJsonContentType;
}

void Deciding::tag(std::string tag) {
  if (std::find(event_.tags.begin(), event_.tags.end(), tag) != event_.tags.end()) return;
  boundary_.items.push_back({{}, {tag}});
  event_.tags.push_back(std::move(tag));
}

void Deciding::item(std::string_view item) {
  const std::size_t tags = event_.tags.size();
  tag(item_tag(item));
  items_ += event_.tags.size() - tags;
}

void Deciding::time_zone() {
  boundary_.items.push_back({{"stock.TimeZoneSet"}, {}});
}

Result<Decision> Deciding::finish() {
  if (items_ > kItemsMax) {
    return Error{
        ErrorCode::kInvalidArgument,
        fmt::format("argument 'lines' names {} different items, at most {} can be in one event", items_, kItemsMax)};
  }
  event_.data = data_.finish();
  Decision decision;
  decision.boundary = std::move(boundary_);
  decision.events.push_back(std::move(event_));
  return decision;
}

std::vector<WantedLine> take_lines(Arguments& arguments, BatchWanted batch, bool price) {
  std::vector<WantedLine> lines;
  for (Arguments& object : arguments.objects("lines", kLinesMax)) {
    WantedLine line;
    line.item = object.text("item");
    if (batch == BatchWanted::kYes) line.batch = object.text("batch");
    if (batch == BatchWanted::kMaybe) line.batch = object.optional_text("batch").value_or("");
    line.quantity = object.number("quantity", 1, kQuantityMax);
    if (price) line.price_paise = object.optional_number("price_paise", 0, kQuantityMax);
    // What is wrong is kept by all of them together, and told by the outermost.
    (void)object.check();
    lines.push_back(std::move(line));
  }
  return lines;
}

Result<Shelf*> Shelves::shelf(std::string_view item) {
  for (auto& [name, shelf] : loaded_) {
    if (name == item) return &shelf;
  }
  BAHI_TRY(defined_item(state_, item));
  BAHI_ASSIGN(Shelf shelf, Shelf::load(state_, item, location_, date_, own_));
  return &loaded_.emplace_back(std::string(item), std::move(shelf)).second;
}

Result<std::vector<Pick>> Shelves::pick(std::string_view item, std::int64_t quantity) {
  BAHI_ASSIGN(Shelf * shelf, this->shelf(item));
  const std::int64_t promisable = shelf->promisable();
  if (promisable < quantity) {
    return refused(
        fmt::format("{} of item '{}' at '{}' are wanted, {} can be given: on hand {}, reserved {}, expired, recalled "
                    "or held {}; nothing was taken",
                    quantity, item, location_, promisable, shelf->on_hand(), shelf->reserved(), shelf->barred()));
  }
  return shelf->pick(quantity);
}

Result<ReservationRow> open_reservation(const StateView& state, std::string_view reservation) {
  ReservationRow row;
  BAHI_ASSIGN(const bool found, get_row(state, kReservations, Key().text(reservation), row));
  if (!found) return Error{ErrorCode::kNotFound, fmt::format("there is no reservation '{}'", reservation)};
  if (row.state != ReservationState::kOpen) {
    return refused(fmt::format("the reservation '{}' is {} already", reservation,
                               kReservationStateNames.at(static_cast<std::size_t>(row.state))));
  }
  return row;
}

}  // namespace bahi::projections::stock
