// A refund of a payment or an order, split over its captures, the oldest first.

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "bahi/base/text.hpp"
#include "payments/commands.hpp"
#include "payments/queries.hpp"

namespace bahi::projections::payments {
namespace {

/// Each is a condition of the append.
constexpr std::size_t kPaymentsMax = 100;

struct OpenPayment {
  std::string id;
  PaymentRow row;
  std::int64_t left = 0;
};
struct Part {
  std::size_t payment = 0;  // among the payments
  std::string capture;
  std::int64_t captured_at = 0;
  std::int64_t left = 0;
  std::int64_t paise = 0;  // of this refund
};

/// What a refund can be taken from.
class Sources {
 public:
  explicit Sources(const StateView& state) : state_(state) {}

  Status add_order(const std::string& order) {
    const Key prefix = Key().text(order);
    RowScan scan = state_.scan(kOrderPayments, prefix);
    for (scan.seek_first(); scan.valid(); scan.next()) {
      if (payments_.size() == kPaymentsMax) {
        return refused(fmt::format("order '{}' has more than {} payments; refund one of them", order, kPaymentsMax));
      }
      BAHI_TRY(add_payment(KeyReader(scan.key().substr(prefix.bytes().size())).text(), {}));
    }
    BAHI_TRY(scan.status());
    if (payments_.empty()) return Error{ErrorCode::kNotFound, fmt::format("order '{}' has no payments", order)};
    return {};
  }
  /// `only`: of one capture, when it is given.
  Status add_payment(const std::string& payment, const std::optional<std::string>& only) {
    OpenPayment open{payment, {}, 0};
    BAHI_ASSIGN(open.row, known_payment(state_, payment));
    BAHI_ASSIGN(open.left, left_of(open.row.sums));
    const Key prefix = Key().text(payment);
    RowScan scan = state_.scan(kCaptures, prefix);
    for (scan.seek_first(); scan.valid(); scan.next()) {
      CaptureRow row;
      BAHI_TRY(read_row(scan.value(), row));
      std::string capture = KeyReader(scan.key().substr(prefix.bytes().size())).text();
      if (row.amount.paise == 0 || (only && capture != *only)) continue;
      parts_.push_back(
          {payments_.size(), std::move(capture), row.captured_at, std::max<std::int64_t>(row.left(), 0), 0});
    }
    payments_.push_back(std::move(open));
    return scan.status();
  }

  /// What is left for it altogether.
  Result<std::int64_t> left() const {
    std::int64_t left = 0;
    for (std::size_t i = 0; i < payments_.size(); ++i) {
      std::int64_t of_captures = 0;
      for (const Part& part : parts_) {
        if (part.payment == i) BAHI_TRY(add_to(of_captures, part.left));
      }
      BAHI_TRY(add_to(left, std::max<std::int64_t>(std::min(payments_[i].left, of_captures), 0)));
    }
    return left;
  }
  /// At most what is left.
  void split(std::int64_t paise) {
    std::sort(parts_.begin(), parts_.end(), [](const Part& a, const Part& b) {
      return std::tie(a.captured_at, a.payment, a.capture) < std::tie(b.captured_at, b.payment, b.capture);
    });
    for (Part& part : parts_) {
      std::int64_t& of_payment = payments_[part.payment].left;
      part.paise = std::max<std::int64_t>(std::min({paise, part.left, of_payment}), 0);
      paise -= part.paise;
      of_payment -= part.paise;
    }
    parts_.erase(std::remove_if(parts_.begin(), parts_.end(), [](const Part& part) { return part.paise == 0; }),
                 parts_.end());
  }
  [[nodiscard]] std::string story() const {
    Sums all;
    for (const OpenPayment& payment : payments_) {
      all.captured += payment.row.sums.captured;
      all.refunded += payment.row.sums.refunded;
      all.refunding += payment.row.sums.refunding;
      all.disputed += payment.row.sums.disputed + payment.row.sums.lost;
      all.paying += payment.row.sums.paying + payment.row.sums.paid_out + payment.row.sums.fees;
    }
    return fmt::format("captured {}, refunded {}, refunds under way {}, disputed {}, paid out or about to be {}",
                       rupees(all.captured), rupees(all.refunded), rupees(all.refunding), rupees(all.disputed),
                       rupees(all.paying));
  }
  Status check_name_is_free(const std::string& refund) const {
    for (const OpenPayment& payment : payments_) {
      for (const std::string& name : {refund, refund + "-1"}) {
        RefundRow row;
        BAHI_ASSIGN(const bool found, get_row(state_, kRefunds, Key().text(payment.id).text(name), row));
        if (!found) continue;
        return refused(fmt::format("payment '{}' has a refund '{}' already, of {}: {}", payment.id, name,
                                   rupees(row.amount.paise), progress(row.seen, kRefundStates)));
      }
    }
    return {};
  }

  [[nodiscard]] const std::vector<OpenPayment>& payments() const { return payments_; }
  [[nodiscard]] const std::vector<Part>& parts() const { return parts_; }

 private:
  const StateView& state_;
  std::vector<OpenPayment> payments_;
  std::vector<Part> parts_;
};

}  // namespace

Result<Decision> decide_refund(const CommandContext& context, Arguments& arguments) {
  const auto order = arguments.optional_text("order");
  const auto payment = arguments.optional_text("payment");
  const auto capture = arguments.optional_text("capture");
  const std::string refund = arguments.optional_text("refund").value_or(format_uuid(random_uuid()));
  const std::int64_t paise = arguments.number("amount_paise", 1, kPaiseMax);
  const std::string reason = arguments.optional_text("reason").value_or("");
  BAHI_TRY(arguments.check());
  if (order.has_value() == payment.has_value() || (capture && !payment)) {
    return Error{ErrorCode::kInvalidArgument, "give either 'order', or 'payment' and perhaps its 'capture'"};
  }
  Sources sources(context.query.state);
  BAHI_TRY(order ? sources.add_order(*order) : sources.add_payment(*payment, capture));
  BAHI_TRY(sources.check_name_is_free(refund));
  BAHI_ASSIGN(const std::int64_t left, sources.left());
  if (paise > left) {
    return refused(fmt::format("a refund of {} is more than the {} that {} left of {} '{}': {}", rupees(paise),
                               rupees(left), left == 100 ? "is" : "are", order ? "order" : "payment",
                               order ? *order : *payment, sources.story()));
  }
  sources.split(paise);
  Deciding deciding;
  if (order) deciding.look_at_order(*order);
  for (const OpenPayment& each : sources.payments()) deciding.look_at(each.id);
  const bool several = sources.parts().size() > 1;
  std::size_t number = 0;
  Answer answer;
  answer.text("refund", refund).number("left_paise", left - paise).begin_list("parts");
  for (const Part& part : sources.parts()) {
    const OpenPayment& of = sources.payments()[part.payment];
    const std::string name = several ? fmt::format("{}-{}", refund, ++number) : refund;
    Answer data;
    data.text("refund", name).text("payment", of.id).text("capture", part.capture);
    data.number("amount_paise", part.paise).text_if("reason", reason);
    deciding.add("payment.RefundCreated", of.id, of.row, data);
    answer.begin_element().text("refund", name).text("payment", of.id).text("capture", part.capture);
    answer.number("amount_paise", part.paise).end_object();
  }
  answer.end_list();
  return deciding.finish(answer);
}

}  // namespace bahi::projections::payments
