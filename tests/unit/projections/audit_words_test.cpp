// The words of texts: what Unicode says, and the short cut for ASCII against ICU.
#include "audit/words.hpp"

#include <catch2/catch.hpp>

#include <random>

namespace bahi::projections::audit {
namespace {

std::vector<std::string> list(const Words& words) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < words.size(); ++i) all.emplace_back(words[i]);
  return all;
}

std::vector<std::string> words_of(std::string_view text) {
  Words words;
  words.add(text);
  return list(words);
}

std::vector<std::string> words_by_icu(std::string_view text) {
  Words words;
  words.add_by_icu(text);
  return list(words);
}

using Texts = std::vector<std::string>;

TEST_CASE("audit words: English, numbers and what stands between them", "[audit][words]") {
  CHECK(words_of("Is the RICE here?") == Texts{"is", "the", "rice", "here"});
  CHECK(words_of("can't 3,000.50 a.b 1:2 order_17 _ __ x@y.com @asha") ==
        Texts{"can't", "3,000.50", "a.b", "1", "2", "order_17", "x", "y.com", "asha"});
  CHECK(words_of(" \n\t!!! ... ").empty());
  CHECK(words_of("").empty());
  CHECK(words_of("end. 'quoted' 5, a'1 1'a") == Texts{"end", "quoted", "5", "a", "1", "1", "a"});
}

TEST_CASE("audit words: Hindi and Gujarati, alone and among English", "[audit][words]") {
  CHECK(words_of("चावल आ गया है।") == Texts{"चावल", "आ", "गया", "है"});
  CHECK(words_of("ચોખા આવી ગયા છે.") == Texts{"ચોખા", "આવી", "ગયા", "છે"});
  CHECK(words_of("Rice यानी चावल, ₹50 में") == Texts{"rice", "यानी", "चावल", "50", "में"});
  // With and without the joiner that only changes the looks of a letter.
  CHECK(words_of("क्\u200Dष") == words_of("क्ष"));
}

TEST_CASE("audit words: letters that mean the same are the same", "[audit][words]") {
  CHECK(words_of("Straße STRASSE ｓｔｒａｓｓｅ") == Texts{"strasse", "strasse", "strasse"});
  CHECK(words_of("e\u0301te\u0301") == words_of("ÉTÉ"));
  CHECK(words_of("१२३") == Texts{"१२३"});
  CHECK(words_of("東京").size() == 1);
  CHECK(words_of("＠अमित") == Texts{"अमित"});
}

TEST_CASE("audit words: a long word counts by its beginning, and no character is cut", "[audit][words]") {
  const std::string longest(kWordBytesMax, 'a');
  CHECK(words_of(longest + "bcd") == Texts{longest});
  std::string hindi = "a";
  for (int i = 0; i < 40; ++i) hindi += "क";
  const auto words = words_of(hindi);
  REQUIRE(words.size() == 1);
  CHECK(words[0].size() == 1 + 21 * 3);
  CHECK(hindi.starts_with(words[0]));
}

TEST_CASE("audit words: bytes that are no UTF-8 are no words", "[audit][words]") {
  CHECK(words_of("good \xFF\xFE bad\xC3 end") == Texts{"good", "bad", "end"});
}

TEST_CASE("audit words: the short cut gives what ICU gives", "[audit][words]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  const auto pick = [&random](const auto& of) { return of[random() % of.size()]; };
  std::string ascii;
  for (int c = 1; c < 128; ++c) ascii.push_back(static_cast<char>(c));
  const std::string_view dense = "aZ09_.',;: \n\t\r-\"@";
  const Texts others{"चावल", "क्ष", "ચોખા", "é",  "e\u0301", "\u0301", "\u200D", "\u00AD", "ß",      "’", "·",
                     "₹",    "東", "京",   "カ", "ก",       "ข",      "🎉",      "\u00A0", "\uFF0E", "א", "\"",
                     "١",    "٫",  "ﬁ",    "K",  "\u2028",  "\xFF",   "\xE0",   "½",      "İ",      "🇮", "🇳"};
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    const std::size_t pieces = random() % 24;
    const bool mixed = round % 2 == 0;
    for (std::size_t i = 0; i < pieces; ++i) {
      const std::uint64_t kind = random() % (mixed ? 8 : 6);
      if (kind < 4) text.push_back(pick(dense));
      if (kind == 4) text.push_back(pick(ascii));
      if (kind == 5) text += "word ";
      if (kind >= 6) text += pick(others);
    }
    INFO("text '" << text << "'");
    REQUIRE(words_of(text) == words_by_icu(text));
  }
}

}  // namespace
}  // namespace bahi::projections::audit
