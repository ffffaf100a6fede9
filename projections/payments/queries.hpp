// What the payments are asked. README.md has the arguments and answers.
#pragma once

#include <string_view>
#include <vector>

#include "page_cursor.hpp"
#include "payments/standing.hpp"
#include "projection.hpp"

namespace bahi::projections::payments {

// --- one of them: find.cpp
Status find_payment(const QueryContext& context, Arguments& arguments, Answer& answer);
Status find_order(const QueryContext& context, Arguments& arguments, Answer& answer);
Status find_payout(const QueryContext& context, Arguments& arguments, Answer& answer);

// --- what belongs to a payment: parts.cpp
Status list_captures(const QueryContext& context, Arguments& arguments, Answer& answer);
Status list_refunds(const QueryContext& context, Arguments& arguments, Answer& answer);
Status list_disputes(const QueryContext& context, Arguments& arguments, Answer& answer);
Status list_payouts(const QueryContext& context, Arguments& arguments, Answer& answer);

// --- many of them: lists.cpp
Status list_payments(const QueryContext& context, Arguments& arguments, Answer& answer);
Status list_orders(const QueryContext& context, Arguments& arguments, Answer& answer);
Status list_overdue_holds(const QueryContext& context, Arguments& arguments, Answer& answer);
Status list_release_queue(const QueryContext& context, Arguments& arguments, Answer& answer);
Status list_payout_queue(const QueryContext& context, Arguments& arguments, Answer& answer);
Status list_totals(const QueryContext& context, Arguments& arguments, Answer& answer);
Status list_not_translated(const QueryContext& context, Arguments& arguments, Answer& answer);

// --- what does not fit: reconciliation.cpp
Status list_findings(const QueryContext& context, Arguments& arguments, Answer& answer);
/// Captured payments whose order is not known, as `payments`.
Status list_orphans(const QueryContext& context, Arguments& arguments, Answer& answer);

// --- what they share

/// The row and what follows from it. Error: kNotFound. In find.cpp.
[[nodiscard]] Result<PaymentRow> known_payment(const StateView& state, std::string_view payment);
/// Captured, and its order is not known: reconciliation_needed.
[[nodiscard]] Result<bool> is_orphan(const StateView& state, const PaymentRow& row);
/// Members of the object under way.
Status write_payment(const StateView& state, std::string_view payment, const PaymentRow& row, Answer& answer);
Status write_order(std::string_view order, const OrderRow& row, Answer& answer);
/// The first of each kind, as the lists `captures`, `refunds`, `disputes` and `payouts`. In parts.cpp.
Status write_parts(const StateView& state, std::string_view payment, bool orphan, Answer& answer);

/// Whose events a history shows.
struct HistorySource {
  std::uint8_t table = 0;
  std::string id;
};
/// A page of the events of several, in the order of the log, as `history`. In history.cpp.
Status write_history(const StateView& state, const std::vector<HistorySource>& sources, std::int64_t limit,
                     const std::optional<std::string>& after, const PageCursor& cursor, Answer& answer);
/// A payment's own events and those of its payouts.
Status add_sources(const StateView& state, std::string_view payment, std::vector<HistorySource>& sources);

}  // namespace bahi::projections::payments
