// Orders of a marketplace and their payments through a provider, which reports what happened: mostly at once, sometimes
// late, twice, or in another order than it happened. The marketplace decides on what it was told, never on more.
#pragma once

#include <array>
#include <cstdint>
#include <queue>
#include <string>
#include <vector>

#include "draft.hpp"
#include "pace.hpp"

namespace bahi::workload {

class Payments final : public ActedHistory {
 public:
  explicit Payments(const HistoryOptions& options);

 private:
  static constexpr std::size_t kCapturesMax = 2;
  static constexpr std::uint8_t kAttemptsMax = 3;

  enum class Kind : std::uint8_t {
    // what the marketplace does
    kPlace,
    kBegin,
    kHold,
    kReleaseDue,
    kRelease,
    kRefund,
    kPayOut,
    // what the provider reports
    kRequiresAction,
    kAuthorised,
    kCaptured,
    kFailed,
    kCancelled,
    kRefundSucceeded,
    kRefundFailed,
    kDisputeOpened,
    kDisputeClosed,
    kPayoutCompleted,
    kPayoutFailed,
  };
  /// Something that is going to happen, or to be reported.
  struct Step {
    std::int64_t at = 0;       ///< nanoseconds; when the marketplace does it or hears of it
    std::uint64_t number = 0;  ///< in the order of planning: no two have the same
    std::int64_t fact_at = 0;  ///< when the provider says that it happened
    std::uint64_t delivery = 0;
    std::int64_t paise = 0;
    std::uint32_t order = 0;  ///< place in `orders_`
    Kind kind = Kind::kPlace;
    std::uint8_t payment = 1;
    std::uint8_t capture = 0;
    std::uint8_t serial = 0;  ///< of the refund or payout
    bool again = false;       ///< was delivered before
    bool won = false;         ///< kDisputeClosed
    [[nodiscard]] bool operator>(const Step& other) const {
      return at != other.at ? at > other.at : number > other.number;
    }
  };
  struct Capture {
    std::int64_t left_paise = 0;  ///< neither refunded, disputed nor paid out, as far as the marketplace knows
    std::int64_t due_at = 0;
    bool released = false;
    bool paying = false;
    std::uint8_t payouts = 0;
  };
  /// Forgotten when nothing more is going to happen.
  struct Order {
    std::uint64_t number = 0;
    std::int64_t amount_paise = 0;
    std::uint32_t customer = 0;
    std::uint32_t steps = 0;
    std::uint8_t payments = 0;
    std::uint8_t parts = 1;  ///< captures of each payment
    std::uint8_t refunds = 0;
    bool dispute_known = false;
    bool disputed = false;                                                 ///< the dispute is open
    std::array<std::array<Capture, kCapturesMax>, kAttemptsMax> captures;  // by payment and part
  };

  void act() override;
  // --- payments.cpp: what is planned
  void open_order();
  void plan_payment(std::uint32_t order, std::int64_t at);
  void plan_captures(const Step& authorised);
  /// The same of something else, at another time.
  [[nodiscard]] static Step plan(Kind kind, const Step& because, std::int64_t at);
  /// The provider reports it, perhaps more than once, some time after `fact_at`.
  void plan_report(Step step);
  void push(Step step);
  void take(const Step& step);
  /// Whether the report comes about: nobody disputes what was given back or went on to the payee.
  [[nodiscard]] bool is_reported(const Step& step);
  void take_captured(const Step& step);
  void take_dispute(const Step& step);
  void release(const Step& step);
  void refund(const Step& step);
  void pay_out(const Step& step);
  void take_payout(const Step& step);
  [[nodiscard]] Capture& capture_of(const Step& step) {
    return orders_[step.order].captures[step.payment - 1U][step.capture];
  }
  // --- payments_facts.cpp: how it is written down
  Draft& about_payment(std::string_view type, const Step& step, Timestamp at, bool names_order);
  void write_own(std::string_view type, const Step& step);
  void write_report(const Step& step);
  void write_webhook(const Step& step);
  void name_capture(JsonText& data, const Step& step);
  const std::string& order_name(const Step& step);
  const std::string& payment_name(const Step& step);
  const std::string& capture_name(const Step& step);
  const std::string& refund_name(const Step& step);
  const std::string& payout_name(const Step& step);

  Pace pace_;
  Timestamp next_order_at_;
  const std::uint32_t customers_;
  std::vector<Order> orders_;
  std::vector<std::uint32_t> free_orders_;  // places in `orders_`
  std::priority_queue<Step, std::vector<Step>, std::greater<>> steps_;
  std::uint64_t order_count_ = 0;
  std::uint64_t step_count_ = 0;
  std::uint64_t delivery_count_ = 0;
  // Memory that is used again.
  std::string order_name_;
  std::string payment_name_;
  std::string capture_name_;
  std::string name_;
  JsonText body_;
};

}  // namespace bahi::workload
