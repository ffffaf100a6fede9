// What is known of items, batches and reservations, and where the log contradicts itself.

#include <fmt/format.h>

#include "bahi/base/clock.hpp"
#include "page_scan.hpp"
#include "stock/queries.hpp"
#include "stock/shelf.hpp"

namespace bahi::projections::stock {

Status find_item(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const std::string item = arguments.text("item");
  const auto at = arguments.optional_time("at");
  BAHI_TRY(arguments.check());
  BAHI_ASSIGN(const ItemRow row, defined_item(context.state, item));
  const Timestamp when = at.value_or(SystemClock::instance().now());
  BAHI_ASSIGN(const std::int64_t rate, tax_rate_at(context.state, item, when));
  BAHI_ASSIGN(const std::int64_t mrp, mrp_at(context.state, item, {}, when));
  answer.text("item", item).text("name", row.name).text_if("unit", row.unit);
  answer.number("tax_rate_basis_points", rate);
  if (mrp > 0) answer.number("mrp_paise", mrp);
  return {};
}

Status find_batch(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const std::string item = arguments.text("item");
  const std::string batch = arguments.text("batch");
  const auto at = arguments.optional_time("at");
  BAHI_TRY(arguments.check());
  BatchRow row;
  BAHI_ASSIGN(const bool found, get_row(context.state, kBatches, Key().text(item).text(batch), row));
  if (!found) return Error{ErrorCode::kNotFound, fmt::format("there is no batch '{}' of item '{}'", batch, item)};
  const Timestamp when = at.value_or(SystemClock::instance().now());
  BAHI_ASSIGN(const std::int64_t mrp, mrp_at(context.state, item, batch, when));
  answer.text("item", item).text("batch", batch);
  if (row.expires_on != kNeverExpires) answer.date("expires_on", row.expires_on);
  if (row.received_offset != kNotReceived) {
    answer.number("received_offset", static_cast<std::int64_t>(row.received_offset));
  }
  answer.number("received_quantity", row.received_quantity).number("received_paise", row.received_paise);
  if (mrp > 0) answer.number("mrp_paise", mrp);
  answer.flag("recalled", row.recalled).text_if("recall_reason", row.recall_reason);
  answer.flag("held", row.held).text_if("hold_reason", row.hold_reason);
  answer.begin_list("locations");
  for (const std::string& location : row.locations) {
    Balance balance;
    BAHI_TRY(get_row(context.state, kBalances, Key().text(item).text(location).text(batch), balance));
    answer.begin_element()
        .text("location", location)
        .number("on_hand", balance.quantity)
        .number("reserved", balance.reserved)
        .number("paise", balance.paise)
        .end_object();
  }
  answer.end_list();
  return {};
}

Status find_reservation(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const std::string reservation = arguments.text("reservation");
  BAHI_TRY(arguments.check());
  ReservationRow row;
  BAHI_ASSIGN(const bool found, get_row(context.state, kReservations, Key().text(reservation), row));
  if (!found) return Error{ErrorCode::kNotFound, fmt::format("there is no reservation '{}'", reservation)};
  answer.text("reservation", reservation)
      .text("state", kReservationStateNames.at(static_cast<std::size_t>(row.state)))
      .text("location", row.location)
      .number("offset", static_cast<std::int64_t>(row.offset));
  if (row.expires_at != 0) answer.time("expires_at", {row.expires_at});
  answer.begin_list("lines");
  for (const ReservedLine& line : row.lines) {
    answer.begin_element()
        .text("item", line.item)
        .text("batch", line.batch)
        .number("quantity", line.quantity)
        .end_object();
  }
  answer.end_list();
  return {};
}

Status list_due_reservations(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const Timestamp at = arguments.optional_time("at").value_or(SystemClock::instance().now());
  const PageRequest request = PageRequest::take(arguments);
  BAHI_TRY(arguments.check());
  const PageCursor cursor(context.tenant, {"stock.due_reservations"});
  BAHI_ASSIGN(PageScan page, PageScan::begin(context.state, kDue, {}, false, request, cursor));
  answer.begin_list("reservations");
  for (; page.more(); page.next()) {
    KeyReader key(page.key());
    const std::int64_t expires_at = key.signed_number();
    if (expires_at > at.nanos) {
      page.end();
      break;
    }
    answer.begin_element().text("reservation", key.text()).time("expires_at", {expires_at}).end_object();
  }
  answer.end_list();
  return page.finish(answer);
}

Status list_discrepancies(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const PageRequest request = PageRequest::take(arguments);
  BAHI_TRY(arguments.check());
  const PageCursor cursor(context.tenant, {"stock.discrepancies"});
  BAHI_ASSIGN(PageScan page, PageScan::begin(context.state, kDiscrepancies, {}, true, request, cursor));
  answer.begin_list("discrepancies");
  for (; page.more(); page.next()) {
    DiscrepancyRow row;
    BAHI_TRY(read_row(page.value(), row));
    answer.begin_element()
        .number("offset", static_cast<std::int64_t>(KeyReader(page.key()).number()))
        .text("kind", kDiscrepancyNames.at(static_cast<std::size_t>(row.kind)))
        .text_if("item", row.item)
        .text_if("location", row.location)
        .text_if("batch", row.batch)
        .text_if("reference", row.reference);
    if (row.kind == Discrepancy::kBelowZero) answer.number("on_hand", row.quantity);
    answer.end_object();
  }
  answer.end_list();
  return page.finish(answer);
}

}  // namespace bahi::projections::stock
