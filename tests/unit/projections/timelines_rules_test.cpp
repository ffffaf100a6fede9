// What edits, redactions, membership, receipts and mentions do to the timelines.
#include <catch2/catch.hpp>

#include <fmt/format.h>

#include "timelines_fixture.hpp"

namespace bahi::projections::test_timelines {
namespace {

Json message(const Chat& chat, const std::string& name, const std::string& more = {}) {
  return chat.ask("message", arguments_of(fmt::format(R"("conversation":"c","message":"{}")", name), more));
}

/// "unread/mentions" of a user in conversation c.
std::string counts(const Chat& chat, const std::string& user) {
  const auto answer = chat.ask("conversation", fmt::format(R"({{"conversation":"c","user":"{}"}})", user));
  return fmt::format("{}/{}", answer["unread"].GetInt(), answer["mentions"].GetInt());
}

TEST_CASE("timelines: the same transaction is the same message, whatever it says", "[timelines]") {
  Chat chat;
  chat.write({sent("c", "m1", "a", "first", R"(,"transaction":"t")"),
              sent("c", "m2", "a", "second", R"(,"transaction":"t")"),
              sent("d", "m2", "a", "elsewhere", R"(,"transaction":"t")"), sent("c", "m1", "a", "the same name")});
  CHECK(texts_of(chat.ask("page", R"({"conversation":"c"})"), "messages", "text") == "first");
  CHECK(texts_of(chat.ask("page", R"({"conversation":"d"})"), "messages", "text") == "elsewhere");
}

TEST_CASE("timelines: an edit is by the sender, and every version is kept", "[timelines][edit]") {
  Chat chat;
  chat.write({sent("c", "m1", "a", "one"), edited("c", "m1", "b", "not mine"), edited("c", "m1", "a", "two"),
              edited("c", "m1", "a", "three"), edited("c", "m0", "a", "nothing there")});
  const auto now = message(chat, "m1");
  CHECK(text_of(now, "text") == "three");
  CHECK(now["edits"].GetInt() == 2);
  const std::string asked = R"("conversation":"c","message":"m1")";
  CHECK(texts_of(chat.ask("versions", arguments_of(asked, "")), "versions", "text") == "one two three");
  const auto first = chat.ask("versions", arguments_of(asked, R"("limit":2)"));
  CHECK(texts_of(first, "versions", "text") == "one two");
  const auto rest =
      chat.ask("versions", arguments_of(asked, fmt::format(R"("cursor":"{}")", first["next"].GetString())));
  CHECK(texts_of(rest, "versions", "text") == "three");
  CHECK_FALSE(rest.HasMember("next"));
}

TEST_CASE("timelines: redaction takes the content out of every answer", "[timelines][redact]") {
  Chat chat;
  chat.write({joined("c", "v"), sent("c", "m0", "a"),
              sent("c", "m1", "a", "SECRET-1", R"(,"mentions":["v"],"reply_to":"m0")"),
              edited("c", "m1", "a", "SECRET-2", R"(,"mentions":["v"])"), edited("c", "m1", "a", "SECRET-3"),
              pin("MessagePinned", "c", "m1", "a"), reply("c", "m1", "r1", "b")});
  CHECK_THAT(text_of(message(chat, "m1"), "text"), Catch::Equals("SECRET-3"));
  chat.write({redacted("c", "m1", "mod"), edited("c", "m1", "a", "SECRET-4"), pin("MessagePinned", "c", "m1", "a"),
              reaction("ReactionAdded", "c", "m1", "b", "+1"), redacted("c", "m1", "later")});
  const auto gone = message(chat, "m1");
  CHECK_FALSE(gone.HasMember("text"));
  CHECK_FALSE(gone.HasMember("reply_to"));
  CHECK_FALSE(gone.HasMember("reactions"));
  CHECK(text_of(gone, "sender") == "a");
  CHECK(gone["position"].GetInt() == 2);
  CHECK(text_of(gone["redacted"], "by") == "mod");
  CHECK(gone["replies"]["count"].GetInt() == 1);
  CHECK(chat.ask("versions", R"({"conversation":"c","message":"m1"})")["versions"].Empty());
  CHECK(chat.ask("pins", R"({"conversation":"c"})")["pins"].Empty());
  CHECK(counts(chat, "v") == "2/0");
}

TEST_CASE("timelines: a user sees what was said while they were a member", "[timelines][visibility]") {
  Chat chat;
  chat.write({sent("c", "m1", "a"), joined("c", "u"), sent("c", "m2", "a"), reply("c", "m1", "r1", "a"),
              sent("c", "m3", "a"), left("c", "u"), sent("c", "m4", "a"), reply("c", "m1", "r2", "a"), joined("c", "u"),
              left("c", "u"), sent("c", "m5", "a"), joined("c", "u"), sent("c", "m6", "a"),
              reply("c", "m1", "r3", "a")});
  const std::string as_u = R"("conversation":"c","user":"u")";
  for (std::size_t size = 1; size < 5; ++size) {
    auto pages = pages_of(chat, "page", as_u, size);
    std::replace(pages.begin(), pages.end(), '|', ' ');
    CHECK(pages == "m6 m3 m2");
    pages = pages_of(chat, "page", as_u + R"(,"direction":"forward")", size);
    std::replace(pages.begin(), pages.end(), '|', ' ');
    CHECK(pages == "m2 m3 m6");
    pages = pages_of(chat, "page", as_u + R"(,"thread":"m1")", size);
    std::replace(pages.begin(), pages.end(), '|', ' ');
    CHECK(pages == "r3 r1");
  }
  CHECK(pages_of(chat, "page", R"("conversation":"c","user":"stranger")", 10).empty());
  CHECK(chat.failure("message", R"({"conversation":"c","user":"u","message":"m4"})").code() == ErrorCode::kNotFound);
  CHECK(chat.failure("page", R"({"conversation":"c","user":"u","message":"m4"})").code() == ErrorCode::kNotFound);
  CHECK(counts(chat, "u") == "3/0");
  chat.write({receipt("c", "u", "m2")});
  CHECK(counts(chat, "u") == "2/0");
  const auto threads = chat.ask("threads", arguments_of(as_u, ""));
  CHECK(texts_of(threads, "threads", "thread") == "m1");
  CHECK_FALSE(threads["threads"][0].HasMember("message"));  // it was said before they came
  CHECK(threads["threads"][0]["unread"].GetInt() == 2);
}

TEST_CASE("timelines: unread is what stands behind the furthest receipt or message of one's own",
          "[timelines][receipt]") {
  Chat chat;
  chat.write(
      {joined("c", "u"), sent("c", "m1", "a"), sent("c", "m2", "a"), sent("c", "m3", "a"), sent("c", "m4", "a")});
  CHECK(counts(chat, "u") == "4/0");
  chat.write({receipt("c", "u", "m2", "main")});
  CHECK(counts(chat, "u") == "2/0");
  chat.write({receipt("c", "u", "m1", "main"), receipt("c", "u", "m1")});  // nobody reads backward
  CHECK(counts(chat, "u") == "2/0");
  chat.write({receipt("c", "u", "m3", "main", true)});
  CHECK(counts(chat, "u") == "1/0");
  chat.write({sent("c", "m5", "u"), sent("c", "m6", "a")});
  CHECK(counts(chat, "u") == "1/0");
  chat.write({receipt("c", "u", "m6"), receipt("c", "u", "m6")});
  CHECK(counts(chat, "u") == "0/0");
}

TEST_CASE("timelines: receipts of the whole, of the main timeline and of a thread", "[timelines][receipt]") {
  Chat chat;
  chat.write({joined("c", "u"), sent("c", "m1", "a"), reply("c", "m1", "r1", "a"), reply("c", "m1", "r2", "a"),
              sent("c", "m2", "a"), reply("c", "m1", "r3", "a")});
  const auto in_thread = [&] {
    return chat.ask("threads", R"({"conversation":"c","user":"u"})")["threads"][0]["unread"].GetInt();
  };
  CHECK(in_thread() == 3);
  chat.write({receipt("c", "u", "r1", R"(thread","thread":"m1)")});
  CHECK(in_thread() == 2);
  CHECK(counts(chat, "u") == "2/0");
  chat.write({receipt("c", "u", "m2", R"(thread","thread":"m1)"), receipt("c", "u", "r3", "main")});  // not of these
  CHECK(in_thread() == 2);
  CHECK(counts(chat, "u") == "2/0");
  chat.write({receipt("c", "u", "m2", "main")});
  CHECK(in_thread() == 2);
  CHECK(counts(chat, "u") == "0/0");
  chat.write({receipt("c", "u", "m2")});  // unthreaded: everything said until then, in threads too
  CHECK(in_thread() == 1);
}

TEST_CASE("timelines: of an unthreaded and a threaded receipt on one message the unthreaded counts",
          "[timelines][receipt]") {
  Chat chat;
  chat.write({sent("c", "m1", "a"), sent("c", "m2", "a"), receipt("c", "u", "m1", "main"), receipt("c", "u", "m1"),
              receipt("c", "v", "m2", "main"), receipt("c", "w", "m1"), receipt("c", "w", "m2", "main")});
  const auto of = [&](const char* name) {
    const auto answer = chat.ask("receipts", fmt::format(R"({{"conversation":"c","message":"{}"}})", name));
    return texts_of(answer, "receipts", "user") + ", " + texts_of(answer, "receipts", "scope");
  };
  CHECK(of("m1") == "u w v, unthreaded unthreaded main");
  CHECK(of("m2") == "v w, main main");
  std::string users;
  std::string cursor;
  for (bool more = true; more;) {
    const auto page = chat.ask("receipts", R"({"conversation":"c","message":"m1","limit":1)" + cursor + "}");
    users += texts_of(page, "receipts", "user");
    more = page.HasMember("next");
    if (more) cursor = fmt::format(R"(,"cursor":"{}")", page["next"].GetString());
  }
  CHECK(users == "uwv");
}

TEST_CASE("timelines: a private receipt counts for its user and is shown to nobody else", "[timelines][receipt]") {
  Chat chat;
  chat.write({joined("c", "u"), sent("c", "m1", "a"), sent("c", "m2", "a"), receipt("c", "u", "m1"),
              receipt("c", "u", "m2", "unthreaded", true), receipt("c", "v", "m2", "main", true)});
  CHECK(counts(chat, "u") == "0/0");
  const auto of_m1 = chat.ask("receipts", R"({"conversation":"c","message":"m1"})");
  CHECK(texts_of(of_m1, "receipts", "user") == "u");
  CHECK(texts_of(of_m1, "receipts", "read_to") == "m1");
  CHECK(chat.ask("receipts", R"({"conversation":"c","message":"m2"})")["receipts"].Empty());
  const auto own = chat.ask("own_receipts", R"({"conversation":"c","user":"u"})");
  CHECK(texts_of(own, "receipts", "message") == "m1 m2");
  CHECK(own["receipts"][1]["private"].GetBool());
}

TEST_CASE("timelines: mentions follow edits and redactions, and are read with their timeline", "[timelines][mention]") {
  Chat chat;
  const char* you = R"(,"mentions":["u","u"])";
  chat.write(
      {joined("c", "u"), sent("c", "m1", "a", "hi", you), sent("c", "m2", "a"), sent("c", "m3", "a", "hi", you)});
  CHECK(counts(chat, "u") == "3/2");
  chat.write({edited("c", "m2", "a", "hi u", you)});
  CHECK(counts(chat, "u") == "3/3");
  chat.write({edited("c", "m3", "a", "hi nobody")});
  CHECK(counts(chat, "u") == "3/2");
  chat.write({redacted("c", "m1", "a")});
  CHECK(counts(chat, "u") == "3/1");
  chat.write({receipt("c", "u", "m2", "main")});
  CHECK(counts(chat, "u") == "1/0");
  chat.write({edited("c", "m2", "a", "hi again", you)});  // read already
  CHECK(counts(chat, "u") == "1/0");

  chat.write({reply("c", "m2", "r1", "a", you), reply("c", "m2", "r2", "a"), reply("c", "m3", "s1", "a", you)});
  CHECK(counts(chat, "u") == "1/2");
  chat.write({receipt("c", "u", "r1", R"(thread","thread":"m2)")});
  CHECK(counts(chat, "u") == "1/1");
  chat.write({reply("c", "m3", "s2", "u")});  // who answers has read what was said
  CHECK(counts(chat, "u") == "1/0");
  chat.write({left("c", "u"), sent("c", "m9", "a", "behind your back", you)});
  CHECK(counts(chat, "u") == "1/0");
}

TEST_CASE("timelines: a user's conversations are ordered by their last message", "[timelines][list]") {
  Chat chat;
  std::vector<Event> events;
  for (int i = 1; i <= 5; ++i) {
    events.push_back(created(fmt::format("c{}", i), i == 1 ? "direct" : "group"));
    events.push_back(joined(fmt::format("c{}", i), "u", i == 2 ? "owner" : "member"));
  }
  for (const int i : {3, 1, 5, 2, 4})
    events.push_back(sent(fmt::format("c{}", i), "m", "a", "hi", R"(,"mentions":["u"])"));
  chat.write(events);
  const auto names = [&] {
    std::string all;
    std::string cursor;
    for (bool more = true; more;) {
      const auto page = chat.ask("conversations", R"({"user":"u","limit":2)" + cursor + "}");
      all += texts_of(page, "conversations", "conversation") + (page.HasMember("next") ? "|" : "");
      more = page.HasMember("next");
      if (more) cursor = fmt::format(R"(,"cursor":"{}")", page["next"].GetString());
    }
    return all;
  };
  CHECK(names() == "c4 c2|c5 c1|c3");
  chat.write(
      {sent("c3", "m2", "b"), edited("c1", "m", "a", "an edit is no activity"), left("c2", "u"), joined("c2", "v")});
  CHECK(names() == "c3 c4|c5 c1");
  const auto page = chat.ask("conversations", R"({"user":"u"})");
  const auto& first = page["conversations"][0];
  CHECK(first["unread"].GetInt() == 2);
  CHECK(first["mentions"].GetInt() == 1);
  CHECK(text_of(page["conversations"][3], "kind") == "direct");
  CHECK(text_of(first, "title") == "c3 title");
  CHECK(text_of(first, "role") == "member");
  CHECK(chat.ask("conversations", R"({"user":"nobody"})")["conversations"].Empty());
}

TEST_CASE("timelines: reactions count each user once", "[timelines][reaction]") {
  Chat chat;
  const auto add = [](const char* user, const char* name) { return reaction("ReactionAdded", "c", "m1", user, name); };
  chat.write({sent("c", "m1", "a"), add("u", "+1"), add("v", "+1"), add("u", "+1"), add("u", "heart"),
              reaction("ReactionRemoved", "c", "m1", "w", "+1"), reaction("ReactionRemoved", "c", "m1", "u", "heart")});
  auto shown = message(chat, "m1");
  REQUIRE(shown["reactions"].Size() == 1);
  CHECK(shown["reactions"][0]["count"].GetInt() == 2);
  CHECK(texts_of(chat.ask("reactions", R"({"conversation":"c","message":"m1"})"), "reactions", "user") == "u v");
  const auto first = chat.ask("reactions", R"({"conversation":"c","message":"m1","limit":1})");
  CHECK(texts_of(chat.ask("reactions", fmt::format(R"({{"conversation":"c","message":"m1","cursor":"{}"}})",
                                                   first["next"].GetString())),
                 "reactions", "user") == "v");
  std::vector<Event> many;
  for (int i = 0; i < 70; ++i) many.push_back(add("u", fmt::format("r{:02}", i).c_str()));
  chat.write(many);
  CHECK(message(chat, "m1")["reactions"].Size() == 64);
  CHECK(texts_of(chat.ask("reactions", R"({"conversation":"c","message":"m1","reaction":"r05"})"), "reactions",
                 "user") == "u");
  CHECK(chat.ask("reactions", R"({"conversation":"c","message":"m1","reaction":"r69"})")["reactions"].Empty());
}

TEST_CASE("timelines: pins of a conversation, the newest message first", "[timelines][pin]") {
  Chat chat;
  chat.write({joined("c", "late"), left("c", "late"), sent("c", "m1", "a"), sent("c", "m2", "a"), sent("c", "m3", "a"),
              reply("c", "m1", "r1", "a"), pin("MessagePinned", "c", "m1", "a"), pin("MessagePinned", "c", "m3", "b"),
              pin("MessagePinned", "c", "r1", "b"), pin("MessagePinned", "c", "m3", "c"),
              pin("MessagePinned", "c", "m2", "b"), pin("MessageUnpinned", "c", "m2", "b"), joined("c", "late")});
  const auto pins = [&](const std::string& more) {
    const auto answer = chat.ask("pins", arguments_of(R"("conversation":"c")", more));
    std::string names;
    for (const auto& each : answer["pins"].GetArray())
      names += text_of(each["message"], "message") + text_of(each, "by");
    return names + (answer.HasMember("next") ? fmt::format(R"( "cursor":"{}")", answer["next"].GetString()) : "");
  };
  CHECK(pins("") == "r1bm3bm1a");
  const std::string first = pins(R"("limit":2)");
  CHECK(first.substr(0, 6) == "r1bm3b");
  CHECK(pins(first.substr(7)) == "m1a");
  CHECK(pins(R"("user":"late")").empty());
}

TEST_CASE("timelines: presence ends when it expires", "[timelines][presence]") {
  Chat chat;
  chat.write({presence("a", "online", "2026-01-01T00:05:00Z"), presence("b", "away"), presence("b", "busy")});
  const auto at = [&](const char* time) {
    return texts_of(chat.ask("presence", fmt::format(R"({{"users":["a","b","c"],"at":"{}"}})", time)), "users",
                    "status");
  };
  CHECK(at("2026-01-01T00:04:59Z") == "online busy ");
  CHECK(at("2026-01-01T00:05:00Z") == "busy ");
  chat.write({presence("a", "online", "2026-01-01T00:10:00Z")});
  CHECK(at("2026-01-01T00:05:00Z") == "online busy ");
  CHECK(chat.ask("presence", R"({"users":["b"]})")["users"][0]["known"].GetBool());
}

}  // namespace
}  // namespace bahi::projections::test_timelines
