#include "questions.hpp"

#include <fmt/format.h>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "scratch.hpp"

namespace bahi::bench {
namespace {

namespace json = boost::json;

/// The first event of a type, in a history that is made once more for it.
class Sample {
 public:
  Sample(workload::Kind kind, std::uint64_t seed, std::string_view type) {
    workload::HistoryOptions options;
    options.kind = kind;
    options.seed = seed;
    const auto history = workload::make_history(options);
    NewEvent event;
    for (int i = 0; i < 1'000'000; ++i) {
      history->next(event);
      if (event.type != type) continue;
      data_ = json::parse(json::string_view(event.data.data(), event.data.size())).as_object();
      actor = event.metadata.actor;
      correlation = event.metadata.correlation_id;
      reason = event.metadata.reason;
      return;
    }
    fail(fmt::format("the history has no event {}", type));
  }
  [[nodiscard]] std::string operator[](std::string_view member) const { return text(data_.at(member)); }
  /// Of the first of its lines.
  [[nodiscard]] std::string of_line(std::string_view member) const {
    return text(data_.at("lines").as_array().at(0).as_object().at(member));
  }
  std::string actor;
  std::string correlation;
  std::string reason;

 private:
  static std::string text(const json::value& value) {
    const auto& string = value.as_string();
    return {string.data(), string.size()};
  }
  json::object data_;
};

std::vector<Question> of_timelines(std::uint64_t seed) {
  const Sample sent(workload::Kind::kChat, seed, "chat.MessageSent");
  const std::string conversation = fmt::format(R"("conversation":"{}")", sent["conversation"]);
  const std::string message = fmt::format(R"({{{},"message":"{}"}})", conversation, sent["message"]);
  const std::string user = fmt::format(R"({{"user":"{}"}})", sent["sender"]);
  const std::string both = fmt::format(R"({{{},"user":"{}"}})", conversation, sent["sender"]);
  return {{"page", fmt::format("{{{}}}", conversation)},
          {"page", fmt::format(R"({{{},"user":"{}"}})", conversation, sent["sender"])},
          {"around", message},
          {"message", message},
          {"versions", message},
          {"threads", both},
          {"conversations", user},
          {"conversation", both},
          {"receipts", message},
          {"own_receipts", both},
          {"reactions", message},
          {"pins", fmt::format("{{{}}}", conversation)},
          {"presence", fmt::format(R"({{"users":["{}"]}})", sent["sender"])}};
}

std::vector<Question> of_stock(std::uint64_t seed) {
  const Sample sold(workload::Kind::kPharmacy, seed, "stock.Sold");
  const Sample reserved(workload::Kind::kPharmacy, seed, "stock.Reserved");
  const std::string item = sold.of_line("item");
  const std::string place = fmt::format(R"("item":"{}","location":"{}")", item, sold["location"]);
  const std::string batch = fmt::format(R"({{"item":"{}","batch":"{}"}})", item, sold.of_line("batch"));
  return {{"availability", fmt::format("{{{}}}", place)},
          {"availability", R"({"location":"warehouse"})"},
          {"availability", R"({"expiring_before":"2026-06-01"})"},
          {"plan", fmt::format(R"({{{},"quantity":5}})", place)},
          {"quote", fmt::format(R"({{"location":"warehouse","at":"2026-01-01T12:00:00Z","lines":[)"
                                R"({{"item":"{}","quantity":1}}]}})",
                                item)},
          {"valuation", fmt::format(R"({{"item":"{}"}})", item)},
          {"valuation", R"({"location":"warehouse"})"},
          {"ledger", fmt::format("{{{}}}", place)},
          {"ledger", fmt::format(R"({{{},"order":"newest"}})", place)},
          {"trace", batch},
          {"sale", fmt::format(R"({{"sale":"{}"}})", sold["sale"])},
          {"balance_as_of_date", fmt::format(R"({{{},"date":"2026-01-02"}})", place)},
          {"item", fmt::format(R"({{"item":"{}"}})", item)},
          {"batch", batch},
          {"reservation", fmt::format(R"({{"reservation":"{}"}})", reserved["reservation"])},
          {"due_reservations", R"({"at":"2026-01-03T00:00:00Z"})"},
          {"discrepancies", "{}"}};
}

std::vector<Question> of_payments(std::uint64_t seed) {
  const Sample captured(workload::Kind::kPayments, seed, "payment.Captured");
  const Sample requested(workload::Kind::kPayments, seed, "payment.PayoutRequested");
  const std::string payment = fmt::format(R"({{"payment":"{}"}})", captured["payment"]);
  return {{"payment", payment},
          {"order", fmt::format(R"({{"order":"{}"}})", captured["order"])},
          {"payout", fmt::format(R"({{"payout":"{}"}})", requested["payout"])},
          {"captures", payment},
          {"refunds", payment},
          {"disputes", payment},
          {"payouts", payment},
          {"payments", R"({"state":"captured"})"},
          {"payments", R"({"state":"reconciliation_needed"})"},
          {"orders", R"({"state":"paid"})"},
          {"overdue_holds", R"({"at":"2026-01-20T00:00:00Z"})"},
          {"release_queue", R"({"at":"2026-01-20T00:00:00Z"})"},
          {"payout_queue", "{}"},
          {"totals", R"({"from":"2026-01-01","to":"2026-01-31"})"},
          {"reconciliation", "{}"},
          {"not_translated", "{}"}};
}

std::vector<Question> of_audit(std::uint64_t seed) {
  const Sample recorded(workload::Kind::kAudit, seed, "audit.Recorded");
  const std::string actor = fmt::format(R"("actor":"{}")", recorded.actor);
  const std::string target =
      fmt::format(R"("target_type":"{}","target_id":"{}")", recorded["target_type"], recorded["target_id"]);
  return {{"records", "{}"},
          {"records", fmt::format("{{{}}}", actor)},
          {"records", fmt::format(R"({{{},"order":"oldest"}})", actor)},
          {"records", fmt::format("{{{}}}", target)},
          {"records", fmt::format(R"({{"action":"{}"}})", recorded["action"])},
          {"records", R"({"action_prefix":"account"})"},
          {"records", R"({"text":"suspected fraud"})"},
          {"records", R"({"from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z"})"},
          {"records", fmt::format(R"({{{},"action_prefix":"account","text":"invoice"}})", actor)},
          {"story", fmt::format(R"({{"correlation":"{}"}})", recorded.correlation)},
          {"record", R"({"offset":10})"}};
}

}  // namespace

std::vector<Question> questions_of(const ReadModelCase& read_model, std::uint64_t seed) {
  if (read_model.name == "timelines") return of_timelines(seed);
  if (read_model.name == "stock") return of_stock(seed);
  if (read_model.name == "payments") return of_payments(seed);
  if (read_model.name == "audit") return of_audit(seed);
  return {{"types", "{}"}, {"type", R"({"type":"chat.MessageSent"})"}};
}

}  // namespace bahi::bench
