// Payments once more, as plainly as it can be said: all facts are kept, and what is true is worked out from the whole
// set of them each time that it is asked.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "payments_facts.hpp"

namespace bahi::test {

struct ReferencePayment {
  std::string state = "unknown";
  std::string order;
  bool reconciliation_needed = false;
  std::int64_t captured = 0;
  std::int64_t refunded = 0;
  std::int64_t refunding = 0;
  std::int64_t disputed = 0;
  std::int64_t lost = 0;
  std::int64_t paying = 0;
  std::int64_t out = 0;  // paid out, with fees
  std::int64_t left = 0;
  std::int64_t excess = 0;
  bool operator==(const ReferencePayment&) const = default;
};

struct ReferenceOrder {
  std::string state = "unknown";
  std::int64_t captured = 0;
  std::int64_t refunded = 0;
  std::int64_t lost = 0;
  bool operator==(const ReferenceOrder&) const = default;
};

struct ReferenceDay {
  std::int64_t captured = 0;
  std::int64_t refunded = 0;
  std::int64_t refunds_reversed = 0;
  std::int64_t lost = 0;
  std::int64_t paid_out = 0;
  std::int64_t fees = 0;
  std::int64_t payouts_reversed = 0;
  bool operator==(const ReferenceDay&) const = default;
};

class ReferencePayments {
 public:
  void apply(const Fact& fact);
  /// Works everything out.
  void conclude();

  // Valid after `conclude`.
  std::map<std::string, ReferencePayment> payments;
  std::map<std::string, ReferenceOrder> orders;  // also those that were not placed
  std::map<std::string, ReferenceDay> days;
  std::set<std::pair<std::string, std::string>> held;     // payment, capture
  std::set<std::pair<std::string, std::string>> payable;  // payment, capture

 private:
  struct Said {
    std::string type;
    std::string order;
    std::string capture;
    std::string payment;
    std::int64_t paise = 0;
    std::int64_t fee = 0;
    std::int64_t at = 0;
  };
  /// A refund, dispute, payout or capture after all that was said of it.
  struct Outcome {
    std::string capture;
    std::string payment;
    std::int64_t paise = 0;
    std::int64_t fee = 0;
    std::map<std::string, std::int64_t> first_at;  // by type
    [[nodiscard]] bool is(const std::string& type) const { return first_at.contains(type); }
  };
  using Name = std::pair<std::string, std::string>;
  static Outcome outcome_of(const std::vector<Said>& all);
  static std::string day_of(std::int64_t nanos);
  void conclude_captures();
  void conclude_refunds();
  void conclude_disputes();
  void conclude_payouts();
  void conclude_payments();
  void conclude_orders();

  std::map<std::string, std::vector<Said>> of_payment_;
  std::map<Name, std::vector<Said>> of_capture_;
  std::map<Name, std::vector<Said>> of_refund_;
  std::map<Name, std::vector<Said>> of_dispute_;
  std::map<std::string, std::vector<Said>> of_payout_;
  std::map<std::string, std::int64_t> placed_;  // the largest amount that was said
  std::map<Name, std::int64_t> taken_;          // of captures, by refunds and payouts
  std::map<Name, int> live_payouts_;
};

}  // namespace bahi::test
