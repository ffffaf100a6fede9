// Pages of the message timelines: the cases of their specification.
#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <utility>

#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "timelines_fixture.hpp"

namespace bahi::projections::test_timelines {
namespace {

constexpr const char* kC = R"("conversation":"c")";

/// m1, m2, …, in turn from odd and even; all at the same time, as the fixture's events are.
void write_messages(Chat& chat, int count, const std::string& thread = {}) {
  std::vector<Event> events;
  for (int i = 1; i <= count; ++i) {
    const std::string sender = i % 2 == 1 ? "odd" : "even";
    events.push_back(thread.empty() ? sent("c", fmt::format("m{}", i), sender)
                                    : reply("c", thread, fmt::format("{}", i - 1), sender));
    if (events.size() == 7 || i == count) {
      chat.write(events);
      events.clear();
    }
  }
}

TEST_CASE("timelines: a page around a message has so many before and after it", "[timelines][page]") {
  Chat chat;
  write_messages(chat, 10);
  const auto around = [&](const std::string& more) { return chat.ask("around", arguments_of(kC, more)); };
  const auto middle = around(R"("message":"m5","before":2,"after":2)");
  CHECK(messages_of(middle) == "m3 m4 m5 m6 m7");
  CHECK(middle["found_anchor"].GetBool());
  CHECK_FALSE(middle["found_oldest"].GetBool());
  CHECK_FALSE(middle["found_newest"].GetBool());

  struct Case {
    const char* arguments;
    const char* messages;
    bool oldest;
    bool newest;
  };
  for (const Case& each :
       {Case{R"("message":"m1","before":2,"after":2)", "m1 m2 m3", true, false},
        Case{R"("message":"m3","before":2,"after":0)", "m1 m2 m3", true, false},
        Case{R"("message":"m10","before":1,"after":3)", "m9 m10", false, true},
        Case{R"("message":"m9","before":0,"after":1)", "m9 m10", false, true},
        Case{R"("message":"m5","before":0,"after":0)", "m5", false, false},
        Case{R"("message":"m5","before":100,"after":100)", "m1 m2 m3 m4 m5 m6 m7 m8 m9 m10", true, true},
        Case{R"("message":"m4","before":1,"after":1,"sender":"odd")", "m3 m5", false, false},
        Case{R"("message":"m2","before":5,"after":1,"sender":"odd")", "m1 m3", true, false}}) {
    INFO(each.arguments);
    const auto answer = around(each.arguments);
    CHECK(messages_of(answer) == each.messages);
    CHECK(answer["found_oldest"].GetBool() == each.oldest);
    CHECK(answer["found_newest"].GetBool() == each.newest);
    CHECK(answer.HasMember("before") != each.oldest);
    CHECK(answer.HasMember("after") != each.newest);
  }
}

TEST_CASE("timelines: pages go on from both ends of a page around a message", "[timelines][page]") {
  Chat chat;
  write_messages(chat, 10);
  const auto middle = chat.ask("around", arguments_of(kC, R"("message":"m5","before":2,"after":2)"));
  const auto on = [&](const char* end, const char* direction) {
    return messages_of(chat.ask("page", arguments_of(kC, fmt::format(R"("cursor":"{}","direction":"{}")",
                                                                     middle[end].GetString(), direction))));
  };
  CHECK(on("before", "backward") == "m2 m1");
  CHECK(on("after", "forward") == "m8 m9 m10");
}

TEST_CASE("timelines: a filter keeps some, and the end is found behind the last of them", "[timelines][page]") {
  Chat chat;
  write_messages(chat, 10);
  const std::string odd = R"("message":"m3","direction":"forward","sender":"odd")";
  auto page = chat.ask("page", arguments_of(kC, odd));
  CHECK(messages_of(page) == "m5 m7 m9");
  CHECK(page["found_newest"].GetBool());
  CHECK_FALSE(page.HasMember("next"));
  page = chat.ask("page", arguments_of(kC, odd + R"(,"limit":3)"));
  CHECK(messages_of(page) == "m5 m7 m9");
  CHECK(page["found_newest"].GetBool());
  page = chat.ask("page", arguments_of(kC, odd + R"(,"limit":2)"));
  CHECK(messages_of(page) == "m5 m7");
  CHECK_FALSE(page["found_newest"].GetBool());
  CHECK(messages_of(chat.ask("page", arguments_of(kC, odd + R"(,"inclusive":true)"))) == "m3 m5 m7 m9");
}

TEST_CASE("timelines: a filter that finds nothing in a lot ends the page short, and goes on", "[timelines][page]") {
  Chat chat;
  std::vector<Event> events{sent("c", "first", "rare")};
  for (int i = 0; i < 12'000; ++i) events.push_back(sent("c", fmt::format("n{}", i), "often"));
  chat.write(events);
  std::string cursor;
  std::string found;
  std::size_t pages = 0;
  for (bool more = true; more; ++pages) {
    const auto page = chat.ask("page", arguments_of(kC, R"("sender":"rare","limit":10)" + cursor));
    found += messages_of(page);
    more = page.HasMember("next");
    if (more) cursor = fmt::format(R"(,"cursor":"{}")", page["next"].GetString());
  }
  CHECK(found == "first");
  CHECK(pages == 3);
}

TEST_CASE("timelines: a thread has pages in both directions", "[timelines][thread]") {
  Chat chat;
  chat.write({sent("c", "root", "odd"), sent("c", "aside", "even")});
  write_messages(chat, 10, "root");
  const std::string thread = R"("conversation":"c","thread":"root")";
  CHECK(pages_of(chat, "page", thread, 3) == "9 8 7|6 5 4|3 2 1|0");
  CHECK(pages_of(chat, "page", thread + R"(,"direction":"forward")", 3) == "0 1 2|3 4 5|6 7 8|9");
  CHECK(pages_of(chat, "page", thread, 5) == "9 8 7 6 5|4 3 2 1 0");
  CHECK(pages_of(chat, "page", kC, 5) == "aside root");
  const auto main = chat.ask("page", arguments_of(kC, ""));
  CHECK(main["messages"][1]["replies"]["count"].GetInt() == 10);
  const auto around = chat.ask("around", arguments_of(kC, R"("message":"4","before":1,"after":1)"));
  CHECK(messages_of(around) == "3 4 5");
  CHECK(text_of(around, "thread") == "root");
}

TEST_CASE("timelines: what came after a cursor was taken does not appear behind it", "[timelines][thread]") {
  Chat chat;
  chat.write({sent("c", "root", "a")});
  const auto write = [&](int from, int to) {
    for (int i = from; i < to; ++i) chat.write({reply("c", "root", fmt::format("{}", i), "a")});
  };
  write(0, 5);
  const std::string thread = R"("conversation":"c","thread":"root","limit":2)";
  const auto first = chat.ask("page", arguments_of(thread, ""));
  CHECK(messages_of(first) == "4 3");
  write(5, 10);
  const auto second =
      chat.ask("page", arguments_of(thread, fmt::format(R"("cursor":"{}")", first["next"].GetString())));
  CHECK(messages_of(second) == "2 1");
  const auto third =
      chat.ask("page", arguments_of(thread, fmt::format(R"("cursor":"{}")", second["next"].GetString())));
  CHECK(messages_of(third) == "0");
  CHECK_FALSE(third.HasMember("next"));
}

TEST_CASE("timelines: threads are ordered by their last reply", "[timelines][thread]") {
  Chat chat;
  chat.write({sent("c", "t1", "a"), sent("c", "t2", "b"), reply("c", "t1", "r1", "a"), reply("c", "t2", "r2", "a")});
  const auto threads = [&](const std::string& more = {}) { return chat.ask("threads", arguments_of(kC, more)); };
  CHECK(texts_of(threads(), "threads", "thread") == "t2 t1");
  chat.write({reply("c", "t1", "r3", "b")});
  CHECK(texts_of(threads(), "threads", "thread") == "t1 t2");
  const auto first = threads(R"("limit":1)");
  CHECK(texts_of(first, "threads", "thread") == "t1");
  const auto second = threads(fmt::format(R"("limit":1,"cursor":"{}")", first["next"].GetString()));
  CHECK(texts_of(second, "threads", "thread") == "t2");
  CHECK_FALSE(second.HasMember("next"));
  CHECK(second["threads"][0]["replies"].GetInt() == 1);
}

TEST_CASE("timelines: a reply in a thread of a reply is in that thread; one of nothing is in the main timeline",
          "[timelines][thread]") {
  Chat chat;
  chat.write({sent("c", "root", "a"), reply("c", "root", "r1", "a"), reply("c", "r1", "r2", "b"),
              reply("c", "nothing", "m2", "b"), reply("c", "m3", "m3", "b")});
  CHECK(pages_of(chat, "page", R"("conversation":"c","thread":"root")", 10) == "r2 r1");
  CHECK(pages_of(chat, "page", kC, 10) == "m3 m2 root");
  const Error nested = chat.failure("page", R"({"conversation":"c","thread":"r1"})");
  CHECK(nested.code() == ErrorCode::kInvalidArgument);
  CHECK_THAT(nested.message(), Catch::Contains("'root'"));
}

TEST_CASE("timelines: equal times lose and repeat nothing, at any page size, in either direction",
          "[timelines][page]") {
  Chat chat;
  write_messages(chat, 1000);
  std::string forward;
  std::string backward;
  for (int i = 1; i <= 1000; ++i) {
    forward += fmt::format("{}m{}", i == 1 ? "" : " ", i);
    backward += fmt::format("{}m{}", i == 1 ? "" : " ", 1001 - i);
  }
  for (std::size_t size = 1; size <= 100; ++size) {
    for (const bool ahead : {false, true}) {
      std::string pages = pages_of(chat, "page", ahead ? R"("conversation":"c","direction":"forward")" : kC, size);
      std::replace(pages.begin(), pages.end(), '|', ' ');
      if (pages != (ahead ? forward : backward)) FAIL("page size " << size << (ahead ? " forward" : " backward"));
    }
  }
}

// BAHI_CHAT_EVENTS: a file of events as `bahi import` takes them, with one conversation; examples/chat_export.jq makes
// one.
TEST_CASE("timelines: pages of a real conversation give each message once, at any page size, in either direction",
          "[timelines][page]") {
  const char* const path = std::getenv("BAHI_CHAT_EVENTS");
  if (path == nullptr) return;
  Chat chat;
  std::ifstream lines(path);
  REQUIRE(lines.good());
  std::string conversation;
  std::vector<std::string> expected;
  std::vector<Event> events;
  for (std::string line; std::getline(lines, line);) {
    Json event;
    event.Parse(line.c_str());
    REQUIRE(event.IsObject());
    rapidjson::StringBuffer data;
    rapidjson::Writer<rapidjson::StringBuffer> writer(data);
    event["data"].Accept(writer);
    events.push_back({event["stream"].GetString(), event["type"].GetString(), data.GetString(), {}});
    if (events.back().type == "chat.MessageSent") {
      conversation = event["data"]["conversation"].GetString();
      expected.emplace_back(event["data"]["message"].GetString());
    }
    if (events.size() == 1000) chat.write(std::exchange(events, {}));
  }
  if (!events.empty()) chat.write(events);
  REQUIRE(!expected.empty());
  for (const std::string_view direction : {"forward", "backward"}) {
    for (std::size_t size = 1; size <= 100; ++size) {
      std::size_t seen = 0;
      std::string cursor;
      do {
        const Json page = chat.ask(
            "page", fmt::format(R"({{"conversation":"{}","direction":"{}","limit":{}{}}})", conversation, direction,
                                size, cursor.empty() ? "" : fmt::format(R"(,"cursor":"{}")", cursor)));
        for (const auto& message : page["messages"].GetArray()) {
          const std::size_t place = direction == "forward" ? seen : expected.size() - 1 - seen;
          if (seen == expected.size() || message["message"].GetString() != expected[place]) {
            FAIL(direction << ", page size " << size << ": message " << seen << " is another one");
          }
          ++seen;
        }
        cursor = text_of(page, "next");
      } while (!cursor.empty());
      if (seen != expected.size())
        FAIL(direction << ", page size " << size << ": " << seen << " of " << expected.size());
    }
  }
  WARN(expected.size() << " messages, 200 times");
}

TEST_CASE("timelines: a page begins at a position counted from either end", "[timelines][page]") {
  Chat chat;
  write_messages(chat, 40);
  chat.write({created("other"), sent("c", "m41", "odd")});
  const auto at = [&](int position, const char* more = "") {
    return messages_of(chat.ask("page", arguments_of(kC, fmt::format(R"("limit":2,"position":{}{})", position, more))));
  };
  CHECK(at(1, R"(,"direction":"forward")") == "m1 m2");
  CHECK(at(17) == "m17 m16");
  CHECK(at(-1) == "m41 m40");
  CHECK(at(-41) == "m1");
  CHECK(chat.failure("page", R"({"conversation":"c","position":42})").code() == ErrorCode::kNotFound);
  CHECK(chat.failure("page", R"({"conversation":"c","position":-42})").code() == ErrorCode::kNotFound);
  CHECK(chat.failure("page", R"({"conversation":"c","position":0})").code() == ErrorCode::kInvalidArgument);
}

TEST_CASE("timelines: a page as of an offset shows what was there, as it read then", "[timelines][page]") {
  Chat chat;
  chat.write({sent("c", "m1", "a", "one"), sent("c", "m2", "a", "two"), edited("c", "m1", "a", "uno"),
              edited("c", "m1", "a", "eins"), redacted("c", "m2", "a"), sent("c", "m3", "a", "three")});
  const auto texts = [&](int offset) {
    const auto page =
        chat.ask("page", arguments_of(kC, fmt::format(R"("direction":"forward","at_offset":{})", offset)));
    return texts_of(page, "messages", "text");
  };
  CHECK(texts(0).empty());
  CHECK(texts(1) == "one");
  // What was redacted is gone from the past too.
  CHECK(texts(2) == "one ");
  CHECK(texts(3) == "uno ");
  CHECK(texts(4) == "eins ");
  CHECK(texts(6) == "eins  three");
  CHECK(messages_of(chat.ask("page", R"({"conversation":"c","at_offset":2})")) == "m2 m1");
}

TEST_CASE("timelines: cursors of other queries, arguments and tenants are refused", "[timelines][page]") {
  Chat chat;
  write_messages(chat, 10);
  chat.write({sent("d", "x1", "a"), sent("d", "x2", "a"), joined("c", "u")});
  const std::string cursor = chat.ask("page", R"({"conversation":"c","limit":2})")["next"].GetString();
  for (const std::string members :
       {R"("conversation":"d")", R"("conversation":"c","thread":"m1")", R"("conversation":"c","user":"u")",
        R"("conversation":"c","sender":"odd")", R"("conversation":"c","at_offset":9)"}) {
    INFO(members);
    CHECK(chat.failure("page", arguments_of(members, fmt::format(R"("cursor":"{}")", cursor))).code() ==
          ErrorCode::kInvalidCursor);
  }
  CHECK(chat.failure("threads", arguments_of(kC, fmt::format(R"("cursor":"{}")", cursor))).code() ==
        ErrorCode::kInvalidCursor);
  CHECK(chat.failure("page", R"({"conversation":"c","cursor":"zz"})").code() == ErrorCode::kInvalidCursor);

  const auto neighbour = chat.host->try_ask_neighbour(facts_of({sent("c", "m1", "a"), sent("c", "m2", "a")}), "page",
                                                      arguments_of(kC, fmt::format(R"("cursor":"{}")", cursor)));
  REQUIRE_FALSE(neighbour);
  CHECK(neighbour.error().code() == ErrorCode::kInvalidCursor);
}

TEST_CASE("timelines: wrong arguments are answered with what is wrong", "[timelines][page]") {
  Chat chat;
  chat.write({sent("c", "m1", "a"), reply("c", "m1", "r1", "a")});
  struct Case {
    const char* query;
    const char* arguments;
    ErrorCode code;
    const char* says;
  };
  for (const Case& each :
       {Case{"page", R"({})", ErrorCode::kInvalidArgument, "'conversation' is missing"},
        Case{"page", R"({"conversation":"x"})", ErrorCode::kNotFound, "'x'"},
        Case{"page", R"({"conversation":"c","limit":1001})", ErrorCode::kInvalidArgument, "'limit'"},
        Case{"page", R"({"conversation":"c","direction":"up"})", ErrorCode::kInvalidArgument, "backward, forward"},
        Case{"page", R"({"conversation":"c","message":"m1","position":1})", ErrorCode::kInvalidArgument, "give one of"},
        Case{"page", R"({"conversation":"c","message":"r1"})", ErrorCode::kInvalidArgument, "thread of 'm1'"},
        Case{"page", R"({"conversation":"c","message":"m9"})", ErrorCode::kNotFound, "'m9'"},
        Case{"around", R"({"conversation":"c"})", ErrorCode::kInvalidArgument, "'message' is missing"},
        Case{"message", R"({"conversation":"c","message":"m9"})", ErrorCode::kNotFound, "'m9'"},
        Case{"receipts", R"({"conversation":"c","message":"m9"})", ErrorCode::kNotFound, "'m9'"},
        Case{"presence", R"({"users":"a"})", ErrorCode::kInvalidArgument, "'users'"}}) {
    const Error error = chat.failure(each.query, each.arguments);
    CHECK(error.code() == each.code);
    CHECK_THAT(error.message(), Catch::Contains(each.says));
  }
}

}  // namespace
}  // namespace bahi::projections::test_timelines
