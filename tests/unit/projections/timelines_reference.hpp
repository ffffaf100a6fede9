// What the message timelines must answer, computed the slow and obvious way: everything is kept, every answer is a look
// at all of it.
#pragma once

#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "timelines_fixture.hpp"

namespace bahi::projections::test_timelines {

/// An event of a conversation, by value.
struct Fact {
  std::string type;  ///< without "chat."
  std::string conversation;
  std::string message;
  std::string user;  ///< who did it, or whom it is about
  std::string text;  ///< or the reaction
  std::string thread;
  std::string transaction;
  std::string scope;
  bool secret = false;
  std::vector<std::string> mentions;

  [[nodiscard]] Event event() const;
};

/// Plausible histories, with what contradicts the rules mixed in.
class FactGenerator {
 public:
  explicit FactGenerator(std::uint64_t seed) : random_(seed) {}
  [[nodiscard]] Fact next();
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  [[nodiscard]] std::string conversation() { return "c" + std::to_string(below(5)); }
  [[nodiscard]] std::string user() { return "u" + std::to_string(below(8)); }
  /// One that was sent, more often a recent one; or none that was.
  [[nodiscard]] std::string message(const std::string& conversation);

 private:
  Fact member(const std::string& conversation);
  Fact sending(const std::string& conversation);
  Fact about_message(const std::string& conversation);

  std::mt19937_64 random_;
  std::map<std::string, std::uint64_t> sent_;
};

class Reference {
 public:
  void apply(const Fact& fact);

  using Lines = std::vector<std::string>;
  /// The messages of a timeline, oldest first.
  [[nodiscard]] Lines timeline(const std::string& conversation, const std::string& thread,
                               const std::optional<std::string>& user, const std::optional<std::string>& sender,
                               std::optional<std::uint64_t> at_offset) const;
  /// "conversation unread mentions", in the list's order.
  [[nodiscard]] Lines conversations(const std::string& user) const;
  /// "thread replies unread", the last answered first.
  [[nodiscard]] Lines threads(const std::string& conversation, const std::string& user) const;
  /// "user scope read-to", sorted.
  [[nodiscard]] Lines readers(const std::string& conversation, const std::string& message) const;
  [[nodiscard]] Lines pins(const std::string& conversation) const;
  [[nodiscard]] Lines versions(const std::string& conversation, const std::string& message) const;
  [[nodiscard]] Lines reactions(const std::string& conversation, const std::string& message) const;
  [[nodiscard]] bool has(const std::string& conversation, const std::string& message) const;

 private:
  struct Version {
    std::uint64_t offset = 0;
    std::string text;
    std::set<std::string> mentions;
  };
  struct Message {
    std::string name;
    std::string sender;
    std::string thread;
    std::uint64_t offset = 0;
    std::vector<Version> versions;
    std::optional<std::string> redacted_by;
    std::optional<std::string> pinned_by;
    std::vector<std::pair<std::string, std::set<std::string>>> reactions;
  };
  struct Receipt {
    std::string scope;  // unthreaded, main, or a thread's message
    std::string message;
    std::uint64_t offset = 0;
    bool secret = false;
  };
  struct Conversation {
    std::uint64_t last_activity = 0;
    std::vector<Message> messages;
    std::map<std::string, std::size_t> by_name;
    std::set<std::string> transactions;
    std::map<std::string, std::map<std::uint64_t, bool>> presence;  // user -> offset -> member from there on
    std::map<std::string, std::vector<Receipt>> receipts;
    std::map<std::string, std::size_t> replies;  // of each thread
    std::map<std::pair<std::string, std::string>, std::uint64_t>
        written;  // user, thread -> their last message's offset

    [[nodiscard]] const Message* find(const std::string& name) const;
    [[nodiscard]] bool visible(const std::string& user, std::uint64_t offset) const;
    [[nodiscard]] bool is_member(const std::string& user) const;
    /// Offset of what is read last in a message's timeline; -1: nothing.
    [[nodiscard]] std::int64_t read_to(const std::string& user, const std::string& thread) const;
  };

  void send(Conversation& conversation, const Fact& fact);
  void change(Message& message, const Fact& fact);
  static void react(Message& message, const Fact& fact);
  void receive(Conversation& conversation, const Message& message, const Fact& fact);
  [[nodiscard]] const Conversation* find(const std::string& name) const;
  static std::string line(const Conversation& conversation, const Message& message, std::size_t position,
                          std::optional<std::uint64_t> at_offset);

  std::uint64_t offset_ = 0;
  std::map<std::string, Conversation> conversations_;
};

/// The line of a message as the read model shows it.
std::string line_of(const rapidjson::Value& message);

}  // namespace bahi::projections::test_timelines
