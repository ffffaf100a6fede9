#include "fold_memory.hpp"

#include <catch2/catch.hpp>

namespace bahi::projections {
namespace {

TEST_CASE("fold memory: who holds more than an equal share lets go when all together hold too much", "[projections]") {
  FoldMemory memory(100);
  for (int i = 0; i < 4; ++i) memory.enter();
  CHECK_FALSE(memory.note(0, 60));  // a large share, while there is room
  CHECK_FALSE(memory.note(0, 20));
  CHECK_FALSE(memory.note(0, 20));
  CHECK_FALSE(memory.note(0, 10));  // too much in all, but less than its share
  CHECK(memory.bytes() == 110);
  CHECK(memory.note(60, 61));
  CHECK_FALSE(memory.note(61, 0));
  CHECK(memory.bytes() == 50);
  memory.leave(20);
  CHECK(memory.bytes() == 30);
}

}  // namespace
}  // namespace bahi::projections
