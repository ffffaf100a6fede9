// What is there: balances, picks and values.

#include <optional>

#include "bahi/base/clock.hpp"
#include "page_scan.hpp"
#include "stock/queries.hpp"
#include "stock/shelf.hpp"

namespace bahi::projections::stock {
namespace {

/// A question about balances, in whichever order its arguments ask for.
class AvailabilityPage {
 public:
  AvailabilityPage(const QueryContext& context, Answer& answer) : context_(context), answer_(answer) {}

  Status run(Arguments& arguments) {
    item_ = arguments.optional_text("item").value_or("");
    location_ = arguments.optional_text("location").value_or("");
    before_ = arguments.optional_date("expiring_before");
    const auto at = arguments.optional_time("at");
    const auto date = arguments.optional_date("date");
    const PageRequest request = PageRequest::take(arguments);
    BAHI_TRY(arguments.check());
    BAHI_ASSIGN(const AsOf when, as_of(context_.state, SystemClock::instance().now(), at, date));
    date_ = when.date;
    answer_.date("date", date_);
    if (!item_.empty()) BAHI_TRY(write_total());
    const PageCursor cursor(
        context_.tenant, {"stock.availability", item_, location_, before_ ? std::to_string(*before_) : std::string()});
    answer_.begin_list("batches");
    if (!item_.empty()) return list_item(request, cursor);
    if (!location_.empty()) return list_location(request, cursor);
    return before_ ? list_expiring(request, cursor) : list_item(request, cursor);
  }

 private:
  /// Of the item, at one location or at all.
  Status write_total() {
    Balance total;
    Key prefix = Key().text(item_);
    if (!location_.empty()) prefix.text(location_);
    RowScan scan = context_.state.scan(kTotals, prefix);
    for (scan.seek_first(); scan.valid(); scan.next()) {
      Balance row;
      BAHI_TRY(read_row(scan.value(), row));
      BAHI_TRY(add_to(total.quantity, row.quantity));
      BAHI_TRY(add_to(total.paise, row.paise));
      BAHI_TRY(add_to(total.reserved, row.reserved));
    }
    BAHI_TRY(scan.status());
    answer_.begin_object("total")
        .number("on_hand", total.quantity)
        .number("reserved", total.reserved)
        .number("available", total.quantity - total.reserved)
        .number("paise", total.paise)
        .end_object();
    return {};
  }

  /// By item, location and batch.
  Status list_item(const PageRequest& request, const PageCursor& cursor) {
    Key prefix;
    if (!item_.empty()) prefix.text(item_);
    if (!item_.empty() && !location_.empty()) prefix.text(location_);
    BAHI_ASSIGN(PageScan page, PageScan::begin(context_.state, kBalances, prefix, false, request, cursor));
    while (page.more()) {
      KeyReader key(page.key());
      const std::string item = key.text();
      const std::string location = key.text();
      const std::string batch = key.text();
      BatchRow row;
      BAHI_TRY(get_row(context_.state, kBatches, Key().text(item).text(batch), row));
      Balance balance;
      BAHI_TRY(read_row(page.value(), balance));
      const bool wanted = !before_ || row.expires_on < *before_;
      if (wanted) write(item, location, batch, row, balance);
      page.next(wanted);
    }
    return finish(page);
  }

  /// At one location, by expiry.
  Status list_location(const PageRequest& request, const PageCursor& cursor) {
    BAHI_ASSIGN(PageScan page,
                PageScan::begin(context_.state, kShelves, Key().text(location_), false, request, cursor));
    while (page.more()) {
      KeyReader key(page.key());
      (void)key.text();
      const std::int64_t expires_on = key.signed_number();
      if (before_ && expires_on >= *before_) {
        page.end();
        break;
      }
      const std::string item = key.text();
      const std::string batch = key.text();
      BatchRow row;
      BAHI_TRY(get_row(context_.state, kBatches, Key().text(item).text(batch), row));
      BAHI_TRY(write_at(item, location_, batch, row));
      page.next();
    }
    return finish(page);
  }

  /// At all locations, by expiry. A batch is on one page as a whole.
  Status list_expiring(const PageRequest& request, const PageCursor& cursor) {
    BAHI_ASSIGN(PageScan page, PageScan::begin(context_.state, kExpiries, {}, false, request, cursor));
    while (page.more()) {
      KeyReader key(page.key());
      if (key.signed_number() >= *before_) {
        page.end();
        break;
      }
      const std::string item = key.text();
      const std::string batch = key.text();
      BatchRow row;
      BAHI_TRY(get_row(context_.state, kBatches, Key().text(item).text(batch), row));
      for (const std::string& location : row.locations) BAHI_TRY(write_at(item, location, batch, row));
      page.next();
    }
    return finish(page);
  }

  Status write_at(std::string_view item, std::string_view location, std::string_view batch, const BatchRow& row) {
    Balance balance;
    BAHI_TRY(get_row(context_.state, kBalances, Key().text(item).text(location).text(batch), balance));
    write(item, location, batch, row, balance);
    return {};
  }

  void write(std::string_view item, std::string_view location, std::string_view batch, const BatchRow& row,
             const Balance& balance) {
    answer_.begin_element()
        .text("item", item)
        .text("location", location)
        .text("batch", batch)
        .number("on_hand", balance.quantity)
        .number("reserved", balance.reserved)
        .number("available", balance.quantity - balance.reserved)
        .number("paise", balance.paise);
    if (row.expires_on != kNeverExpires) answer_.date("expires_on", row.expires_on);
    answer_.flag("expired", row.expires_on <= date_).flag("recalled", row.recalled).flag("held", row.held);
    answer_.flag("may_be_picked", may_be_picked(row, date_)).end_object();
  }

  Status finish(const PageScan& page) {
    answer_.end_list();
    return page.finish(answer_);
  }

  const QueryContext& context_;
  Answer& answer_;
  std::string item_;
  std::string location_;
  std::optional<std::int32_t> before_;
  std::int32_t date_ = 0;
};

}  // namespace

Status list_availability(const QueryContext& context, Arguments& arguments, Answer& answer) {
  return AvailabilityPage(context, answer).run(arguments);
}

Status plan_picks(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const std::string item = arguments.text("item");
  const std::string location = arguments.text("location");
  const std::int64_t quantity = arguments.number("quantity", 1, INT64_MAX);
  const auto at = arguments.optional_time("at");
  const auto date = arguments.optional_date("date");
  BAHI_TRY(arguments.check());
  BAHI_TRY(defined_item(context.state, item));
  BAHI_ASSIGN(const AsOf when, as_of(context.state, SystemClock::instance().now(), at, date));
  BAHI_ASSIGN(Shelf shelf, Shelf::load(context.state, item, location, when.date));
  std::int64_t planned = 0;
  answer.date("date", when.date).begin_list("picks");
  for (const Pick& pick : shelf.pick(quantity)) {
    planned += pick.quantity;
    answer.begin_element().text("batch", pick.batch).number("quantity", pick.quantity);
    if (pick.expires_on != kNeverExpires) answer.date("expires_on", pick.expires_on);
    answer.end_object();
  }
  answer.end_list()
      .number("planned", planned)
      .number("missing", quantity - planned)
      .flag("complete", planned == quantity);
  return {};
}

namespace {

void write_value(Answer& answer, std::string_view item, std::string_view location, const Balance& total) {
  answer.begin_element()
      .text("item", item)
      .text("location", location)
      .number("quantity", total.quantity)
      .number("paise", total.paise)
      .end_object();
}

/// Of the tenant, of a location or of an item.
Result<std::int64_t> total_value(const StateView& state, std::string_view item, std::string_view location) {
  std::int64_t total = 0;
  if (item.empty()) {
    RowScan scan = state.scan(kLocations, location.empty() ? Key() : Key().text(location));
    for (scan.seek_first(); scan.valid(); scan.next()) {
      LocationRow row;
      BAHI_TRY(read_row(scan.value(), row));
      BAHI_TRY(add_to(total, row.paise));
    }
    BAHI_TRY(scan.status());
    return total;
  }
  Key prefix = Key().text(item);
  if (!location.empty()) prefix.text(location);
  RowScan scan = state.scan(kTotals, prefix);
  for (scan.seek_first(); scan.valid(); scan.next()) {
    Balance row;
    BAHI_TRY(read_row(scan.value(), row));
    BAHI_TRY(add_to(total, row.paise));
  }
  BAHI_TRY(scan.status());
  return total;
}

}  // namespace

Status list_valuation(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const std::string item = arguments.optional_text("item").value_or("");
  const std::string location = arguments.optional_text("location").value_or("");
  const PageRequest request = PageRequest::take(arguments);
  BAHI_TRY(arguments.check());
  BAHI_ASSIGN(const std::int64_t total, total_value(context.state, item, location));
  answer.number("total_paise", total).begin_list("items");
  const PageCursor cursor(context.tenant, {"stock.valuation", item, location});
  const bool by_location = item.empty() && !location.empty();
  Key prefix;
  if (!item.empty()) prefix.text(item);
  if (!location.empty()) prefix.text(location);
  BAHI_ASSIGN(PageScan page,
              PageScan::begin(context.state, by_location ? kLocationItems : kTotals, prefix, false, request, cursor));
  for (; page.more(); page.next()) {
    KeyReader key(page.key());
    std::string first = key.text();
    std::string second = key.text();
    Balance row;
    if (by_location) {
      std::swap(first, second);
      BAHI_TRY(get_row(context.state, kTotals, Key().text(first).text(second), row));
    } else {
      BAHI_TRY(read_row(page.value(), row));
    }
    write_value(answer, first, second, row);
  }
  answer.end_list();
  return page.finish(answer);
}

}  // namespace bahi::projections::stock
