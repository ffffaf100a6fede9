#include "bahi/schemas/names.hpp"

#include <string>

#include "bahi/schemas/limits.hpp"
#include "support/catch_result.hpp"

namespace bahi {
namespace {

TEST_CASE("names: a stream is category-id", "[schemas][names]") {
  for (const char* good : {"a-b", "order-42", "order-2024-0001", "ऑर्डर-४२", "order--1", "a-b c"}) {
    INFO(good);
    CHECK(check_stream_name(good));
  }
  for (const char* wrong : {"", "-", "a-", "-b", "order", "order-\n", "order-\x7F", "order-\xFF", "\x01-a"}) {
    INFO(wrong);
    const Status status = check_stream_name(wrong);
    REQUIRE_FALSE(status);
    CHECK(status.error().code() == ErrorCode::kInvalidStreamName);
  }
}

TEST_CASE("names: a stream name has at most 512 bytes", "[schemas][names]") {
  const std::string longest = "a-" + std::string(kNameBytesMax - 2, 'x');
  CHECK(check_stream_name(longest));
  CHECK_FALSE(check_stream_name(longest + "x"));
  const std::string long_category = std::string(kNameBytesMax - 2, 'x') + "-1";
  CHECK(check_stream_name(long_category));
}

TEST_CASE("names: the error names the field and is itself printable", "[schemas][names]") {
  const Status status = check_name("tag", "");
  REQUIRE_FALSE(status);
  CHECK(status.error().code() == ErrorCode::kInvalidArgument);
  CHECK(status.error().message().rfind("tag: ", 0) == 0);
  CHECK(check_stream_name("\xFF").error().message().find('\xFF') == std::string::npos);
}

TEST_CASE("names: types and tags have 1 to 512 printable bytes", "[schemas][names]") {
  CHECK(check_name("type", "x"));
  CHECK(check_name("type", std::string(kNameBytesMax, 'x')));
  CHECK_FALSE(check_name("type", std::string(kNameBytesMax + 1, 'x')));
  CHECK_FALSE(check_name("type", "a\tb"));
  CHECK_FALSE(check_name("type", "\xC3"));
}

TEST_CASE("names: metadata may hold line breaks, but no zero byte", "[schemas][names]") {
  CHECK(check_metadata_text("reason", ""));
  CHECK(check_metadata_text("reason", "first line\nsecond\tline"));
  CHECK(check_metadata_text("reason", std::string(kMetadataFieldBytesMax, 'x')));
  for (const std::string& wrong : {std::string(kMetadataFieldBytesMax + 1, 'x'), std::string("a\0b", 3), std::string("\xFF")}) {
    const Status status = check_metadata_text("reason", wrong);
    REQUIRE_FALSE(status);
    CHECK(status.error().code() == ErrorCode::kInvalidArgument);
    CHECK(status.error().message().rfind("reason: ", 0) == 0);
  }
}

TEST_CASE("names: the category ends at the first dash", "[schemas][names]") {
  CHECK(category_of("order-2024-0001") == "order");
  CHECK(category_of("a-b") == "a");
}

}  // namespace
}  // namespace bahi
