// The audit trail against its reference, on generated events, through restarts and rebuilds.
#include <catch2/catch.hpp>

#include <cstdlib>

#include <fmt/format.h>

#include "audit_reference.hpp"

namespace bahi::projections::test_audit {
namespace {

using Lines = std::vector<std::string>;

std::size_t event_count() {
  const char* given = std::getenv("BAHI_FOLD_EVENTS");
  return given == nullptr ? 20'000 : std::strtoull(given, nullptr, 10);
}

struct Trial {
  Trail trail;
  Reference reference;
  Generator generator;
  std::uint64_t written = 0;
  std::int64_t first_time = trail.clock.now().nanos;

  explicit Trial(std::uint64_t seed) : generator(seed) {}

  void write(std::size_t count) {
    // Mostly forward, now and then back.
    const auto step = static_cast<std::int64_t>(generator.below(50'000'000'000));
    trail.clock.set({trail.clock.now().nanos + (generator.below(10) == 0 ? -step : step)});
    std::vector<Act> acts;
    for (; count > 0; --count, ++written) {
      const Fact fact = generator.next();
      reference.apply(fact, trail.clock.now());
      acts.push_back(fact.act);
    }
    trail.write(acts);
  }

  Lines collect(const std::string& arguments, std::size_t limit) {
    Lines lines;
    std::string cursor;
    for (;;) {
      const Json answer = trail.ask("records", fmt::format(R"({},"limit":{}{})", arguments, limit, cursor));
      for (const auto& record : answer["records"].GetArray()) lines.push_back(line_of(record));
      if (!answer.HasMember("next")) return lines;
      cursor = fmt::format(R"(,"cursor":"{}")", answer["next"].GetString());
    }
  }

  void check() {
    for (int round = 0; round < 40; ++round) {
      Question question = generator.question(first_time, trail.clock.now().nanos);
      if (generator.below(5) == 0) question.at_offset = generator.below(written + 1);
      const Lines expected = reference.answer(question);
      // Small pages of what is little, or else it takes too long.
      const std::size_t limit = expected.size() > 300 ? 1'000 : 1 + generator.below(60);
      const Lines actual = collect(question.arguments(), limit);
      const auto [there, wanted] = std::mismatch(actual.begin(), actual.end(), expected.begin(), expected.end());
      if (there == actual.end() && wanted == expected.end()) continue;
      FAIL(question.arguments() << ", line " << there - actual.begin() << " of " << actual.size() << " and "
                                << expected.size() << ": " << (there == actual.end() ? "nothing" : *there)
                                << ", expected " << (wanted == expected.end() ? "nothing" : *wanted));
    }
  }
};

TEST_CASE("audit: it is what the reference says, through restarts and rebuilds", "[audit][generated]") {
  const char* given = std::getenv("BAHI_FOLD_SEED");
  const std::uint64_t seed = given == nullptr ? std::random_device{}() : std::strtoull(given, nullptr, 10);
  INFO("BAHI_FOLD_SEED=" << seed);
  Trial trial(seed);
  const std::size_t events = event_count();
  std::size_t next_check = events / 20;
  while (trial.written < events) {
    const std::uint64_t most = trial.generator.below(3) == 0 ? 20 : std::min<std::uint64_t>(events / 50, 5'000);
    trial.write(1 + trial.generator.below(most));
    const std::uint64_t act = trial.generator.below(20);
    if (act == 0) trial.trail.restart();
    if (act == 1) trial.trail.settle();
    if (act == 2) trial.trail.rebuild();
    if (trial.written < next_check) continue;
    trial.check();
    next_check = trial.written + 1 + events / (1 + trial.generator.below(10));
  }
  trial.check();
  trial.trail.settle();
  const Hash128 kept = trial.trail.fingerprint();
  trial.trail.rebuild();
  const Hash128 once = trial.trail.fingerprint();
  trial.trail.rebuild();
  CHECK(once == kept);
  CHECK(trial.trail.fingerprint() == once);
}

}  // namespace
}  // namespace bahi::projections::test_audit
