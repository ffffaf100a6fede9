// Every read model at random offsets: what is answered about the past is what a fresh fold up to there answers,
// whatever snapshots there are.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>

#include "as_of_fixture.hpp"

namespace bahi::test {
namespace {

std::uint64_t number_from(const char* variable, std::uint64_t fallback) {
  const char* const given = std::getenv(variable);
  return given == nullptr ? fallback : std::stoull(given);
}

struct Expected {
  Offset at;
  Question question;
  Reply reply;
};

class Trial {
 public:
  Trial(const Subject& subject, std::uint64_t events, std::uint64_t offsets) : past_(subject), events_(events) {
    constexpr std::uint64_t kSnapshots = 6;
    for (std::uint64_t part = 0; part < kSnapshots; ++part) {
      past_.append(events / kSnapshots);
      past_.settle();
      REQUIRE(past_.projections->take_snapshot());
      if (part == 2) REQUIRE(past_.projections->rebuild(past_.tenant, subject.projection, "admin"));
    }
    past_.settle();
    std::vector<Offset> wanted{{0}, {1}, past_.end()};
    while (wanted.size() < offsets) wanted.push_back({random_() % past_.end().value});
    std::sort(wanted.begin(), wanted.end());
    for (const Offset at : wanted) {
      for (int i = 0; i < 3; ++i) {
        const Question question = past_.draw(random_);
        expected_.push_back({at, question, past_.fold_and_ask(question, at)});
      }
    }
  }

  /// In random order, so that states are made from all kinds of bases; in order when each would begin at nothing.
  void compare(const std::string& phase, bool in_order) {
    past_.open();  // no state of the past is in memory
    std::vector<Expected> asked = expected_;
    if (!in_order) std::shuffle(asked.begin(), asked.end(), random_);
    std::size_t different = 0;
    for (const Expected& each : asked) {
      const Reply found = past_.ask(each.question, each.at);
      if (found == each.reply) continue;
      if (++different > 3) continue;
      INFO(phase << ", at " << each.at.value << ": " << each.question.query << ' ' << each.question.arguments);
      CHECK(found.json == each.reply.json);
      CHECK(static_cast<int>(found.error) == static_cast<int>(each.reply.error));
    }
    CHECK(different == 0);
  }

  void run() {
    std::size_t answered = 0;
    for (const Expected& each : expected_) answered += each.reply.error == ErrorCode{} ? 1 : 0;
    CHECK(answered > expected_.size() / 4);  // that is, not all about what is not there
    REQUIRE(past_.projections->snapshots().size() == 6);
    compare("with snapshots", false);

    // A block of a sorted file of one snapshot, and the manifest of the database of another.
    const auto all = past_.projections->snapshots();
    for (const auto& entry :
         std::filesystem::directory_iterator(past_.snapshots() / std::to_string(all[2].id) / "state")) {
      if (entry.path().extension() == ".sst") damage_file(entry.path());
    }
    for (const auto& entry :
         std::filesystem::directory_iterator(past_.snapshots() / std::to_string(all[4].id) / "state")) {
      if (entry.path().filename().string().starts_with("MANIFEST")) damage_file(entry.path());
    }
    for (const auto& snapshot : {all[2], all[4]}) {
      past_.open();
      REQUIRE(past_.ask(past_.draw(random_), snapshot.states.front().next).error != ErrorCode::kSnapshotDamaged);
    }
    // Which of the two a question comes upon depends on where the instances were when the snapshots were taken.
    CHECK(past_.warnings("is passed over") >= 1);
    compare("with damaged snapshots", false);

    for (const auto& snapshot : all) CHECK(past_.projections->delete_snapshot(snapshot.id));
    const std::size_t passed_over = past_.warnings("is passed over");
    compare("without snapshots", events_ > 5'000);
    CHECK(past_.warnings("is passed over") == passed_over);
  }

 private:
  PastFixture past_;
  const std::uint64_t events_;
  std::mt19937_64 random_{20261121};
  std::vector<Expected> expected_;
};

TEST_CASE("as of: answers equal those of fresh folds, for every read model", "[as_of]") {
  const std::uint64_t events = number_from("BAHI_FOLD_EVENTS", 1'000);
  const std::uint64_t offsets = number_from("BAHI_AS_OF_OFFSETS", 12);
  const char* const only = std::getenv("BAHI_READ_MODEL");
  for (const Subject& subject : subjects()) {
    if (only != nullptr && subject.projection != only) continue;
    INFO(subject.projection);
    Trial(subject, events, offsets).run();
  }
}

TEST_CASE("as of: the list above holds every read model", "[as_of]") {
  CHECK(subjects().size() == projections::all_projections().size());
  for (const Subject& subject : subjects()) CHECK(projections::find_projection(subject.projection) != nullptr);
}

}  // namespace
}  // namespace bahi::test
