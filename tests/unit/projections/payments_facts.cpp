#include "payments_facts.hpp"

#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace bahi::test {
namespace {

/// Members that are empty are left out.
class Members {
 public:
  Members& text(const std::string& name, const std::string& value) {
    return value.empty() ? *this : add(name, '"' + value + '"');
  }
  Members& number(const std::string& name, std::int64_t value) { return add(name, std::to_string(value)); }
  [[nodiscard]] std::string json() const { return '{' + members_ + '}'; }

 private:
  Members& add(const std::string& name, const std::string& value) {
    members_ += (members_.empty() ? "\"" : ",\"") + name + "\":" + value;
    return *this;
  }
  std::string members_;
};

Fact fact(const std::string& what, const Members& members, const std::string& payment, const std::string& order = {}) {
  Fact made{"payment." + what, members.json(), {}, {}};
  if (!payment.empty()) made.tags.push_back("payment:" + payment);
  if (!order.empty()) made.tags.push_back("order:" + order);
  return made;
}

}  // namespace

Fact order_placed(const std::string& order, std::int64_t paise) {
  return fact("OrderPlaced", Members().text("order", order).number("amount_paise", paise), {}, order);
}

Fact payment_fact(const std::string& what, const std::string& payment, const std::string& order, std::int64_t paise) {
  return fact(what, Members().text("payment", payment).text("order", order).number("amount_paise", paise), payment,
              order);
}

Fact payment_note(const std::string& what, const std::string& payment, const std::string& order,
                  const std::string& reason) {
  const std::string name = what == "RequiresAction" ? "action" : "reason";
  return fact(what, Members().text("payment", payment).text("order", order).text(name, reason), payment, order);
}

Fact captured(const std::string& payment, const std::string& order, std::int64_t paise, const std::string& capture) {
  return fact(
      "Captured",
      Members().text("payment", payment).text("capture", capture).text("order", order).number("amount_paise", paise),
      payment, order);
}

Fact refund_fact(const std::string& what, const std::string& refund, const std::string& payment, std::int64_t paise,
                 const std::string& capture) {
  return fact(
      what,
      Members().text("refund", refund).text("payment", payment).text("capture", capture).number("amount_paise", paise),
      payment);
}

Fact dispute_fact(const std::string& what, const std::string& dispute, const std::string& payment, std::int64_t paise) {
  return fact(what, Members().text("dispute", dispute).text("payment", payment).number("amount_paise", paise), payment);
}

Fact payout_fact(const std::string& what, const std::string& payout, const std::string& payment, std::int64_t paise,
                 std::int64_t fee, const std::string& capture) {
  Members members;
  members.text("payout", payout).text("payment", payment).text("capture", capture).number("amount_paise", paise);
  if (fee != 0) members.number("fee_paise", fee);
  Fact made = fact(what, members, payment);
  made.tags.push_back("payout:" + payout);
  return made;
}

Fact hold_fact(const std::string& what, const std::string& payment, const std::string& due_at,
               const std::string& capture) {
  return fact(what, Members().text("payment", payment).text("capture", capture).text("due_at", due_at), payment);
}

std::string named(const std::string& name, const std::string& value) {
  return Members().text(name, value).json();
}

std::string state_of(const ReadModelHost& host, const std::string& payment) {
  const Json answer = host.ask("payment", named("payment", payment));
  rapidjson::Document copy;
  copy.CopyFrom(answer.value(""), copy.GetAllocator());
  copy.RemoveMember("history");
  copy.RemoveMember("next");
  copy.RemoveMember("payment");
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  copy.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace bahi::test
