// Sending, editing, redacting and reacting under the rules of membership.
#include <catch2/catch.hpp>

#include <atomic>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "timelines_fixture.hpp"

namespace bahi::projections::test_timelines {
namespace {

Json run(const Chat& chat, const std::string& command, const std::string& arguments) {
  const auto answer = chat.command(command, arguments);
  INFO(command << " " << arguments);
  REQUIRE(answer);
  Json json;
  json.Parse(answer->json.c_str());
  return json;
}

void check_refused(const Chat& chat, const std::string& command, const std::string& arguments, ErrorCode code,
                   const std::string& says) {
  const Offset before = chat.host->end();
  const auto answer = chat.command(command, arguments);
  INFO(command << " " << arguments);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code() == code);
  CHECK_THAT(answer.error().message(), Catch::Contains(says));
  CHECK(chat.host->end() == before);
}

TEST_CASE("timelines: members send, edit, react and redact", "[timelines][command]") {
  Chat chat;
  chat.write({created("c"), joined("c", "a"), joined("c", "b")});
  const auto first = run(chat, "send", R"({"conversation":"c","sender":"a","text":"hello","mentions":["b"]})");
  const std::string id = text_of(first["result"], "message");
  CHECK(text_of(first["events"][0]["data"], "message") == id);
  run(chat, "send", fmt::format(R"({{"conversation":"c","sender":"b","text":"hi","message":"r","thread":"{}"}})", id));
  run(chat, "edit", fmt::format(R"({{"conversation":"c","sender":"a","text":"hello!","message":"{}"}})", id));
  run(chat, "react", fmt::format(R"({{"conversation":"c","user":"b","reaction":"+1","message":"{}"}})", id));
  const auto again =
      run(chat, "react", fmt::format(R"({{"conversation":"c","user":"b","reaction":"+1","message":"{}"}})", id));
  CHECK(again["events"].Empty());
  CHECK(again["result"]["repeated"].GetBool());
  const auto shown = chat.ask("message", fmt::format(R"({{"conversation":"c","message":"{}"}})", id));
  CHECK(text_of(shown, "text") == "hello!");
  CHECK(shown["reactions"][0]["count"].GetInt() == 1);
  CHECK(shown["replies"]["count"].GetInt() == 1);
  run(chat, "unreact", fmt::format(R"({{"conversation":"c","user":"b","reaction":"+1","message":"{}"}})", id));
  run(chat, "redact", fmt::format(R"({{"conversation":"c","by":"a","message":"{}"}})", id));
  CHECK(run(chat, "redact", fmt::format(R"({{"conversation":"c","by":"a","message":"{}"}})", id))["events"].Empty());
  CHECK_FALSE(chat.ask("message", fmt::format(R"({{"conversation":"c","message":"{}"}})", id)).HasMember("text"));
}

TEST_CASE("timelines: what the rules forbid is refused, and nothing is stored", "[timelines][command]") {
  Chat chat;
  chat.write({joined("c", "a"), joined("c", "b"), joined("c", "mod", "moderator"), joined("c", "gone"),
              sent("c", "m1", "a"), reply("c", "m1", "r1", "a"), left("c", "gone"), sent("c", "m2", "a"),
              redacted("c", "m2", "a"), joined("c", "late")});
  const auto members = [](const std::string& more) { return R"({"conversation":"c",)" + more + "}"; };
  struct Case {
    const char* command;
    const char* arguments;
    ErrorCode code;
    const char* says;
  };
  for (const Case& each :
       {Case{"send", R"("sender":"gone","text":"x")", ErrorCode::kRefused, "'gone' is not a member of 'c'"},
        Case{"send", R"("sender":"stranger","text":"x")", ErrorCode::kRefused, "not a member"},
        Case{"send", R"("sender":"a","text":"x","message":"m1")", ErrorCode::kRefused, "a message 'm1' already"},
        Case{"send", R"("sender":"a","text":"x","thread":"r1")", ErrorCode::kRefused, "threads do not nest"},
        Case{"send", R"("sender":"a","text":"x","thread":"m9")", ErrorCode::kNotFound, "'m9'"},
        Case{"send", R"("sender":"late","text":"x","reply_to":"m1")", ErrorCode::kNotFound, "'m1'"},
        Case{"send", R"("sender":"a")", ErrorCode::kInvalidArgument, "'text' is missing"},
        Case{"edit", R"("sender":"b","text":"x","message":"m1")", ErrorCode::kRefused, "only its sender edits"},
        Case{"edit", R"("sender":"mod","text":"x","message":"m1")", ErrorCode::kRefused, "only its sender edits"},
        Case{"edit", R"("sender":"a","text":"x","message":"m2")", ErrorCode::kRefused, "was redacted"},
        Case{"edit", R"("sender":"a","text":"x","message":"m9")", ErrorCode::kNotFound, "'m9'"},
        Case{"redact", R"("by":"b","message":"m1")", ErrorCode::kRefused, "a moderator or an owner"},
        Case{"react", R"("user":"gone","message":"m1","reaction":"+1")", ErrorCode::kRefused, "not a member"},
        Case{"react", R"("user":"late","message":"m1","reaction":"+1")", ErrorCode::kNotFound, "'m1'"},
        Case{"react", R"("user":"a","message":"m2","reaction":"+1")", ErrorCode::kRefused, "was redacted"}}) {
    check_refused(chat, each.command, members(each.arguments), each.code, each.says);
  }
  check_refused(chat, "send", R"({"conversation":"x","sender":"a","text":"x"})", ErrorCode::kNotFound, "'x'");
  check_refused(chat, "send", members(R"("sender":"a","text":"x","message":")" + std::string(600, 'm') + "\""),
                ErrorCode::kInvalidArgument, "'message' is too long");
  std::vector<Event> reactions;
  for (int i = 0; i < 64; ++i) reactions.push_back(reaction("ReactionAdded", "c", "m1", "b", fmt::format("r{}", i)));
  chat.write(reactions);
  check_refused(chat, "react", members(R"("user":"a","message":"m1","reaction":"one too many")"), ErrorCode::kRefused,
                "64 different reactions");
  run(chat, "react", members(R"("user":"a","message":"m1","reaction":"r7")"));
  // A moderator redacts what others wrote; who is one no longer does not.
  chat.write({role_changed("c", "mod", "member")});
  check_refused(chat, "redact", members(R"("by":"mod","message":"m1")"), ErrorCode::kRefused,
                "a moderator or an owner");
  chat.write({role_changed("c", "mod", "owner")});
  run(chat, "redact", members(R"("by":"mod","message":"m1")"));
}

TEST_CASE("timelines: a transaction that comes again is answered with its message", "[timelines][command]") {
  Chat chat;
  chat.write({joined("c", "a"), joined("d", "a")});
  const auto once = run(chat, "send", R"({"conversation":"c","sender":"a","text":"one","transaction":"t"})");
  const auto twice = run(chat, "send", R"({"conversation":"c","sender":"a","text":"two","transaction":"t"})");
  CHECK(twice["events"].Empty());
  CHECK(text_of(twice["result"], "message") == text_of(once["result"], "message"));
  CHECK(twice["result"]["repeated"].GetBool());
  const auto other = run(chat, "send", R"({"conversation":"d","sender":"a","text":"one","transaction":"t"})");
  CHECK(text_of(other["result"], "message") != text_of(once["result"], "message"));
}

TEST_CASE("timelines: of concurrent sends of one transaction one is stored", "[timelines][command]") {
  Chat chat;
  chat.write({joined("c", "a")});
  for (int round = 0; round < 5; ++round) {
    const std::string arguments =
        fmt::format(R"({{"conversation":"c","sender":"a","text":"x","transaction":"t{}"}})", round);
    std::vector<std::thread> senders;
    std::vector<std::string> answers(8);
    for (std::string& answer : answers) {
      senders.emplace_back([&] {
        const auto done = chat.command("send", arguments);
        answer = done ? done->json.substr(done->json.find("\"result\"")) : done.error().to_string();
      });
    }
    for (std::thread& sender : senders) sender.join();
    std::set<std::string> messages;
    for (const std::string& answer : answers) messages.insert(answer.substr(0, answer.find(",\"repeated\"")));
    CHECK(messages.size() == 1);
  }
  CHECK(chat.ask("page", R"({"conversation":"c"})")["messages"].Size() == 5);
}

TEST_CASE("timelines: nothing is called done that was undone before the command", "[timelines][command]") {
  Chat chat;
  chat.write({joined("c", "a"), sent("c", "m1", "a")});
  for (int round = 0; round < 20; ++round) {
    chat.write({reaction("ReactionAdded", "c", "m1", "a", "+1")});
    CHECK(chat.ask("page", R"({"conversation":"c"})")["messages"].Size() == 1);  // all of it is folded in
    chat.write({reaction("ReactionRemoved", "c", "m1", "a", "+1")});
    const auto done = run(chat, "react", R"({"conversation":"c","user":"a","message":"m1","reaction":"+1"})");
    CHECK(done["events"].Size() == 1);
    chat.write({reaction("ReactionRemoved", "c", "m1", "a", "+1")});
  }
}

}  // namespace
}  // namespace bahi::projections::test_timelines
