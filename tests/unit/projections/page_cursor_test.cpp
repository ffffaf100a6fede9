#include "page_cursor.hpp"

#include <catch2/catch.hpp>

#include "catch_result.hpp"

namespace bahi::projections {
namespace {

TEST_CASE("page cursor: the key comes back, whatever its bytes", "[projections][cursor]") {
  const PageCursor cursor(TenantId{7}, {"page", "general", ""});
  for (const std::string& key : {std::string(), std::string("\0\xFF\x10", 3), std::string(500, 'k')}) {
    const auto decoded = cursor.decode(cursor.encode(key));
    REQUIRE(decoded);
    CHECK(*decoded == key);
  }
}

TEST_CASE("page cursor: one of another tenant, query or argument is refused", "[projections][cursor]") {
  const std::string text = PageCursor(TenantId{7}, {"page", "general", ""}).encode("key");
  const auto code = [&text](const PageCursor& other) { return other.decode(text).error().code(); };
  CHECK(code({TenantId{8}, {"page", "general", ""}}) == ErrorCode::kInvalidCursor);
  CHECK(code({TenantId{7}, {"list", "general", ""}}) == ErrorCode::kInvalidCursor);
  CHECK(code({TenantId{7}, {"page", "random", ""}}) == ErrorCode::kInvalidCursor);
  CHECK(code({TenantId{7}, {"page", "", "general"}}) == ErrorCode::kInvalidCursor);
  CHECK(code({TenantId{7}, {"page", "genera", "l"}}) == ErrorCode::kInvalidCursor);
}

TEST_CASE("page cursor: what is no cursor is refused", "[projections][cursor]") {
  const PageCursor cursor(TenantId{7}, {"page"});
  const std::string text = cursor.encode("key");
  for (const std::string& wrong : {std::string(), std::string("x"), text.substr(1), text.substr(0, 17), text + "g1",
                                   "02" + text.substr(2), std::string(18, '0')}) {
    const auto decoded = cursor.decode(wrong);
    REQUIRE_FALSE(decoded);
    CHECK(decoded.error().code() == ErrorCode::kInvalidCursor);
  }
}

}  // namespace
}  // namespace bahi::projections
