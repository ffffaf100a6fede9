// What the audit trail must answer, computed the slow and obvious way: everything is kept, every answer is a look at
// all of it. It knows the words of each text because it made the text of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "audit_fixture.hpp"

namespace bahi::projections::test_audit {

/// An event, and what it should be in the trail.
struct Fact {
  Act act;
  std::string action;
  std::string actor;
  std::string target;  ///< type/id
  std::string outcome;
  std::string reason;
  std::set<std::string> reason_words;
  std::set<std::string> content_words;
  std::string state_field;  ///< what it changes of its target, if anything
  std::optional<std::string> state;
  bool content_is_message = false;
  bool redacts = false;
};

/// A query, and what it must find.
struct Question {
  std::string actor, action, action_prefix, target_type, target_id, correlation, outcome;
  std::vector<std::string> words;
  std::string word_prefix;
  std::optional<Timestamp> from, to, occurred_from, occurred_to;
  std::optional<std::uint64_t> at_offset;
  bool newest = true;

  [[nodiscard]] std::string arguments() const;
};

/// Plausible histories with metadata, in English, Hindi and Gujarati.
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}
  [[nodiscard]] Fact next();
  [[nodiscard]] Question question(std::int64_t recorded_from, std::int64_t recorded_to);
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

 private:
  [[nodiscard]] std::string word();
  /// A text, and its words.
  [[nodiscard]] std::string text(std::set<std::string>& words, std::size_t count_max);
  void make_message(Fact& fact);
  void make_order(Fact& fact);
  void make_recall(Fact& fact);
  void make_record(Fact& fact);

  std::mt19937_64 random_;
};

class Reference {
 public:
  void apply(const Fact& fact, Timestamp recorded_at);
  /// The lines of all that the question finds, in its order.
  [[nodiscard]] std::vector<std::string> answer(const Question& question) const;

 private:
  struct Entry {
    Fact fact;
    std::uint64_t offset = 0;
    std::int64_t recorded_at = 0;  ///< or the latest before it
    std::int64_t effective_at = 0;
    std::optional<std::string> old_state;
    std::optional<std::uint64_t> hidden_by;
  };
  [[nodiscard]] static bool matches(const Entry& entry, const Question& question);
  [[nodiscard]] static std::string line(const Entry& entry);

  std::vector<Entry> entries_;
  std::uint64_t next_ = 0;
  std::int64_t latest_ = 0;
  std::map<std::string, std::optional<std::string>> states_;   // target and field
  std::map<std::string, std::uint64_t> redacted_;              // target
  std::map<std::string, std::vector<std::size_t>> by_target_;  // entries with content of a message
};

}  // namespace bahi::projections::test_audit
