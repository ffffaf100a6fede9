// The facts of payments as a writer would append them, with the tags that they must carry.
#pragma once

#include <string>
#include <vector>

#include "read_model_host.hpp"

namespace bahi::test {

Fact order_placed(const std::string& order, std::int64_t paise);
/// `what`: what follows "payment.": IntentCreated or Authorised.
Fact payment_fact(const std::string& what, const std::string& payment, const std::string& order, std::int64_t paise);
/// RequiresAction, Failed or Cancelled.
Fact payment_note(const std::string& what, const std::string& payment, const std::string& order = {},
                  const std::string& reason = {});
/// `capture` empty: the payment's own name.
Fact captured(const std::string& payment, const std::string& order, std::int64_t paise,
              const std::string& capture = {});
/// RefundCreated, RefundSucceeded or RefundFailed.
Fact refund_fact(const std::string& what, const std::string& refund, const std::string& payment, std::int64_t paise,
                 const std::string& capture = {});
/// DisputeOpened, DisputeWon or DisputeLost.
Fact dispute_fact(const std::string& what, const std::string& dispute, const std::string& payment, std::int64_t paise);
/// PayoutRequested, PayoutCompleted or PayoutFailed; `payment` empty: not said.
Fact payout_fact(const std::string& what, const std::string& payout, const std::string& payment, std::int64_t paise,
                 std::int64_t fee = 0, const std::string& capture = {});
/// HoldSet, ReleaseDue or Released; `due_at` empty: not said.
Fact hold_fact(const std::string& what, const std::string& payment, const std::string& due_at = {},
               const std::string& capture = {});

/// The arguments of a query or command: `{"name":"value"}`.
std::string named(const std::string& name, const std::string& value);

/// The answer of `payment` without what tells the order of events: everything else must not depend on it.
std::string state_of(const ReadModelHost& host, const std::string& payment);

}  // namespace bahi::test
