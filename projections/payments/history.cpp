// What happened to a payment or an order: the events of several histories, merged by their offsets.

#include <algorithm>

#include "page_scan.hpp"
#include "payments/fold.hpp"
#include "payments/queries.hpp"

namespace bahi::projections::payments {
namespace {

/// An order with more payments and payouts than this shows the history of the first.
constexpr std::size_t kSourcesMax = 1000;

struct Strand {
  const HistorySource* source = nullptr;
  std::size_t prefix_bytes = 0;
  RowScan scan;

  [[nodiscard]] std::uint64_t offset() const { return KeyReader(scan.key().substr(prefix_bytes)).number(); }
};

std::string_view name_of(std::uint8_t table) {
  if (table == kOrderHistory) return "order";
  return table == kPaymentHistory ? "payment" : "payout";
}

Status write_event(const Strand& strand, Answer& answer) {
  HistoryRow row;
  BAHI_TRY(read_row(strand.scan.value(), row));
  if (row.kind >= PaymentsFold::kHandlers.size()) {
    return Error{ErrorCode::kViewsDamaged, "payments: an event of no known kind; rebuild the read model"};
  }
  answer.begin_element()
      .number("offset", static_cast<std::int64_t>(strand.offset()))
      .text("type", PaymentsFold::kHandlers.at(row.kind).type)
      .time("effective_at", {row.effective_at})
      .text(name_of(strand.source->table), strand.source->id);
  if (row.paise != 0) answer.number("amount_paise", row.paise);
  if (strand.source->table != kPayoutHistory) answer.text_if("reference", row.reference);
  if (row.due_at != 0) answer.time("due_at", {row.due_at});
  answer.text_if("note", row.note).flag("changed", row.changed).end_object();
  return {};
}

}  // namespace

Status add_sources(const StateView& state, std::string_view payment, std::vector<HistorySource>& sources) {
  sources.push_back({kPaymentHistory, std::string(payment)});
  const Key prefix = Key().text(payment);
  RowScan scan = state.scan(kPaymentPayouts, prefix);
  for (scan.seek_first(); scan.valid() && sources.size() < kSourcesMax; scan.next()) {
    sources.push_back({kPayoutHistory, KeyReader(scan.key().substr(prefix.bytes().size())).text()});
  }
  return scan.status();
}

Status write_history(const StateView& state, const std::vector<HistorySource>& sources, std::int64_t limit,
                     const std::optional<std::string>& after, const PageCursor& cursor, Answer& answer) {
  std::uint64_t from = 0;
  if (after) {
    BAHI_ASSIGN(const std::string last, cursor.decode(*after));
    from = KeyReader(last).number() + 1;
  }
  std::vector<Strand> strands;
  for (const HistorySource& source : sources) {
    const Key prefix = Key().text(source.id);
    Strand strand{&source, prefix.bytes().size(), state.scan(source.table, prefix)};
    strand.scan.seek(Key().text(source.id).number(from));
    BAHI_TRY(strand.scan.status());
    if (strand.scan.valid()) strands.push_back(std::move(strand));
  }
  const auto later = [](const Strand& a, const Strand& b) { return a.offset() > b.offset(); };
  std::make_heap(strands.begin(), strands.end(), later);
  std::uint64_t last = 0;
  answer.begin_list("history");
  for (; limit > 0 && !strands.empty(); --limit) {
    std::pop_heap(strands.begin(), strands.end(), later);
    Strand& strand = strands.back();
    last = strand.offset();
    BAHI_TRY(write_event(strand, answer));
    strand.scan.next();
    BAHI_TRY(strand.scan.status());
    if (strand.scan.valid()) {
      std::push_heap(strands.begin(), strands.end(), later);
    } else {
      strands.pop_back();
    }
  }
  answer.end_list();
  if (!strands.empty()) answer.text("next", cursor.encode(Key().number(last)));
  return {};
}

}  // namespace bahi::projections::payments
