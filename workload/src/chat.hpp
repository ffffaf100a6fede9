// A community that grows: everybody is in `general`, most in a few rooms, many talk with one another directly.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "draft.hpp"
#include "pace.hpp"

namespace bahi::workload {

class Chat final : public ActedHistory {
 public:
  explicit Chat(const HistoryOptions& options);

 private:
  using MemberNumber = std::uint32_t;
  static constexpr std::uint32_t kNothing = ~std::uint32_t{0};

  /// One of the last messages of a conversation.
  struct Message {
    std::uint64_t number = 0;  ///< in the conversation, from 1; 0: none
    std::uint64_t thread = 0;  ///< number of the message that began it; 0: the main timeline
    MemberNumber sender = 0;
    MemberNumber reactor = kNothing;  ///< of the last reaction that still stands
    std::uint8_t reaction = 0;
    bool redacted = false;
  };
  struct Conversation {
    std::string name;
    bool direct = false;
    bool created = false;
    std::array<MemberNumber, 2> pair{};  ///< of a direct one; of a room, its owner and its moderator
    std::uint64_t messages = 0;
    std::array<Message, 16> recent;
    std::array<std::uint64_t, 4> threads{};  ///< that are gone on with
    std::uint64_t pinned = 0;
  };
  struct Member {
    std::array<std::uint16_t, 3> rooms{};  ///< besides `general`; 0: none
    std::uint32_t direct = kNothing;       ///< conversation with the friend they talk with most
  };

  void act() override;
  // --- chat.cpp: who is where
  void found();
  void join_community();
  void join_room(MemberNumber member, std::size_t room);
  void leave_room();
  void set_moderator();
  void open_direct(MemberNumber member);
  void create(Conversation& conversation, MemberNumber by, std::string_view title);
  void add_member(std::string_view type, Conversation& conversation, MemberNumber member, std::string_view role);
  [[nodiscard]] MemberNumber some_member() { return static_cast<MemberNumber>(random().skewed_below(joined_)); }
  /// Where the member says something next.
  [[nodiscard]] Conversation& some_conversation(MemberNumber member);
  [[nodiscard]] bool is_member(MemberNumber member, const Conversation& conversation) const;
  // --- chat_acts.cpp: what they do there
  void send();
  void edit();
  void redact();
  void react();
  void take_reaction_back();
  void pin();
  void read_up_to();
  void show_presence();
  /// A message that is not redacted; of the main timeline when a thread or an answer shall begin there.
  [[nodiscard]] Message* some_recent(Conversation& conversation, bool main_only = false);
  [[nodiscard]] static const Message& latest(const Conversation& conversation);
  Draft& about(std::string_view type, const Conversation& conversation);
  Draft& about(std::string_view type, const Conversation& conversation, const Message& message);
  void write_text_and_mentions(JsonText& data, const Conversation& conversation, MemberNumber sender);
  [[nodiscard]] std::uint64_t thread_to_answer(Conversation& conversation);
  const std::string& handle(MemberNumber member);
  const std::string& message_name(const Conversation& conversation, std::uint64_t number);

  Pace pace_;
  Timestamp now_;
  const std::uint32_t members_max_;
  const std::uint32_t directs_max_;
  std::vector<Conversation> rooms_;  // the first is `general`
  std::vector<Conversation> directs_;
  std::vector<Member> members_;
  std::uint32_t joined_ = 0;
  // Memory that is used again.
  std::string handle_;
  std::string name_;
  std::string text_;
};

}  // namespace bahi::workload
