#include "bahi/schemas/frame.hpp"

#include <catch2/catch.hpp>

#include "support/catch_result.hpp"

namespace bahi {
namespace {

std::string frame_of(std::string_view head, std::string_view payload) {
  std::string bytes;
  put_frame_prefix(head.size(), payload.size(), bytes);
  return bytes.append(head).append(payload);
}

TEST_CASE("frame: layout", "[schemas][frame]") {
  CHECK(frame_of("head", "payload") == std::string("\x0f\x00\x00\x00\x04\x00\x00\x00headpayload", 19));
}

TEST_CASE("frame: frames come out whole, however the bytes come in", "[schemas][frame]") {
  const std::string large(100'000, 'x');
  const std::string bytes = frame_of("a", "1") + frame_of("", "") + frame_of("b", large) + frame_of("c", "3");
  for (const std::size_t piece : {1, 3, 8, 11, 4096, 200'000}) {
    FrameSplitter splitter(kFrameBytesMax);
    std::vector<std::pair<std::string, std::size_t>> frames;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      splitter.push(std::string_view(bytes).substr(at, piece));
      FrameView frame;
      for (;;) {
        const auto more = splitter.next(frame);
        REQUIRE(more);
        if (!*more) break;
        frames.emplace_back(frame.head, frame.payload.size());
      }
    }
    CHECK_FALSE(splitter.mid_frame());
    CHECK(splitter.memory_bytes() <= 1024);
    CHECK(frames == decltype(frames){{"a", 1}, {"", 0}, {"b", large.size()}, {"c", 1}});
  }
}

TEST_CASE("frame: lengths that cannot be are refused before anything is kept", "[schemas][frame]") {
  FrameView frame;
  const auto first_error = [&](const std::string& bytes) {
    FrameSplitter splitter(1000);
    splitter.push(bytes);
    const auto more = splitter.next(frame);
    REQUIRE_FALSE(more);
    CHECK(splitter.memory_bytes() < 100);
    return more.error().code();
  };
  CHECK(first_error(std::string("\xe9\x03\x00\x00\x00\x00\x00\x00", 8)) == ErrorCode::kFrameTooLarge);
  CHECK(first_error(std::string("\xff\xff\xff\xff\xff\xff\xff\xff", 8)) == ErrorCode::kFrameTooLarge);
  CHECK(first_error(std::string("\x03\x00\x00\x00\x00\x00\x00\x00", 8)) == ErrorCode::kMalformedFrame);
  CHECK(first_error(std::string("\x08\x00\x00\x00\x05\x00\x00\x00", 8)) == ErrorCode::kMalformedFrame);
}

}  // namespace
}  // namespace bahi
