// The audit trail: what becomes a record, what each query finds, and what a redaction takes away.
#include <catch2/catch.hpp>

#include <fmt/format.h>

#include "audit/action_table.hpp"
#include "audit_fixture.hpp"
#include "bahi/schemas/domain_event.hpp"

namespace bahi::projections::test_audit {
namespace {

Act message(const std::string& type, const std::string& text, const std::string& who = "ravi") {
  Act act;
  act.stream = "conversation-tea";
  act.type = "chat.Message" + type;
  act.data = type == "Redacted"
                 ? fmt::format(R"({{"conversation":"tea","message":"m1","by":"{}"}})", who)
                 : fmt::format(R"({{"conversation":"tea","message":"m1","sender":"{}","text":"{}"}})", who, text);
  return act;
}

Act batch(const std::string& type, const std::string& more = {}) {
  Act act;
  act.stream = "item-rice";
  act.type = "stock." + type;
  act.data = fmt::format(R"({{"item":"rice","batch":"jan"{}}})", more);
  act.actor = "keeper";
  return act;
}

std::string first_line(const Trail& trail, std::uint64_t offset) {
  return line_of(trail.ask("record", fmt::format(R"("offset":{})", offset)));
}

std::string found(const Trail& trail, const std::string& arguments) {
  return offsets_of(trail.ask("records", arguments + (arguments.empty() ? "" : ",") + R"("order":"oldest")"));
}

TEST_CASE("audit: every type of the chat, stock and audit schemas is in the table", "[audit]") {
  const auto lines = audit::action_lines();
  for (const DomainType& type : domain_types()) {
    const std::string& name = type.name();
    if (!name.starts_with("chat.") && !name.starts_with("stock.") && !name.starts_with("audit.")) continue;
    INFO(name);
    CHECK(std::count_if(lines.begin(), lines.end(), [&](const auto& line) { return line.type == name; }) == 1);
  }
}

TEST_CASE("audit: what the table names is in the schemas", "[audit]") {
  for (const auto& line : audit::action_lines()) {
    const DomainType* const type = find_domain_type(line.type);
    if (type == nullptr) continue;
    std::vector<audit::Spec> specs{line.action, line.target_type, line.about_type, line.about_id,
                                   line.actor,  line.outcome,     line.reason};
    specs.insert(specs.end(), line.target_id.begin(), line.target_id.end());
    specs.insert(specs.end(), line.content.begin(), line.content.end());
    for (const auto& change : line.changes) specs.push_back(change.value);
    for (const audit::Spec spec : specs) {
      INFO(line.type << " " << spec);
      CHECK((!spec.starts_with('$') || type->field(spec.substr(1)) != nullptr));
    }
  }
}

TEST_CASE("audit: payments change their states, and their refunds are found beside them", "[audit]") {
  Trail trail;
  const auto payment = [](const std::string& type, const std::string& members) {
    return Act{.stream = "payment-p1",
               .type = "payment." + type,
               .data = R"({"payment":"p1",)" + members + "}",
               .actor = "gateway"};
  };
  trail.write({payment("Authorised", R"("order":"o1","amount_paise":50000)"),
               payment("Captured", R"("order":"o1","amount_paise":50000)"),
               payment("RefundCreated", R"("refund":"r1","amount_paise":50000,"reason":"broken glass")"),
               payment("RefundSucceeded", R"("refund":"r1","amount_paise":50000)"),
               payment("RefundFailed", R"("refund":"r1","amount_paise":50000,"reason":"account closed")")});
  CHECK(first_line(trail, 1) ==
        "1 gateway payment.captured payment/p1 [] () # state:'authorised'->'captured' "
        "captured_paise:null->'50000'");
  CHECK(first_line(trail, 4) ==
        "4 gateway refund.failed refund/r1 [failed] (account closed) # state:'succeeded'->'failed'");
  CHECK(found(trail, R"("target_type":"payment","target_id":"p1")") == "0 1 2 3 4");
  CHECK(found(trail, R"("target_type":"order","target_id":"o1")") == "0 1");
  CHECK(found(trail, R"("action_prefix":"refund.","text":"glass")") == "2");
}

TEST_CASE("audit: an event of any type is a record when something says who, why or as part of what", "[audit]") {
  Trail trail;
  trail.write(
      {{.actor = "asha"},
       {},  // nobody, nothing
       {.correlation = "c1"},
       {.reason = "because"},
       {.stream = "invoice-9", .type = "invoice.Sent", .actor = "asha", .target_type = "order", .target_id = "7"},
       {.causation = "x", .content_type = "application/octet-stream"}});
  CHECK(found(trail, "") == "0 2 3 4 5");
  CHECK(first_line(trail, 0) == "0 asha order.Placed order/1 [] () #");
  CHECK(first_line(trail, 3) == "3  order.Placed order/1 [] (because) #");
  CHECK(first_line(trail, 4) == "4 asha invoice.Sent order/7 [] () #");
  CHECK(trail.failure("record", R"("offset":1)").code() == ErrorCode::kNotFound);
}

TEST_CASE("audit: a record shows who, on whose behalf, both times and the stream", "[audit]") {
  Trail trail;
  trail.clock.set(Timestamp{1'750'000'000'000'000'000});
  trail.write({{.data = R"({"total_paise":5})",
                .actor = "asha",
                .on_behalf_of = "ravi",
                .correlation = "c1",
                .causation = "e0",
                .reason = "asked by phone",
                .occurred_at = Timestamp{1'600'000'000'000'000'000}}});
  const Json record = trail.ask("record", R"("offset":0)");
  CHECK(record["tenant"].GetInt() == static_cast<int>(trail.tenant.value));
  CHECK(text_of(record, "recorded_at") == "2025-06-15T15:06:40Z");
  CHECK(text_of(record, "occurred_at") == "2020-09-13T12:26:40Z");
  CHECK(text_of(record, "on_behalf_of") == "ravi");
  CHECK(text_of(record, "causation_id") == "e0");
  CHECK(text_of(record, "stream") == "order-1");
  CHECK(record["data"]["total_paise"].GetInt() == 5);
}

TEST_CASE("audit: an explicit record tells its changes itself", "[audit]") {
  Trail trail;
  Act act;
  act.stream = "user-asha";
  act.type = "audit.Recorded";
  act.actor = "admin";
  act.data = R"({"action":"permission.granted","target_type":"user","target_id":"asha","outcome":"done",
    "reason":"new role","details":"for the Kolkata branch",
    "changes":[{"field":"role","old":"reader","new":"writer"},{"field":"limit","new":"5"},{"field":"note","old":"x"}]})";
  trail.write({act});
  CHECK(first_line(trail, 0) ==
        "0 admin permission.granted user/asha [done] (new role) # role:'reader'->'writer' "
        "limit:null->'5' note:'x'->null");
  CHECK(found(trail, R"("text":"kolkata")") == "0");
  CHECK(found(trail, R"("text":"role")") == "0");
  CHECK(found(trail, R"("text":"reader writer")") == "0");
  CHECK(found(trail, R"("outcome":"done","action_prefix":"permission.")") == "0");
  const auto refused = trail.engine->append(
      request_of(trail.tenant, {{.type = "audit.Recorded", .data = R"({"action":"x","target_type":"user"})"}}));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::kMalformedEvent);
  CHECK_THAT(refused.error().message(), Catch::Contains("target_id"));
}

TEST_CASE("audit: state transitions of other read models, with what was before", "[audit]") {
  Trail trail;
  trail.write({batch("Recalled", R"(,"reason":"glass found")"), batch("RecallLifted"), batch("Recalled")});
  CHECK(first_line(trail, 0) == "0 keeper batch.recalled batch/rice/jan [] (glass found) # recalled:null->'true'");
  CHECK(first_line(trail, 1) == "1 keeper batch.recall-lifted batch/rice/jan [] () # recalled:'true'->'false'");
  CHECK(first_line(trail, 2) == "2 keeper batch.recalled batch/rice/jan [] () # recalled:'false'->'true'");
  trail.write({message("Sent", "Is the rice here?"), message("Edited", "Is the red rice here?")});
  CHECK(first_line(trail, 4) ==
        "4 ravi message.edited message/tea/m1 [] () # text:'Is the rice here?'->'Is the red rice here?'");
}

TEST_CASE("audit: a target is found by all that happened to it, also by other names for it", "[audit]") {
  Trail trail;
  Act about = message("Sent", "hello");
  about.target_type = "conversation";
  about.target_id = "tea";
  trail.write({about,
               {.actor = "asha", .target_type = "message", .target_id = "tea/m1"},
               {.actor = "asha", .target_type = "message", .target_id = "tea/m2"}});
  CHECK(found(trail, R"("target_type":"message","target_id":"tea/m1")") == "0 1");
  CHECK(found(trail, R"("target_type":"message")") == "0 1 2");
  CHECK(found(trail, R"("target_type":"conversation","target_id":"tea")") == "0");
  CHECK(trail.failure("records", R"("target_id":"tea")").code() == ErrorCode::kInvalidArgument);
}

TEST_CASE("audit: a story is one correlation over all streams, in order", "[audit]") {
  Trail trail;
  trail.write({{.stream = "order-1", .correlation = "c1"},
               {.stream = "order-2", .correlation = "c2"},
               {.stream = "payment-1",
                .type = "payment.Captured",
                .data = R"({"payment":"1","amount_paise":100})",
                .correlation = "c1"}});
  trail.write({{.stream = "parcel-1", .type = "parcel.Sent", .correlation = "c1"}});
  CHECK(offsets_of(trail.ask("story", R"("correlation":"c1")")) == "0 2 3");
  CHECK(offsets_of(trail.ask("story", R"("correlation":"c1","at_offset":3)")) == "0 2");
  CHECK(offsets_of(trail.ask("story", R"("correlation":"c3")")).empty());
}

TEST_CASE("audit: words are found in reasons and in the texts of any event", "[audit]") {
  Trail trail;
  trail.write({{.data = R"({"note":"Broken GLASS in the box","inner":{"list":["ग्राहक नाराज़","x"]},"n":12})",
                .actor = "asha",
                .reason = "complaint by phone"},
               {.data = R"({"note":"glass is fine"})", .actor = "asha"},
               {.data = "plain glass", .actor = "asha", .content_type = "text/plain"},
               {.data = "{\"note\":\"glass", .actor = "asha"}});
  CHECK(found(trail, R"("text":"glass")") == "0 1 2");
  CHECK(found(trail, R"("text":"box GLASS")") == "0");
  CHECK(found(trail, R"("text":"phone box")") == "0");
  CHECK(found(trail, R"("text":"नाराज़")") == "0");
  CHECK(found(trail, R"("text":"ग्राह*")") == "0");
  CHECK(found(trail, R"("text":"gl* fi*")") == "1");
  CHECK(found(trail, R"("text":"note")").empty());  // a name, not a text
  CHECK(found(trail, R"("text":"glass missing")").empty());
  CHECK(trail.failure("records", R"("text":"!!! *")").code() == ErrorCode::kInvalidArgument);
}

TEST_CASE("audit: a prefix that means too much is refused", "[audit]") {
  Trail trail;
  std::vector<Act> acts;
  for (int i = 0; i < 300; ++i) {
    acts.push_back({.type = fmt::format("type.{}", i), .data = fmt::format(R"({{"a":"w{:03}"}})", i), .actor = "a"});
  }
  trail.write(acts);
  CHECK(found(trail, R"("text":"w00*")") == "0 1 2 3 4 5 6 7 8 9");
  CHECK(found(trail, R"("action_prefix":"type.29")") == "29 290 291 292 293 294 295 296 297 298 299");
  CHECK_THAT(trail.failure("records", R"("text":"w*")").message(), Catch::Contains("longer"));
  CHECK_THAT(trail.failure("records", R"("action_prefix":"type.")").message(), Catch::Contains("longer"));
}

TEST_CASE("audit: time ranges by either clock, also when the recorder's was set back", "[audit]") {
  Trail trail;
  const auto at = [](std::int64_t seconds) { return Timestamp{(1'700'000'000 + seconds) * 1'000'000'000}; };
  const auto text = [&](std::int64_t seconds) {
    return fmt::format("2023-11-14T22:{:02}:{:02}Z", 13 + (20 + seconds) / 60, (20 + seconds) % 60);
  };
  for (const std::int64_t seconds : {10, 20, 15, 30}) {
    trail.clock.set(at(seconds));
    trail.write({{.actor = "a"}, {.actor = "b", .occurred_at = at(-seconds * 3600)}});
  }
  const auto recorded = [&](std::int64_t from, std::int64_t to) {
    return found(trail, fmt::format(R"("from":"{}","to":"{}")", text(from), text(to)));
  };
  CHECK(recorded(0, 40) == "0 1 2 3 4 5 6 7");
  CHECK(recorded(10, 20) == "0 1");
  CHECK(recorded(11, 20).empty());
  CHECK(recorded(20, 30) == "2 3 4 5");  // the clock that was set back stood still
  CHECK(recorded(21, 31) == "6 7");
  CHECK(found(trail, fmt::format(R"("from":"{}")", text(30))) == "6 7");
  CHECK(found(trail, R"("occurred_from":"2023-11-13T00:00:00Z","occurred_to":"2023-11-14T12:13:20Z")") == "3 5 7");
  CHECK(found(trail, R"("occurred_from":"2023-11-14T12:13:20Z","occurred_to":"2023-11-14T12:13:21Z")") == "1");
  CHECK(found(trail, R"("actor":"a","occurred_from":"1960-01-01T00:00:00Z","occurred_to":"2200-01-01T00:00:00Z")") ==
        "0 2 4 6");
  CHECK(trail.failure("records", R"("occurred_from":"2023-11-14T12:13:20Z")").code() == ErrorCode::kInvalidArgument);
  CHECK(trail.failure("records", R"("from":"2024-01-01T00:00:00Z","to":"2023-01-01T00:00:00Z")").code() ==
        ErrorCode::kInvalidArgument);
}

TEST_CASE("audit: redacted content is found by nobody, its identity stays", "[audit]") {
  Trail trail;
  Act sent = message("Sent", "my secret pin");
  sent.reason = "pin asked for";
  trail.write({sent, message("Edited", "my hidden code"), {.actor = "asha", .reason = "saw the secret"}});
  CHECK(found(trail, R"("text":"secret")") == "0 2");
  CHECK(found(trail, R"("text":"hidden")") == "1");
  trail.write({message("Redacted", "", "asha")});
  trail.write({message("Edited", "late secret")});
  CHECK(found(trail, R"("text":"secret")") == "2");
  CHECK(found(trail, R"("text":"hidden")").empty());
  CHECK(found(trail, R"("text":"late")").empty());
  CHECK(found(trail, R"("text":"pin")") == "0");  // by the reason, which is no content
  CHECK(found(trail, R"("text":"my")").empty());
  CHECK(first_line(trail, 0) == "0 ravi message.sent message/tea/m1 [] (pin asked for) # redacted by 3 text:redacted");
  CHECK(first_line(trail, 1) == "1 ravi message.edited message/tea/m1 [] () # redacted by 3 text:redacted");
  CHECK(first_line(trail, 3) == "3 asha message.redacted message/tea/m1 [] () # text:redacted");
  CHECK(first_line(trail, 4) == "4 ravi message.edited message/tea/m1 [] () # redacted by 3 text:redacted");
  CHECK_FALSE(trail.ask("record", R"("offset":0)").HasMember("data"));
  const Hash128 live = trail.fingerprint();
  trail.rebuild();
  CHECK(trail.fingerprint() == live);
}

TEST_CASE("audit: an event that cannot be read is a record, and parks nothing", "[audit]") {
  Trail trail(false);
  trail.write({{.type = "chat.MessageSent", .data = R"({"text":"half"})", .actor = "asha"}, {.actor = "ravi"}});
  CHECK(found(trail, "") == "0 1");
  CHECK(first_line(trail, 0) == "0 asha chat.MessageSent order/1 [] () #");
  CHECK(found(trail, R"("text":"half")").empty());
}

TEST_CASE("audit: the trail cannot be switched off, only rebuilt; its replays can go", "[audit]") {
  Trail trail;
  trail.write({{.actor = "asha"}, {.actor = "ravi"}});
  const Status dropped = trail.projections->drop(trail.tenant, "audit", "admin");
  REQUIRE_FALSE(dropped);
  CHECK(dropped.error().code() == ErrorCode::kRefused);
  CHECK(trail.projections->skip(trail.tenant, "audit", "admin").error().code() == ErrorCode::kRefused);
  CHECK(found(trail, "") == "0 1");
  trail.rebuild();
  CHECK(found(trail, "") == "0 1");
  REQUIRE(trail.projections->replay(trail.tenant, "audit", "first", Offset{0}, Offset{1}, "admin"));
  REQUIRE(trail.projections->drop(trail.tenant, "audit@first", "admin"));
  CHECK(trail.projections->list(trail.tenant).size() == 1);
}

TEST_CASE("audit: cursors of other conditions, orders and tenants are refused", "[audit]") {
  Trail trail;
  trail.write({{.actor = "asha"}, {.actor = "asha"}, {.actor = "asha"}});
  const Json page = trail.ask("records", R"("actor":"asha","limit":1)");
  const std::string cursor = fmt::format(R"(,"cursor":"{}")", page["next"].GetString());
  CHECK(offsets_of(trail.ask("records", R"("actor":"asha","limit":1)" + cursor)) == "1");
  for (const char* other : {R"("actor":"ravi")", R"("actor":"asha","order":"oldest")", R"("action":"asha")",
                            R"("actor":"asha","text":"x")"}) {
    CHECK(trail.failure("records", other + cursor).code() == ErrorCode::kInvalidCursor);
  }
}

TEST_CASE("audit: pages of every size give each record once, in both orders", "[audit]") {
  Trail trail;
  std::vector<Act> acts;
  std::vector<std::uint64_t> expected;
  for (std::uint64_t i = 0; i < 250; ++i) {
    acts.push_back({.data = R"({"a":"apple"})", .actor = i % 3 == 0 ? "ravi" : "asha"});
    if (i % 3 != 0) expected.push_back(i);
  }
  trail.write(acts);
  for (std::size_t limit = 1; limit <= 100; ++limit) {
    INFO("limit " << limit);
    CHECK(all_offsets(trail, "records", R"("actor":"asha","text":"apple","order":"oldest")", limit) == expected);
    std::vector<std::uint64_t> newest = all_offsets(trail, "records", R"("actor":"asha","text":"apple")", limit);
    std::reverse(newest.begin(), newest.end());
    CHECK(newest == expected);
  }
}

TEST_CASE("audit: what comes while pages are read does not move them", "[audit]") {
  Trail trail;
  for (int i = 0; i < 6; ++i) trail.write({{.actor = "asha"}});
  const Json first = trail.ask("records", R"("limit":3)");
  CHECK(offsets_of(first) == "5 4 3");
  trail.write({{.actor = "asha"}});
  CHECK(offsets_of(trail.ask("records", fmt::format(R"("limit":3,"cursor":"{}")", first["next"].GetString()))) ==
        "2 1 0");
}

}  // namespace
}  // namespace bahi::projections::test_audit
