// Sales and returns.

#include <map>

#include <fmt/format.h>

#include "bahi/base/clock.hpp"
#include "stock/commands.hpp"

namespace bahi::projections::stock {
namespace {

/// A sale as it was asked for.
struct SaleRequest {
  std::string sale;
  std::string location;
  std::string reservation;
  std::string customer;
  std::optional<Timestamp> at;
  bool inter_state = false;
  std::vector<WantedLine> lines;

  static SaleRequest take(Arguments& arguments, bool quote) {
    SaleRequest request;
    if (!quote) request.sale = arguments.text("sale");
    request.location = arguments.text("location");
    request.reservation = arguments.optional_text("reservation").value_or("");
    if (!quote) request.customer = arguments.optional_text("customer").value_or("");
    request.at = arguments.optional_time("at");
    request.inter_state = arguments.flag("inter_state");
    request.lines = take_lines(arguments, BatchWanted::kNo, true);
    return request;
  }
};

/// One batch of one line, with its money.
struct SoldLine {
  std::string item;
  Pick pick;
  std::int64_t rate_basis_points = 0;
  std::int64_t mrp_paise = 0;
  LineTax tax;
};

struct SaleDraft {
  std::vector<SoldLine> lines;
  std::int64_t taxable_paise = 0;
  std::int64_t tax_paise = 0;
  std::int64_t rounding_paise = 0;
  std::int64_t total_paise = 0;
};

Error too_much_money(std::string_view item) {
  return {ErrorCode::kInvalidArgument,
          fmt::format("argument 'lines': quantity and price of item '{}' multiply beyond {} paise", item, kPaiseMax)};
}

/// What a picked batch is sold for: at the price asked for, which is without tax; otherwise at its MRP, tax included;
/// without either for nothing.
Result<LineTax> price(const WantedLine& wanted, const SoldLine& line, bool inter_state) {
  const std::int64_t unit_paise = wanted.price_paise.value_or(line.mrp_paise);
  std::int64_t paise = 0;
  if (__builtin_mul_overflow(unit_paise, line.pick.quantity, &paise) || paise > kPaiseMax) {
    return too_much_money(line.item);
  }
  const auto tax = wanted.price_paise ? tax_on_top(paise, line.rate_basis_points, inter_state)
                                      : tax_within(paise, line.rate_basis_points, inter_state);
  if (!tax) return too_much_money(line.item);
  // Exact: a price of 10^12 paise times 2 * 10^4 fits.
  const bool above = wanted.price_paise && line.mrp_paise > 0 &&
                     *wanted.price_paise * (kBasisPoints + line.rate_basis_points) > line.mrp_paise * kBasisPoints;
  if (above) {
    return refused(
        fmt::format("item '{}', batch '{}': the price of {} paise and its tax of {} basis points are above "
                    "the MRP of {} paise",
                    line.item, line.pick.batch, *wanted.price_paise, line.rate_basis_points, line.mrp_paise));
  }
  return *tax;
}

Result<SaleDraft> draft_sale(const QueryContext& context, Timestamp now, const SaleRequest& request) {
  BAHI_ASSIGN(const AsOf when, as_of(context.state, now, request.at, {}));
  Shelves shelves(context.state, request.location, when.date);
  if (!request.reservation.empty()) {
    BAHI_ASSIGN(ReservationRow reservation, open_reservation(context.state, request.reservation));
    if (reservation.location != request.location) {
      return refused(fmt::format("the reservation '{}' is at '{}', not at '{}'", request.reservation,
                                 reservation.location, request.location));
    }
    shelves.credit(std::move(reservation.lines));
  }
  SaleDraft draft;
  for (const WantedLine& wanted : request.lines) {
    BAHI_ASSIGN(std::vector<Pick> picks, shelves.pick(wanted.item, wanted.quantity));
    BAHI_ASSIGN(const std::int64_t rate, tax_rate_at(context.state, wanted.item, when.at));
    for (Pick& pick : picks) {
      SoldLine line{wanted.item, std::move(pick), rate, 0, {}};
      BAHI_ASSIGN(line.mrp_paise, mrp_at(context.state, line.item, line.pick.batch, when.at));
      BAHI_ASSIGN(line.tax, price(wanted, line, request.inter_state));
      BAHI_TRY(add_to(draft.taxable_paise, line.tax.amount_paise));
      BAHI_TRY(add_to(draft.tax_paise, line.tax.tax_paise()));
      draft.lines.push_back(std::move(line));
    }
  }
  const std::int64_t exact = draft.taxable_paise + draft.tax_paise;
  draft.total_paise = round_to_rupee(exact);
  draft.rounding_paise = draft.total_paise - exact;
  return draft;
}

void write_draft(Answer& answer, const SaleDraft& draft) {
  answer.begin_list("lines");
  for (const SoldLine& line : draft.lines) {
    answer.begin_element()
        .text("item", line.item)
        .text("batch", line.pick.batch)
        .number("quantity", line.pick.quantity)
        .number("amount_paise", line.tax.amount_paise)
        .number("tax_rate_basis_points", line.rate_basis_points)
        .number("cgst_paise", line.tax.cgst_paise)
        .number("sgst_paise", line.tax.sgst_paise)
        .number("igst_paise", line.tax.igst_paise)
        .number("mrp_paise", line.mrp_paise)
        .end_object();
  }
  answer.end_list()
      .number("taxable_paise", draft.taxable_paise)
      .number("tax_paise", draft.tax_paise)
      .number("rounding_paise", draft.rounding_paise)
      .number("total_paise", draft.total_paise);
}

/// What is left of a sale that could be returned, by item and batch.
using Returnable = std::map<std::pair<std::string, std::string>, Lot>;

struct SaleOnRecord {
  Returnable returnable;
  std::string location;
  std::optional<std::uint64_t> offset;  // nothing: no such sale
};

Result<SaleOnRecord> find_sale(const StateView& state, std::string_view sale) {
  SaleOnRecord record;
  const Key prefix = Key().text(sale);
  RowScan scan = state.scan(kSales, prefix);
  for (scan.seek_first(); scan.valid(); scan.next()) {
    SaleRow row;
    BAHI_TRY(read_row(scan.value(), row));
    if (!row.returned && !record.offset) {
      record.offset = KeyReader(scan.key().substr(prefix.bytes().size())).number();
      record.location = row.location;
    }
    for (const SaleLineRow& line : row.lines) {
      Lot& lot = record.returnable[{std::string(line.item), std::string(line.batch)}];
      lot.quantity += row.returned ? -line.quantity : line.quantity;
      lot.paise += row.returned ? -line.cost_paise : line.cost_paise;
    }
  }
  BAHI_TRY(scan.status());
  return record;
}

}  // namespace

Result<Decision> decide_sale(const CommandContext& context, Arguments& arguments) {
  const SaleRequest request = SaleRequest::take(arguments, false);
  BAHI_TRY(arguments.check());
  BAHI_ASSIGN(const SaleOnRecord earlier, find_sale(context.query.state, request.sale));
  if (earlier.offset) {
    return refused(fmt::format("the sale '{}' is recorded already, at offset {}", request.sale, *earlier.offset));
  }
  BAHI_ASSIGN(const SaleDraft draft, draft_sale(context.query, context.now, request));
  Deciding deciding("sale-" + request.sale, "stock.Sold");
  for (const WantedLine& line : request.lines) deciding.item(line.item);
  deciding.tag(sale_tag(request.sale));
  deciding.time_zone();
  deciding.effective_at(request.at);
  deciding.data().text("sale", request.sale).text("location", request.location);
  deciding.data().text_if("reservation", request.reservation).text_if("customer", request.customer);
  if (!request.reservation.empty()) {
    deciding.tag(reservation_tag(request.reservation));
    // The sale frees what else was reserved, so those who decide about it must be told too.
    BAHI_ASSIGN(const ReservationRow reservation, open_reservation(context.query.state, request.reservation));
    for (const ReservedLine& line : reservation.lines) deciding.item(line.item);
  }
  write_draft(deciding.data(), draft);
  return deciding.finish();
}

Status quote_sale(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const SaleRequest request = SaleRequest::take(arguments, true);
  BAHI_TRY(arguments.check());
  BAHI_ASSIGN(const SaleDraft draft, draft_sale(context, SystemClock::instance().now(), request));
  write_draft(answer, draft);
  return {};
}

Result<Decision> decide_return(const CommandContext& context, Arguments& arguments) {
  const std::string sale = arguments.text("sale");
  const auto location = arguments.optional_text("location");
  const auto reason = arguments.optional_text("reason");
  const auto at = arguments.optional_time("at");
  const std::vector<WantedLine> lines = take_lines(arguments, BatchWanted::kYes, false);
  BAHI_TRY(arguments.check());
  BAHI_ASSIGN(SaleOnRecord record, find_sale(context.query.state, sale));
  if (!record.offset) return Error{ErrorCode::kNotFound, fmt::format("there is no sale '{}'", sale)};

  Deciding deciding("sale-" + sale, "stock.Returned");
  deciding.tag(sale_tag(sale));
  deciding.effective_at(at);
  deciding.data().text("sale", sale).text("location", location.value_or(record.location));
  deciding.data().begin_list("lines");
  for (const WantedLine& line : lines) {
    Lot& left = record.returnable[{line.item, line.batch}];
    if (left.quantity < line.quantity) {
      return refused(fmt::format("{} of item '{}', batch '{}' are to be returned, {} of sale '{}' are still out",
                                 line.quantity, line.item, line.batch, std::max<std::int64_t>(0, left.quantity), sale));
    }
    // It comes back at what it left at: all of it at exactly that.
    const std::int64_t cost = value_out({left.quantity, std::max<std::int64_t>(0, left.paise)}, line.quantity);
    left.quantity -= line.quantity;
    left.paise -= cost;
    deciding.item(line.item);
    deciding.data().begin_element().text("item", line.item).text("batch", line.batch);
    deciding.data().number("quantity", line.quantity).number("cost_paise", cost).end_object();
  }
  deciding.data().end_list();
  if (reason) deciding.data().text("reason", *reason);
  return deciding.finish();
}

}  // namespace bahi::projections::stock
