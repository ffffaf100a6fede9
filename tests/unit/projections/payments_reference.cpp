#include "payments_reference.hpp"

#include <algorithm>

#include "bahi/base/text.hpp"

namespace bahi::test {
namespace {

std::string optional(const Json& data, const std::string& name) {
  return data.has("/" + name) ? data.text("/" + name) : "";
}

/// How far a fact is: what comes later in life counts more.
int reach(const std::string& type) {
  if (type.ends_with("Created") || type.ends_with("Opened") || type.ends_with("Requested")) return 1;
  if (type.ends_with("Succeeded") || type.ends_with("Won") || type.ends_with("Completed")) return 2;
  return 3;
}

}  // namespace

void ReferencePayments::apply(const Fact& fact) {
  const std::string type = fact.type.substr(std::string("payment.").size());
  const Json data(fact.data);
  Said said{type,
            optional(data, "order"),
            optional(data, "capture"),
            optional(data, "payment"),
            data.has("/amount_paise") ? data.number("/amount_paise") : 0,
            data.has("/fee_paise") ? data.number("/fee_paise") : 0,
            fact.occurred_at.nanos};
  const std::string& payment = said.payment;
  const Name capture{payment, said.capture.empty() ? payment : said.capture};
  if (type == "OrderPlaced") {
    placed_[said.order] = std::max(placed_[said.order], said.paise);
  } else if (type.starts_with("Refund")) {
    of_refund_[{payment, data.text("/refund")}].push_back(said);
  } else if (type.starts_with("Dispute")) {
    of_dispute_[{payment, data.text("/dispute")}].push_back(said);
  } else if (type.starts_with("Payout")) {
    of_payout_[data.text("/payout")].push_back(said);
  } else if (type == "HoldSet" || type == "Released") {
    of_capture_[capture].push_back(said);
  } else if (type == "Captured") {
    of_capture_[capture].push_back(said);
    of_payment_[payment].push_back(said);
  } else if (type != "ReleaseDue") {
    of_payment_[payment].push_back(said);
  }
}

ReferencePayments::Outcome ReferencePayments::outcome_of(const std::vector<Said>& all) {
  Outcome outcome;
  int furthest = 0;
  for (const Said& said : all) {
    const int how_far = reach(said.type);
    if (said.paise > 0 && (how_far > furthest || (how_far == furthest && said.paise > outcome.paise))) {
      furthest = how_far;
      outcome.paise = said.paise;
    }
    outcome.fee = std::max(outcome.fee, said.fee);
    const auto least = [](std::string& text, const std::string& other) {
      if (!other.empty() && (text.empty() || other < text)) text = other;
    };
    least(outcome.capture, said.capture);
    least(outcome.payment, said.payment);
    const auto [place, fresh] = outcome.first_at.emplace(said.type, said.at);
    if (!fresh) place->second = std::min(place->second, said.at);
  }
  if (outcome.capture.empty()) outcome.capture = outcome.payment;
  return outcome;
}

std::string ReferencePayments::day_of(std::int64_t nanos) {
  return format_timestamp({nanos + std::int64_t{19'800} * 1'000'000'000}).substr(0, 10);
}

void ReferencePayments::conclude() {
  payments.clear();
  orders.clear();
  days.clear();
  held.clear();
  payable.clear();
  taken_.clear();
  live_payouts_.clear();
  for (const auto& [payment, all] : of_payment_) {
    ReferencePayment& row = payments[payment];
    for (const Said& said : all) {
      if (!said.order.empty() && (row.order.empty() || said.order < row.order)) row.order = said.order;
    }
  }
  conclude_refunds();
  conclude_disputes();
  conclude_payouts();
  conclude_captures();
  conclude_orders();
  conclude_payments();
}

void ReferencePayments::conclude_refunds() {
  for (const auto& [name, all] : of_refund_) {
    const Outcome refund = outcome_of(all);
    ReferencePayment& payment = payments[name.first];
    if (refund.is("RefundSucceeded")) {
      days[day_of(refund.first_at.at("RefundSucceeded"))].refunded += refund.paise;
      if (refund.is("RefundFailed")) days[day_of(refund.first_at.at("RefundFailed"))].refunds_reversed += refund.paise;
    }
    if (refund.is("RefundFailed")) continue;
    (refund.is("RefundSucceeded") ? payment.refunded : payment.refunding) += refund.paise;
    taken_[{name.first, refund.capture}] += refund.paise;
  }
}

void ReferencePayments::conclude_disputes() {
  for (const auto& [name, all] : of_dispute_) {
    const Outcome dispute = outcome_of(all);
    ReferencePayment& payment = payments[name.first];
    if (dispute.is("DisputeLost")) {
      payment.lost += dispute.paise;
      days[day_of(dispute.first_at.at("DisputeLost"))].lost += dispute.paise;
    } else if (!dispute.is("DisputeWon")) {
      payment.disputed += dispute.paise;
    }
  }
}

void ReferencePayments::conclude_payouts() {
  for (const auto& [name, all] : of_payout_) {
    const Outcome payout = outcome_of(all);
    const bool done = payout.is("PayoutCompleted");
    if (done) {
      ReferenceDay& day = days[day_of(payout.first_at.at("PayoutCompleted"))];
      day.paid_out += payout.paise;
      day.fees += payout.fee;
      if (payout.is("PayoutFailed")) {
        days[day_of(payout.first_at.at("PayoutFailed"))].payouts_reversed += payout.paise + payout.fee;
      }
    }
    if (payout.payment.empty()) continue;
    ReferencePayment& payment = payments[payout.payment];
    if (payout.is("PayoutFailed")) continue;
    (done ? payment.out : payment.paying) += payout.paise + payout.fee;
    taken_[{payout.payment, payout.capture}] += payout.paise + payout.fee;
    ++live_payouts_[{payout.payment, payout.capture}];
  }
}

void ReferencePayments::conclude_captures() {
  for (const auto& [name, all] : of_capture_) {
    std::int64_t paise = 0;
    std::int64_t first = 0;
    std::int64_t held_at = 0;
    std::int64_t released_at = 0;
    for (const Said& said : all) {
      if (said.type == "HoldSet") held_at = std::max(held_at, said.at);
      if (said.type == "Released") released_at = std::max(released_at, said.at);
      if (said.type != "Captured") continue;
      first = paise == 0 ? said.at : std::min(first, said.at);
      paise = std::max(paise, said.paise);
    }
    if (paise == 0) continue;
    payments[name.first].captured += paise;
    days[day_of(first)].captured += paise;
    if (released_at == 0 || released_at < held_at) {
      held.insert(name);
    } else if (live_payouts_[name] == 0 && paise > taken_[name]) {
      payable.insert(name);
    }
  }
}

void ReferencePayments::conclude_payments() {
  for (auto& [name, row] : payments) {
    row.left = std::max<std::int64_t>(
        row.captured - row.refunded - row.refunding - row.disputed - row.lost - row.paying - row.out, 0);
    const std::int64_t wanted = row.refunded + row.lost + row.out;
    row.refunded = std::min(row.refunded, row.captured);
    row.lost = std::min(row.lost, row.captured - row.refunded);
    row.out = std::min(row.out, row.captured - row.refunded - row.lost);
    row.excess = wanted - row.refunded - row.lost - row.out;
    row.reconciliation_needed = row.captured > 0 && (row.order.empty() || !placed_.contains(row.order));
    std::int64_t authorised = 0;
    std::int64_t intended = 0;
    std::set<std::string> types;
    for (const Said& said : of_payment_[name]) {
      types.insert(said.type);
      if (said.type == "Authorised") authorised = std::max(authorised, said.paise);
      if (said.type == "IntentCreated") intended = std::max(intended, said.paise);
    }
    const std::int64_t amount = authorised > 0 ? authorised : intended;
    const std::int64_t net = row.captured - row.refunded - row.lost;
    if (row.captured == 0) {
      const std::vector<std::pair<std::string, std::string>> states{{"Cancelled", "cancelled"},
                                                                    {"Authorised", "authorised"},
                                                                    {"Failed", "failed"},
                                                                    {"RequiresAction", "requires_action"},
                                                                    {"IntentCreated", "created"}};
      for (const auto& [type, state] : states) {
        if (row.state == "unknown" && types.contains(type)) row.state = state;
      }
    } else if (row.disputed > 0) {
      row.state = "disputed";
    } else if (net == 0) {
      row.state = row.lost > 0 ? "charged_back" : "refunded";
    } else if (row.refunded + row.lost > 0) {
      row.state = "partly_refunded";
    } else {
      row.state = row.captured < amount ? "partly_captured" : "captured";
    }
  }
}

void ReferencePayments::conclude_orders() {
  for (const auto& [order, paise] : placed_) orders[order];
  for (const auto& [name, row] : payments) {
    if (row.order.empty()) continue;
    ReferenceOrder& order = orders[row.order];
    const std::int64_t refunded = std::min(row.refunded, row.captured);
    order.captured += row.captured;
    order.refunded += refunded;
    order.lost += std::min(row.lost, row.captured - refunded);
  }
  for (auto& [name, order] : orders) {
    const auto placed = placed_.find(name);
    if (placed == placed_.end()) continue;
    const std::int64_t net = order.captured - order.refunded - order.lost;
    if (net >= placed->second) {
      order.state = "paid";
    } else if (order.captured == 0) {
      order.state = "placed";
    } else if (net == 0) {
      order.state = "refunded";
    } else {
      order.state = order.captured < placed->second ? "partly_paid" : "partly_refunded";
    }
  }
}

}  // namespace bahi::test
