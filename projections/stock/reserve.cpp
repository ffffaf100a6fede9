// Reservations: made, released, lapsed.

#include <fmt/format.h>

#include "bahi/base/text.hpp"
#include "stock/commands.hpp"

namespace bahi::projections::stock {
namespace {

/// Ends an open reservation with an event that names nothing else.
Result<Decision> end_with(std::string_view type, std::string_view reservation, const ReservationRow& row) {
  Deciding deciding(fmt::format("reservation-{}", reservation), type);
  deciding.tag(reservation_tag(reservation));
  for (const ReservedLine& line : row.lines) deciding.item(line.item);
  deciding.data().text("reservation", reservation);
  return deciding.finish();
}

}  // namespace

Result<Decision> decide_reservation(const CommandContext& context, Arguments& arguments) {
  const std::string reservation = arguments.text("reservation");
  const std::string location = arguments.text("location");
  const auto expires_at = arguments.optional_time("expires_at");
  const std::vector<WantedLine> lines = take_lines(arguments, BatchWanted::kNo, false);
  BAHI_TRY(arguments.check());
  ReservationRow earlier;
  BAHI_ASSIGN(const bool repeated, get_row(context.query.state, kReservations, Key().text(reservation), earlier));
  if (repeated) {
    return refused(fmt::format("the reservation '{}' was made already, at offset {}", reservation, earlier.offset));
  }
  if (expires_at && *expires_at <= context.now) {
    return refused(fmt::format("the reservation '{}' would lapse at {}, which has passed", reservation,
                               format_timestamp(*expires_at)));
  }
  BAHI_ASSIGN(const AsOf when, as_of(context.query.state, context.now, {}, {}));
  Shelves shelves(context.query.state, location, when.date);
  Deciding deciding("reservation-" + reservation, "stock.Reserved");
  deciding.tag(reservation_tag(reservation));
  deciding.time_zone();
  deciding.data().text("reservation", reservation).text("location", location).begin_list("lines");
  for (const WantedLine& line : lines) {
    deciding.item(line.item);
    BAHI_ASSIGN(const std::vector<Pick> picks, shelves.pick(line.item, line.quantity));
    for (const Pick& pick : picks) {
      deciding.data().begin_element().text("item", line.item).text("batch", pick.batch);
      deciding.data().number("quantity", pick.quantity).end_object();
    }
  }
  deciding.data().end_list();
  if (expires_at) deciding.data().time("expires_at", *expires_at);
  return deciding.finish();
}

Result<Decision> decide_release(const CommandContext& context, Arguments& arguments) {
  const std::string reservation = arguments.text("reservation");
  BAHI_TRY(arguments.check());
  BAHI_ASSIGN(const ReservationRow row, open_reservation(context.query.state, reservation));
  return end_with("stock.Released", reservation, row);
}

Result<Decision> decide_expiry(const CommandContext& context, Arguments& arguments) {
  const std::string reservation = arguments.text("reservation");
  BAHI_TRY(arguments.check());
  BAHI_ASSIGN(const ReservationRow row, open_reservation(context.query.state, reservation));
  if (row.expires_at == 0) return refused(fmt::format("the reservation '{}' does not lapse; release it", reservation));
  if (row.expires_at > context.now.nanos) {
    return refused(fmt::format("the reservation '{}' lapses at {}, which has not come yet", reservation,
                               format_timestamp({row.expires_at})));
  }
  return end_with("stock.ReservationExpired", reservation, row);
}

}  // namespace bahi::projections::stock
