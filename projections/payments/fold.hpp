// The fold of the payments: facts, in whatever order and number they come, into rows that do not depend on that.
//
// Each fact is merged into the row of what it is about. What that row counts for is taken out of the sums before, and
// put in as it is afterwards, so every sum is one over the rows as they are.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "payment_generated.h"
#include "payments/standing.hpp"
#include "projection.hpp"

namespace bahi::projections::payments {

namespace fb = ::bahi::payment::fb;

class PaymentsFold final : public HandlerFold<PaymentsFold> {
 public:
  explicit PaymentsFold(FoldState& state);
  static const std::array<Handler<PaymentsFold>, 20> kHandlers;

 private:
  Status place_order(const FoldEvent& event);
  Status create(const FoldEvent& event);
  Status require_action(const FoldEvent& event);
  Status authorise(const FoldEvent& event);
  Status capture(const FoldEvent& event);
  Status fail(const FoldEvent& event);
  Status cancel(const FoldEvent& event);
  Status create_refund(const FoldEvent& event);
  Status succeed_refund(const FoldEvent& event);
  Status fail_refund(const FoldEvent& event);
  Status open_dispute(const FoldEvent& event);
  Status win_dispute(const FoldEvent& event);
  Status lose_dispute(const FoldEvent& event);
  Status request_payout(const FoldEvent& event);
  Status complete_payout(const FoldEvent& event);
  Status fail_payout(const FoldEvent& event);
  Status hold(const FoldEvent& event);
  Status set_due(const FoldEvent& event);
  Status release(const FoldEvent& event);
  Status receive_webhook(const FoldEvent& event);

  /// A payment's row under way, with what it counted for before. Pointers hold until the end of the event.
  struct OpenPayment {
    std::string_view id;
    PaymentRow* row = nullptr;
    PaymentStanding before;
  };
  struct OpenCapture {
    std::string_view payment;
    std::string_view id;
    CaptureRow* row = nullptr;
    CaptureQueue before;
    std::int64_t payouts_before = 0;
  };
  /// What a refund, dispute or payout says, with what is common to them.
  struct Statement {
    std::string_view id;
    std::string_view payment;
    std::string_view capture;
    std::int64_t paise = 0;
    std::int64_t fee = 0;
    std::string_view reason;
    std::uint8_t seen = 0;  // kBegun, kDone or kUndone
  };
  struct PaymentSaid {
    std::string_view payment;
    std::string_view order;
    std::uint8_t seen = 0;
    std::int64_t paise = 0;
    std::string_view note;  // reason or action
  };
  /// What of a refund, dispute or payout counts in sums.
  struct Reckoned {
    std::uint8_t seen = 0;
    std::int64_t paise = 0;
    std::int64_t fee = 0;
    std::int64_t done_at = 0;
    std::int64_t undone_at = 0;
  };

  void begin(const FoldEvent& event);
  Status state_payment(const PaymentSaid& said);
  Status state_refund(const Statement& said);
  Status state_dispute(const Statement& said);
  Status state_payout(const Statement& said);

  Result<OpenPayment> open_payment(std::string_view payment);
  Status close_payment(const OpenPayment& payment);
  Result<OpenCapture> open_capture(std::string_view payment, std::string_view capture);
  Status close_capture(const OpenCapture& capture);
  bool merge_due(CaptureRow& row, std::int64_t due_at) const;
  /// True: something changed.
  Result<bool> merge_order(const OpenPayment& payment, std::string_view order);
  Status change_intake(std::string_view order, const Intake& before, const Intake& after);
  void close_order(std::string_view order, const OrderRow& row, const OrderStanding& before);
  Status take_refund(std::string_view payment, std::string_view capture, const Taking& before, const Taking& after);
  Status take_payout(std::string_view payment, std::string_view capture, const Reckoned& before, const Reckoned& after);
  Status total_refund(const Reckoned& refund, std::int64_t sign);
  Status total_payout(const Reckoned& payout, std::int64_t sign);
  Result<TotalsRow*> totals_at(std::int64_t time);

  void set_finding(Finding kind, std::string_view subject, std::string_view reference, bool there);
  void change_findings(std::string_view subject, std::uint32_t before, std::uint32_t after);
  void note_if_untagged(std::string_view payment);
  void put_history(std::uint8_t table, std::string_view id, HistoryRow row);

  FoldState& state_;
  Table<OrderRow> orders_;
  Table<PaymentRow> payments_;
  Table<CaptureRow> captures_;
  Table<RefundRow> refunds_;
  Table<DisputeRow> disputes_;
  Table<PayoutRow> payouts_;
  Table<TotalsRow> totals_;

  // Of the event under way.
  const EventView* event_ = nullptr;
  std::uint8_t kind_ = 0;
  std::int64_t effective_at_ = 0;

  // Memory that is used again.
  Key key_;
  Key row_key_;
  std::string row_;
  std::string order_before_;
  std::string payment_before_;
  std::string capture_before_;
};

}  // namespace bahi::projections::payments
