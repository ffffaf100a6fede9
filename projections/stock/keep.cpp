// Receipts, transfers, write-offs and counts.

#include <algorithm>

#include <fmt/format.h>

#include "bahi/base/text.hpp"
#include "stock/commands.hpp"

namespace bahi::projections::stock {
namespace {

void write_line(Answer& data, std::string_view item, std::string_view batch, std::int64_t quantity) {
  data.begin_element().text("item", item).text("batch", batch).number("quantity", quantity).end_object();
}

}  // namespace

Result<Decision> decide_receipt(const CommandContext& context, Arguments& arguments) {
  const std::string item = arguments.text("item");
  const std::string batch = arguments.text("batch");
  const std::string location = arguments.text("location");
  const std::int64_t quantity = arguments.number("quantity", 1, kQuantityMax);
  const std::int64_t cost = arguments.number("cost_paise", 0, kPaiseMax);
  const auto expires_on = arguments.optional_date("expires_on");
  const std::int64_t mrp = arguments.number_or("mrp_paise", 0, 0, kQuantityMax);
  const auto reference = arguments.optional_text("reference");
  const auto at = arguments.optional_time("at");
  BAHI_TRY(arguments.check());
  BAHI_TRY(defined_item(context.query.state, item));
  BatchRow row;
  BAHI_TRY(get_row(context.query.state, kBatches, Key().text(item).text(batch), row));
  if (row.received_offset != kNotReceived && row.expires_on != expires_on.value_or(kNeverExpires)) {
    return refused(fmt::format(
        "batch '{}' of item '{}' was received before with {}; give the same expiry, or another "
        "batch id",
        batch, item,
        row.expires_on == kNeverExpires ? std::string("no expiry") : "expiry " + format_date(row.expires_on)));
  }
  Deciding deciding("stock-" + item, "stock.BatchReceived");
  deciding.item(item);
  deciding.effective_at(at);
  Answer& data = deciding.data();
  data.text("item", item).text("batch", batch).text("location", location);
  data.number("quantity", quantity).number("cost_paise", cost);
  if (expires_on) data.date("expires_on", *expires_on);
  if (mrp > 0) data.number("mrp_paise", mrp);
  if (reference) data.text("reference", *reference);
  return deciding.finish();
}

Result<Decision> decide_transfer(const CommandContext& context, Arguments& arguments) {
  const std::string from = arguments.text("from");
  const std::string to = arguments.text("to");
  const auto transfer = arguments.optional_text("transfer");
  const auto at = arguments.optional_time("at");
  const std::vector<WantedLine> lines = take_lines(arguments, BatchWanted::kMaybe, false);
  BAHI_TRY(arguments.check());
  if (from == to) {
    return Error{ErrorCode::kInvalidArgument, "argument 'to' is the same location as 'from'; name another"};
  }
  BAHI_ASSIGN(const AsOf when, as_of(context.query.state, context.now, at, {}));
  Shelves shelves(context.query.state, from, when.date);
  Deciding deciding(transfer ? "transfer-" + *transfer : "location-" + from, "stock.Transferred");
  deciding.time_zone();
  deciding.effective_at(at);
  deciding.data().text("from", from).text("to", to).begin_list("lines");
  for (const WantedLine& line : lines) {
    deciding.item(line.item);
    if (!line.batch.empty()) {
      BAHI_ASSIGN(Shelf * shelf, shelves.shelf(line.item));
      if (!shelf->take(line.batch, line.quantity)) {
        return refused(fmt::format("batch '{}' of item '{}' has no {} at '{}' that are not reserved; nothing was moved",
                                   line.batch, line.item, line.quantity, from));
      }
      write_line(deciding.data(), line.item, line.batch, line.quantity);
      continue;
    }
    BAHI_ASSIGN(const std::vector<Pick> picks, shelves.pick(line.item, line.quantity));
    for (const Pick& pick : picks) write_line(deciding.data(), line.item, pick.batch, pick.quantity);
  }
  deciding.data().end_list();
  if (transfer) deciding.data().text("transfer", *transfer);
  return deciding.finish();
}

Result<Decision> decide_write_off(const CommandContext& context, Arguments& arguments) {
  const std::string location = arguments.text("location");
  const std::string reason = arguments.text("reason");
  const auto at = arguments.optional_time("at");
  std::vector<WantedLine> lines = take_lines(arguments, BatchWanted::kYes, false);
  BAHI_TRY(arguments.check());
  Deciding deciding("location-" + location, "stock.WrittenOff");
  deciding.effective_at(at);
  deciding.data().text("location", location).begin_list("lines");
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const WantedLine& line = lines[i];
    BAHI_TRY(defined_item(context.query.state, line.item));
    Balance balance;
    BAHI_TRY(get_row(context.query.state, kBalances, Key().text(line.item).text(location).text(line.batch), balance));
    std::int64_t wanted = 0;  // by all lines up to this one
    for (std::size_t j = 0; j <= i; ++j) {
      if (lines[j].item == line.item && lines[j].batch == line.batch) BAHI_TRY(add_to(wanted, lines[j].quantity));
    }
    if (wanted > balance.quantity) {
      return refused(fmt::format("{} of item '{}', batch '{}' at '{}' are to be written off, on hand are {}", wanted,
                                 line.item, line.batch, location, balance.quantity));
    }
    deciding.item(line.item);
    write_line(deciding.data(), line.item, line.batch, line.quantity);
  }
  deciding.data().end_list().text("reason", reason);
  return deciding.finish();
}

Result<Decision> decide_count(const CommandContext& context, Arguments& arguments) {
  const std::string item = arguments.text("item");
  const std::string batch = arguments.text("batch");
  const std::string location = arguments.text("location");
  const std::int64_t quantity = arguments.number("quantity", 0, kQuantityMax);
  const std::string reason = arguments.text("reason");
  const auto expected = arguments.optional_number("expected", -kQuantityMax, kQuantityMax);
  BAHI_TRY(arguments.check());
  BAHI_TRY(defined_item(context.query.state, item));
  Balance balance;
  BAHI_TRY(get_row(context.query.state, kBalances, Key().text(item).text(location).text(batch), balance));
  if (expected && *expected != balance.quantity) {
    return refused(
        fmt::format("the ledger has {} of item '{}', batch '{}' at '{}', not {}; something moved since the "
                    "count, so count again",
                    balance.quantity, item, batch, location, *expected));
  }
  Deciding deciding("stock-" + item, "stock.Counted");
  deciding.item(item);
  deciding.data().text("item", item).text("batch", batch).text("location", location);
  deciding.data().number("quantity", quantity).text("reason", reason);
  return deciding.finish();
}

}  // namespace bahi::projections::stock
