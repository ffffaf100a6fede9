// The judge of what readers saw must notice each thing that it claims to notice: here readers lie.
#include <catch2/catch.hpp>

#include <functional>

#include "bahi/base/error.hpp"
#include "crash_reads.hpp"

namespace bahi::faults {
namespace {

/// A log of ten events; those at even offsets are of account-1 and have tag:3.
std::vector<TenantHistory> ten_events() {
  std::vector<TenantHistory> histories(1);
  for (std::uint64_t offset = 0; offset < 10; ++offset) {
    EventView event;
    event.offset = Offset{offset};
    event.id = {1, offset};
    event.stream = offset % 2 == 0 ? "account-1" : "order-1-1";
    event.type = "type-0";
    if (offset % 2 == 0) event.tags = {"tag:3"};
    histories[0].add(event);
  }
  return histories;
}

/// One reader's story, told in any order of calls.
class Story {
 public:
  explicit Story(const ReadStart& start, std::uint64_t acked_end = 10) : start_(start) {
    checker_.begin(start, acked_end);
  }

  Story& saw(const std::vector<std::uint64_t>& offsets) {
    Seen seen;
    seen.reader = start_.reader;
    for (const std::uint64_t offset : offsets) {
      const std::uint64_t digest = offset < 10 ? histories_[0].events[offset].digest : 0;
      seen.sightings[seen.count++] = {offset, digest};
    }
    checker_.take(seen);
    return *this;
  }
  Story& saw_other_content(std::uint64_t offset) {
    Seen seen;
    seen.reader = start_.reader;
    seen.count = 1;
    seen.sightings[0] = {offset, histories_[0].events[offset].digest + 1};
    checker_.take(seen);
    return *this;
  }
  Story& ended(ErrorCode code = ErrorCode{}, bool abandoned = false) {
    ReadEnd end;
    end.reader = start_.reader;
    end.abandoned = abandoned;
    end.code = static_cast<std::uint16_t>(code);
    checker_.take(end);
    return *this;
  }
  /// What is found wrong; empty: nothing.
  std::string judged() {
    std::string text;
    checker_.judge(histories_, [&text](const std::string& wrong) { text += wrong + "\n"; });
    return text;
  }
  [[nodiscard]] bool behind() const { return checker_.behind(histories_).has_value(); }

 private:
  const ReadStart start_;
  const std::vector<TenantHistory> histories_ = ten_events();
  ReadChecker checker_;
};

ReadStart forward(std::uint64_t from) {
  ReadStart start;
  start.from = from;
  return start;
}
ReadStart backward() {
  ReadStart start;
  start.backward = true;
  return start;
}
ReadStart of_account(ReadStart start) {
  start.selection = {Selection::Kind::kStream, 1};
  return start;
}
ReadStart follow(ReadStart start) {
  start.follow = true;
  return start;
}
ReadStart limited(ReadStart start, std::uint64_t limit) {
  start.limit = limit;
  return start;
}
ReadStart until(ReadStart start, std::uint64_t to) {
  start.to = to;
  return start;
}

}  // namespace

TEST_CASE("crash reads: what is true is not held against a reader", "[faults]") {
  CHECK(Story(forward(6)).saw({6, 7, 8, 9}).ended().judged().empty());
  CHECK(Story(forward(6), 8).saw({6, 7}).ended().judged().empty());
  CHECK(Story(forward(6), 8).saw({6, 7, 8}).ended().judged().empty());
  CHECK(Story(forward(10)).ended().judged().empty());
  CHECK(Story(limited(forward(2), 3)).saw({2, 3, 4}).ended().judged().empty());
  CHECK(Story(until(forward(2), 4)).saw({2, 3}).ended().judged().empty());
  CHECK(Story(of_account(forward(3))).saw({4, 6, 8}).ended().judged().empty());
  CHECK(Story(backward()).saw({9, 8, 7, 6, 5, 4, 3, 2, 1, 0}).ended().judged().empty());
  CHECK(Story(of_account(backward()), 8).saw({6, 4, 2, 0}).ended().judged().empty());
  CHECK(Story(limited(of_account(backward()), 2)).saw({8, 6}).ended().judged().empty());
  CHECK(Story(forward(0)).saw({0}).ended(ErrorCode::kConnectionLost, true).judged().empty());
  CHECK(Story(follow(forward(8))).saw({8, 9}).judged().empty());
  CHECK(Story(limited(follow(forward(0)), 2)).saw({0, 1}).ended().judged().empty());
}

TEST_CASE("crash reads: each lie is noticed", "[faults]") {
  const auto lies = [](Story& story) { return !story.judged().empty(); };
  CHECK(lies(Story(forward(6)).saw({6, 8})));                            // a gap
  CHECK(lies(Story(forward(6)).saw({6, 7, 7})));                         // a repeat
  CHECK(lies(Story(forward(6)).saw({7})));                               // a late beginning
  CHECK(lies(Story(forward(6)).saw({5})));                               // too early
  CHECK(lies(Story(forward(6)).saw({6, 7, 8, 9, 10})));                  // never became durable
  CHECK(lies(Story(forward(6)).saw({6}).saw_other_content(7)));          // became another event
  CHECK(lies(Story(forward(6)).saw({6, 7}).ended()));                    // acknowledged before, not seen
  CHECK(lies(Story(forward(6), 9).saw({6, 7}).ended()));                 // the same, to one event
  CHECK(lies(Story(forward(6)).ended(ErrorCode::kOffsetOutOfRange)));    // an error
  CHECK(lies(Story(limited(forward(2), 2)).saw({2, 3, 4})));             // beyond the limit
  CHECK(lies(Story(limited(forward(2), 3)).saw({2, 3}).ended()));        // short of the limit
  CHECK(lies(Story(until(forward(2), 4)).saw({2, 3, 4})));               // out of range
  CHECK(lies(Story(of_account(forward(3))).saw({4, 8})));                // a gap in what is selected
  CHECK(lies(Story(of_account(forward(3))).saw({4, 5})));                // not selected
  CHECK(lies(Story(of_account(forward(3))).saw({4, 6}).ended()));        // the last one is missing
  CHECK(lies(Story(backward()).saw({8})));                               // began too low
  CHECK(lies(Story(backward()).saw({9, 7})));                            // a gap
  CHECK(lies(Story(backward()).saw({9, 9})));                            // a repeat
  CHECK(lies(Story(of_account(backward())).saw({9})));                   // not selected
  CHECK(lies(Story(of_account(backward())).saw({8, 6, 4, 2}).ended()));  // the first one is missing
  CHECK(lies(Story(follow(forward(8))).saw({8, 9}).ended()));            // a subscription that ends
  CHECK(lies(Story(follow(forward(8))).saw({8}).ended(ErrorCode::kCorruptLog)));
}

TEST_CASE("crash reads: a gap between two judgements is noticed", "[faults]") {
  Story story(follow(forward(2)));
  CHECK(story.saw({2, 3}).judged().empty());
  CHECK(story.behind());
  CHECK(story.saw({4, 5, 6}).judged().empty());
  CHECK_FALSE(story.saw({8, 9}).judged().empty());
}

TEST_CASE("crash reads: a subscription that has seen everything is not behind", "[faults]") {
  Story all(follow(forward(9)));
  CHECK(all.behind());
  CHECK(all.saw({9}).judged().empty());
  CHECK_FALSE(all.behind());
  Story some(of_account(follow(forward(7))));
  CHECK(some.saw({8}).judged().empty());
  CHECK_FALSE(some.behind());
}

}  // namespace bahi::faults
