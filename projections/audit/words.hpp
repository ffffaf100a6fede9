// The words of a text, as they are searched for.
//
// A word is what Unicode's word boundaries (UAX 29) and the sign @ set off and what has a letter or a digit in it,
// after NFKC case folding: "Straße", "STRASSE" and "ｓｔｒａｓｓｅ" are one word. ICU does this for any script.
// Stretches of ASCII, most of most texts, are split here by the same rules without it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bahi::projections::audit {

/// Words are told apart by so many of their first bytes; a character is never cut in two.
inline constexpr std::size_t kWordBytesMax = 64;

/// Collects the words of texts. Not thread-safe.
class Words {
 public:
  Words();
  ~Words();
  Words(const Words&) = delete;
  Words& operator=(const Words&) = delete;

  /// Forgets all words and keeps the memory.
  void clear() noexcept;
  /// Adds the words of UTF-8 text, in their order and as often as they occur. What is not well-formed is no word.
  void add(std::string_view text);
  /// As `add`, by ICU alone.
  void add_by_icu(std::string_view text);

  [[nodiscard]] std::size_t size() const noexcept { return places_.size(); }
  /// Holds until the next `add` or `clear`.
  [[nodiscard]] std::string_view operator[](std::size_t index) const noexcept {
    return {letters_.data() + places_[index].begin, places_[index].size};
  }
  /// Forgets all words from the one of this number on.
  void truncate(std::size_t size) noexcept { places_.resize(size); }

 private:
  struct Place {
    std::size_t begin = 0;
    std::size_t size = 0;
  };
  struct Icu;
  void add_ascii(std::string_view text);
  void add_place(std::size_t begin);

  std::string letters_;
  std::vector<Place> places_;
  std::unique_ptr<Icu> icu_;  // made when first needed
};

}  // namespace bahi::projections::audit
