#include "text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include <fmt/format.h>

#include "bahi/workload/words.hpp"

namespace bahi::workload {
namespace {

using Ranks = std::array<std::uint32_t, words::kText.size()>;

/// Sums of 1/1 + 1/2 + … + 1/k in whole numbers, so that every machine draws the same words.
constexpr Ranks cumulative_ranks() {
  Ranks sums{};
  std::uint32_t sum = 0;
  for (std::size_t rank = 0; rank < sums.size(); ++rank) {
    sum += 1'000'000U / static_cast<std::uint32_t>(rank + 1);
    sums[rank] = sum;
  }
  return sums;
}
constexpr Ranks kRanks = cumulative_ranks();

void append_lower(std::string_view name, std::string& out) {
  for (const char c : name) out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::string_view text_word(Random& random) {
  const auto drawn = static_cast<std::uint32_t>(random.below(kRanks.back()));
  return words::kText[static_cast<std::size_t>(std::upper_bound(kRanks.begin(), kRanks.end(), drawn) - kRanks.begin())];
}

void write_message(Random& random, std::string& out) {
  out.clear();
  for (std::uint64_t pieces = 1 + random.skewed_below(14); pieces > 0; --pieces) {
    if (!out.empty()) out += ' ';
    const std::uint64_t piece = random.below(100);
    if (piece < 12) {
      out += pick(words::kIndianPhrases, random);
    } else if (piece < 45) {
      out += pick(words::kPhrases, random);
    } else {
      out += text_word(random);
    }
  }
}

void write_handle(std::uint64_t number, std::string& out) {
  Random own(number);
  out.clear();
  append_lower(pick(words::kFirstNames, own), out);
  out += '.';
  append_lower(pick(words::kLastNames, own), out);
  out += '.';
  out += fmt::format_int(number).c_str();
}

}  // namespace bahi::workload
