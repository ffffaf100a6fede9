#include <fmt/format.h>

#include "payments/commands.hpp"
#include "payments/queries.hpp"

namespace bahi::projections::payments {

Error refused(std::string message) {
  return {ErrorCode::kRefused, std::move(message)};
}

std::string rupees(std::int64_t paise) {
  return fmt::format("{}.{:02} rupees", paise / 100, paise % 100);
}

void Deciding::look_at(std::string_view payment) {
  decision_.boundary.items.push_back({{}, {payment_tag(payment)}});
}

void Deciding::look_at_order(std::string_view order) {
  decision_.boundary.items.push_back({{}, {order_tag(order)}});
}

void Deciding::look_at_payout(std::string_view payout) {
  decision_.boundary.items.push_back({{}, {payout_tag(payout)}});
}

void Deciding::add(std::string_view type, std::string_view payment, const PaymentRow& row, Answer& data,
                   std::vector<std::string> more_tags) {
  DecidedEvent event;
  event.stream = fmt::format("payment-{}", payment);
  event.type = type;
  event.data = data.finish();
  event.content_type = kJsonContentType;
  event.tags = std::move(more_tags);
  event.tags.push_back(payment_tag(payment));
  if (!row.order.empty()) event.tags.push_back(order_tag(row.order));
  decision_.events.push_back(std::move(event));
}

Result<Decision> Deciding::finish(Answer& answer) {
  decision_.answer = answer.finish();
  return std::move(decision_);
}

Result<NamedCapture> captured(const StateView& state, std::string payment, const std::optional<std::string>& capture) {
  NamedCapture named;
  named.payment = std::move(payment);
  named.capture = capture.value_or(named.payment);
  BAHI_ASSIGN(named.payment_row, known_payment(state, named.payment));
  BAHI_ASSIGN(const bool found, get_row(state, kCaptures, Key().text(named.payment).text(named.capture), named.row));
  if (found && named.row.amount.paise > 0) return named;
  return Error{ErrorCode::kNotFound, fmt::format("payment '{}' has no capture '{}'", named.payment, named.capture)};
}

}  // namespace bahi::projections::payments
