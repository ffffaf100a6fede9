#include "questions.hpp"

#include <fmt/format.h>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "scratch.hpp"

namespace bahi::bench {
namespace {

namespace json = boost::json;

/// The first event of a type among the first events of a history, which is made once more for it.
class Sample {
 public:
  Sample(workload::Kind kind, const HistorySettings& settings, std::string_view type) {
    workload::HistoryOptions options;
    options.kind = kind;
    options.seed = settings.seed;
    const auto history = workload::make_history(options);
    NewEvent event;
    for (std::uint64_t i = 0; i < settings.events; ++i) {
      history->next(event);
      if (event.type != type) continue;
      data_ = json::parse(json::string_view(event.data.data(), event.data.size())).as_object();
      actor = event.metadata.actor;
      correlation = event.metadata.correlation_id;
      reason = event.metadata.reason;
      return;
    }
    fail(fmt::format("--events: {} events of {} hold no {} yet; take more", settings.events, to_string(kind), type));
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

std::vector<Question> of_timelines(const HistorySettings& settings) {
  const Sample sent(workload::Kind::kChat, settings, "chat.MessageSent");
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

std::vector<Question> of_stock(const HistorySettings& settings) {
  const Sample sold(workload::Kind::kPharmacy, settings, "stock.Sold");
  const Sample reserved(workload::Kind::kPharmacy, settings, "stock.Reserved");
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

std::vector<Question> of_payments(const HistorySettings& settings) {
  const Sample captured(workload::Kind::kPayments, settings, "payment.Captured");
  const Sample requested(workload::Kind::kPayments, settings, "payment.PayoutRequested");
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

std::vector<Question> of_audit(const HistorySettings& settings) {
  const Sample recorded(workload::Kind::kAudit, settings, "audit.Recorded");
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
          {"records", R"({"occurred_from":"2026-01-01T00:00:00Z","occurred_to":"2026-01-02T00:00:00Z"})"},
          {"records", fmt::format(R"({{{},"action_prefix":"account","text":"invoice"}})", actor)},
          {"story", fmt::format(R"({{"correlation":"{}"}})", recorded.correlation)},
          {"record", R"({"offset":10})"}};
}

}  // namespace

std::vector<Question> questions_of(const ReadModelCase& read_model, const HistorySettings& settings) {
  if (read_model.name == "timelines") return of_timelines(settings);
  if (read_model.name == "stock") return of_stock(settings);
  if (read_model.name == "payments") return of_payments(settings);
  if (read_model.name == "audit") return of_audit(settings);
  return {{"types", "{}"}, {"type", R"({"type":"chat.MessageSent"})"}};
}

}  // namespace bahi::bench
