#include "bahi/base/failpoint.hpp"

#include <chrono>

#include "support/catch_result.hpp"

namespace bahi {
namespace {

#ifdef BAHI_FAILPOINTS

TEST_CASE("failpoint: a point that is not armed does nothing", "[base][failpoint]") {
  REQUIRE(failpoint::arm(""));
  CHECK_FALSE(failpoint::hit("after_sync"));
}

TEST_CASE("failpoint: an armed point fails on every pass, others do not", "[base][failpoint]") {
  REQUIRE(failpoint::arm("after_sync=error"));
  CHECK(failpoint::hit("after_sync"));
  CHECK(failpoint::hit("after_sync"));
  CHECK_FALSE(failpoint::hit("before_ack"));
  REQUIRE(failpoint::arm(""));
}

TEST_CASE("failpoint: @N fails on the N-th pass only", "[base][failpoint]") {
  REQUIRE(failpoint::arm("a=error@3;b=error@1"));
  CHECK_FALSE(failpoint::hit("a"));
  CHECK_FALSE(failpoint::hit("a"));
  CHECK(failpoint::hit("a"));
  CHECK_FALSE(failpoint::hit("a"));
  CHECK(failpoint::hit("b"));
  REQUIRE(failpoint::arm(""));
}

TEST_CASE("failpoint: sleep pauses and goes on", "[base][failpoint]") {
  REQUIRE(failpoint::arm("slow=sleep:30"));
  const auto begin = std::chrono::steady_clock::now();
  CHECK_FALSE(failpoint::hit("slow"));
  CHECK(std::chrono::steady_clock::now() - begin >= std::chrono::milliseconds(30));
  REQUIRE(failpoint::arm(""));
}

TEST_CASE("failpoint: a wrong specification is refused and changes nothing", "[base][failpoint]") {
  REQUIRE(failpoint::arm("kept=error"));
  for (const char* wrong : {"x", "x=explode", "x=sleep:", "x=sleep:abc", "x=error@", "x=error@two"}) {
    INFO(wrong);
    CHECK_FALSE(failpoint::arm(wrong));
  }
  CHECK(failpoint::hit("kept"));
  REQUIRE(failpoint::arm(""));
}

#else

TEST_CASE("failpoint: without BAHI_FAILPOINTS every point is nothing", "[base][failpoint]") {
  CHECK_FALSE(failpoint::hit("after_sync"));
}

#endif

}  // namespace
}  // namespace bahi
