// The checker of bahi_crash must notice each thing it claims to notice: here it is lied to.
#include <catch2/catch.hpp>

#include <functional>

#include "crash_ledger.hpp"
#include "test_store.hpp"

namespace bahi::faults {
namespace {

/// A store with three acknowledged requests of tenant "shop0", and the messages a writer would have sent.
class History {
 public:
  History() {
    auto engine = Engine::open(directory_.path() / "store", test_options());
    REQUIRE(engine.has_value());
    engine_ = std::move(*engine);
    const auto tenant = engine_->create_tenant("shop0");
    REQUIRE(tenant.has_value());
    tenant_ = *tenant;
    Message message;
    message.kind = Message::Kind::kTenant;
    message.announcement = {};
    message.announcement.tenant_id = tenant_.value;
    messages.push_back(message);
    for (std::uint64_t request_id = 1; request_id <= 3; ++request_id) append(request_id);
  }

  /// Intent and answer of a request that is really stored.
  void append(std::uint64_t request_id) {
    Intent intent;
    intent.request_id = request_id;
    intent.plan_seed = request_id;
    intent.producer_high = 9;
    tell(intent);
    AppendRequest request;
    request.tenant = tenant_;
    auto body = encode_events(plan_events(request_id, request_id, kCrashEventsMax), request_id);
    REQUIRE(body.has_value());
    request.body = std::move(*body);
    const auto result = engine_->append(std::move(request));
    REQUIRE(result.has_value());
    Answer answer;
    answer.request_id = request_id;
    answer.first_offset = result->first_offset.value;
    answer.event_count = result->event_count;
    answer.recorded_at = result->recorded_at.nanos;
    answer.version_count = static_cast<std::uint32_t>(result->first_versions.size());
    std::copy(result->first_versions.begin(), result->first_versions.end(), answer.first_versions.begin());
    tell(answer);
  }

  void tell(const Intent& intent) {
    Message message;
    message.kind = Message::Kind::kIntent;
    message.intent = intent;
    messages.push_back(message);
  }
  void tell(const Answer& answer) {
    Message message;
    message.kind = Message::Kind::kAnswer;
    message.answer = answer;
    messages.push_back(message);
  }

  [[nodiscard]] std::vector<std::string> check() const {
    LedgerTotals totals;
    Ledger ledger(totals);
    Random random(1);
    for (const Message& message : messages) ledger.take(message);
    ledger.check_tail(*engine_, random);
    if (ledger.violations().empty()) ledger.check_all(*engine_, random);
    return ledger.violations();
  }

  std::vector<Message> messages;  ///< tenant, then intent and answer of each request

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<Engine> engine_;
  TenantId tenant_;
};

}  // namespace

TEST_CASE("crash ledger: a true history has no violation", "[faults]") {
  const History history;
  for (const std::string& text : history.check()) FAIL_CHECK(text);
}

TEST_CASE("crash ledger: each lie is noticed", "[faults]") {
  History history;
  std::vector<Message>& messages = history.messages;
  // The last one changes the store itself.
  const std::vector<std::pair<const char*, std::function<void()>>> lies{
      {"an acknowledged request that is not stored",
       [&] {
         Intent intent;
         intent.request_id = 77;
         history.tell(intent);
         Answer answer = messages[6].answer;
         answer.request_id = 77;
         history.tell(answer);
       }},
      {"an acknowledgement beyond the end", [&] { messages[6].answer.first_offset += 1000; }},
      {"another offset", [&] { messages[4].answer.first_offset += 1; }},
      {"another count", [&] { messages[4].answer.event_count += 1; }},
      {"another version", [&] { messages[4].answer.first_versions[0] += 1; }},
      {"another time", [&] { messages[4].answer.recorded_at += 1; }},
      {"other content", [&] { messages[3].intent.plan_seed = 12345; }},
      {"an event that nobody wrote", [&] { messages.resize(5); }},
      {"refused, but stored", [&] { messages[6].answer.code = static_cast<std::uint16_t>(ErrorCode::kOverloaded); }},
      {"submitted after a later offset was acknowledged",
       [&] {
         std::swap(messages[1], messages[5]);
         std::swap(messages[2], messages[6]);
       }},
      {"an expectation that was not met",
       [&] {
         messages[3].intent.expected_kind = static_cast<std::uint8_t>(ExpectedVersion::Kind::kExactly);
         messages[3].intent.expected_version = 5000;
       }},
      {"an untrue conflict",
       [&] {
         Intent intent;
         intent.request_id = 78;
         intent.expected_kind = static_cast<std::uint8_t>(ExpectedVersion::Kind::kExactly);
         intent.expected_version = 3;
         history.tell(intent);
         Answer answer;
         answer.request_id = 78;
         answer.code = static_cast<std::uint16_t>(ErrorCode::kWrongExpectedVersion);
         answer.actual_version = 4000;
         history.tell(answer);
       }},
      {"two answers",
       [&] {
         history.tell(messages[3].intent);
         Answer answer = messages[4].answer;
         answer.duplicate = true;
         answer.first_offset += 1;
         history.tell(answer);
       }},
      {"stored twice", [&] { history.append(3); }},
  };
  for (std::size_t number = 0; number < lies.size(); ++number) {
    INFO(lies[number].first);
    const std::vector<Message> truth = messages;
    lies[number].second();
    CHECK_FALSE(history.check().empty());
    messages = truth;
  }
}

}  // namespace bahi::faults
