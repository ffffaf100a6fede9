// What happened: the ledger of an item, where a batch went, what a sale was, and balances as of a date.

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "bahi/base/clock.hpp"
#include "page_scan.hpp"
#include "stock/queries.hpp"
#include "stock/shelf.hpp"

namespace bahi::projections::stock {
namespace {

/// Offset and line, the last two parts of a ledger's or a trace's key.
std::pair<std::uint64_t, std::uint64_t> place_in_log(std::string_view key) {
  KeyReader reader(key.substr(key.size() - std::min<std::size_t>(key.size(), 16)));
  const std::uint64_t offset = reader.number();
  return {offset, reader.number()};
}

void write_place(Answer& answer, std::string_view key) {
  const auto [offset, line] = place_in_log(key);
  answer.begin_element()
      .number("offset", static_cast<std::int64_t>(offset))
      .number("line", static_cast<std::int64_t>(line));
}

}  // namespace

Status list_ledger(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const std::string item = arguments.text("item");
  const std::string location = arguments.text("location");
  const bool newest_first = arguments.choice("order", {"oldest", "newest"}) == 1;
  const PageRequest request = PageRequest::take(arguments);
  BAHI_TRY(arguments.check());
  const PageCursor cursor(context.tenant, {"stock.ledger", item, location, newest_first ? "newest" : "oldest"});
  const Key prefix = Key().text(item).text(location);
  BAHI_ASSIGN(PageScan page, PageScan::begin(context.state, kLedger, prefix, newest_first, request, cursor));
  answer.begin_list("rows");
  for (; page.more(); page.next()) {
    LedgerRow row;
    BAHI_TRY(read_row(page.value(), row));
    write_place(answer, page.key());
    answer.text("kind", to_string(row.kind))
        .time("effective_at", {row.effective_at})
        .text("batch", row.batch)
        .number("quantity", row.quantity)
        .number("paise", row.paise)
        .number("balance_quantity", row.balance_quantity)
        .number("balance_paise", row.balance_paise)
        .number("batch_quantity", row.batch_quantity)
        .number("batch_paise", row.batch_paise)
        .text_if("reference", row.reference)
        .text_if("note", row.note)
        .end_object();
  }
  answer.end_list();
  return page.finish(answer);
}

Status trace_batch(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const std::string item = arguments.text("item");
  const std::string batch = arguments.text("batch");
  const PageRequest request = PageRequest::take(arguments);
  BAHI_TRY(arguments.check());
  const PageCursor cursor(context.tenant, {"stock.trace", item, batch});
  const Key prefix = Key().text(item).text(batch);
  BAHI_ASSIGN(PageScan page, PageScan::begin(context.state, kTrace, prefix, false, request, cursor));
  answer.begin_list("movements");
  for (; page.more(); page.next()) {
    TraceRow row;
    BAHI_TRY(read_row(page.value(), row));
    write_place(answer, page.key());
    const bool of_sale = row.kind == Movement::kSold || row.kind == Movement::kReturned;
    answer.text("kind", to_string(row.kind))
        .time("effective_at", {row.effective_at})
        .text("location", row.location)
        .number("quantity", row.quantity)
        .number("paise", row.paise)
        .text_if(of_sale ? "sale" : "reference", row.reference)
        .text_if("note", row.note)
        .end_object();
  }
  answer.end_list();
  return page.finish(answer);
}

Status find_sale(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const std::string sale = arguments.text("sale");
  const PageRequest request = PageRequest::take(arguments);
  BAHI_TRY(arguments.check());
  const PageCursor cursor(context.tenant, {"stock.sale", sale});
  const Key prefix = Key().text(sale);
  BAHI_ASSIGN(PageScan page, PageScan::begin(context.state, kSales, prefix, false, request, cursor));
  if (!page.more() && !request.cursor) {
    return Error{ErrorCode::kNotFound, fmt::format("there is no sale '{}'", sale)};
  }
  answer.begin_list("events");
  for (; page.more(); page.next()) {
    SaleRow row;
    BAHI_TRY(read_row(page.value(), row));
    const std::uint64_t offset = KeyReader(page.key().substr(prefix.bytes().size())).number();
    answer.begin_element()
        .number("offset", static_cast<std::int64_t>(offset))
        .text("kind", row.returned ? "returned" : "sold")
        .text("location", row.location)
        .time("effective_at", {row.effective_at})
        .text_if("customer", row.customer);
    if (!row.returned) answer.number("total_paise", row.total_paise);
    answer.begin_list("lines");
    for (const SaleLineRow& line : row.lines) {
      answer.begin_element()
          .text("item", line.item)
          .text("batch", line.batch)
          .number("quantity", line.quantity)
          .number("cost_paise", line.cost_paise);
      if (!row.returned) answer.number("amount_paise", line.amount_paise).number("tax_paise", line.tax_paise);
      answer.end_object();
    }
    answer.end_list().end_object();
  }
  answer.end_list();
  return page.finish(answer);
}

namespace {

/// One movement of the item, as the fold saw it.
struct PastMovement {
  std::int64_t effective_at = 0;
  std::uint64_t offset = 0;
  std::uint64_t line = 0;
  Movement kind = Movement::kReceived;
  std::uint32_t place = 0;
  std::int64_t quantity = 0;
  std::int64_t paise = 0;
};

/// The movements of an item over all locations, since what a transfer brings depends on what it left with.
class History {
 public:
  Status load(const StateView& state, std::string_view item, std::int64_t until) {
    RowScan scan = state.scan(kLedger, Key().text(item));
    for (scan.seek_first(); scan.valid(); scan.next()) {
      LedgerRow row;
      BAHI_TRY(read_row(scan.value(), row));
      if (row.effective_at > until) continue;
      KeyReader key(scan.key());
      (void)key.text();
      const auto place = places_.emplace(std::pair{key.text(), std::string(row.batch)}, places_.size()).first;
      const std::uint64_t offset = key.number();
      movements_.push_back({row.effective_at, offset, key.number(), row.kind, static_cast<std::uint32_t>(place->second),
                            row.quantity, row.paise});
    }
    return scan.status();
  }

  /// Folds them in the order in which they took effect.
  Status fold() {
    std::sort(movements_.begin(), movements_.end(), [](const PastMovement& a, const PastMovement& b) {
      return std::tie(a.effective_at, a.offset, a.line) < std::tie(b.effective_at, b.offset, b.line);
    });
    lots_.assign(places_.size(), {});
    std::int64_t moved = 0;  // by the transfer under way
    for (const PastMovement& movement : movements_) {
      Lot& lot = lots_[movement.place];
      std::int64_t paise = movement.paise;
      if (movement.quantity < 0) {
        moved = value_out(lot, -movement.quantity);
        paise = -moved;
      } else if (movement.kind == Movement::kTransferredIn) {
        paise = moved;
      } else if (movement.kind == Movement::kCounted && lot.quantity > 0) {
        paise = multiply_divide(lot.paise, movement.quantity, lot.quantity).value_or(movement.paise);
      }
      BAHI_TRY(add_to(lot.quantity, movement.quantity));
      BAHI_TRY(add_to(lot.paise, paise));
    }
    return {};
  }

  Status write(Answer& answer, std::string_view location) const {
    Lot total;
    answer.begin_list("batches");
    for (const auto& [place, number] : places_) {
      const Lot& lot = lots_[number];
      if ((!location.empty() && place.first != location) || (lot.quantity == 0 && lot.paise == 0)) continue;
      BAHI_TRY(add_to(total.quantity, lot.quantity));
      BAHI_TRY(add_to(total.paise, lot.paise));
      answer.begin_element()
          .text("location", place.first)
          .text("batch", place.second)
          .number("quantity", lot.quantity)
          .number("paise", lot.paise)
          .end_object();
    }
    answer.end_list().number("quantity", total.quantity).number("paise", total.paise);
    return {};
  }

 private:
  std::map<std::pair<std::string, std::string>, std::size_t> places_;  // location, batch -> number
  std::vector<PastMovement> movements_;
  std::vector<Lot> lots_;
};

}  // namespace

Status balance_as_of_date(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const std::string item = arguments.text("item");
  const std::string location = arguments.optional_text("location").value_or("");
  const auto at = arguments.optional_time("at");
  const auto date = arguments.optional_date("date");
  BAHI_TRY(arguments.check());
  if (at.has_value() == date.has_value()) {
    return Error{ErrorCode::kInvalidArgument, "give either 'date', for the end of that day, or 'at', for a moment"};
  }
  std::int64_t until = 0;
  if (date) {
    BAHI_ASSIGN(const std::int32_t minutes, utc_offset_minutes(context.state));
    until = end_of_date(*date, minutes).nanos - 1;
  } else {
    until = at->nanos;
  }
  History history;
  BAHI_TRY(history.load(context.state, item, until));
  BAHI_TRY(history.fold());
  answer.time("effective_until", {until});
  return history.write(answer, location);
}

}  // namespace bahi::projections::stock
