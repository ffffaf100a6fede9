#include "payments/payments.hpp"

#include "payments/commands.hpp"
#include "payments/fold.hpp"
#include "payments/queries.hpp"

namespace bahi::projections::payments {

Projection projection() {
  Projection projection;
  projection.name = "payments";
  projection.version = 1;
  projection.summary = "payments and orders with their refunds, disputes, holds and payouts";
  projection.types = PaymentsFold::types();
  projection.make_fold = &PaymentsFold::make;
  projection.queries = {
      {"payment", find_payment},
      {"order", find_order},
      {"payout", find_payout},
      {"captures", list_captures},
      {"refunds", list_refunds},
      {"disputes", list_disputes},
      {"payouts", list_payouts},
      {"payments", list_payments},
      {"orders", list_orders},
      {"overdue_holds", list_overdue_holds},
      {"release_queue", list_release_queue},
      {"payout_queue", list_payout_queue},
      {"totals", list_totals},
      {"reconciliation", list_findings},
      {"not_translated", list_not_translated},
  };
  projection.commands = {
      {"capture", decide_capture}, {"refund", decide_refund}, {"hold", decide_hold},
      {"release", decide_release}, {"payout", decide_payout},
  };
  return projection;
}

}  // namespace bahi::projections::payments
