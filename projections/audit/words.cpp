#include "audit/words.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

namespace bahi::projections::audit {
namespace {

/// The word break properties of ASCII, as far as they join characters to words.
enum class Class : std::uint8_t { kOther, kLetter, kDigit, kJoiner, kBetweenDigits, kBetweenBoth };

constexpr std::array<Class, 128> kClasses = [] {
  std::array<Class, 128> classes{};
  for (char c = 'a'; c <= 'z'; ++c) classes[static_cast<unsigned char>(c)] = Class::kLetter;
  for (char c = 'A'; c <= 'Z'; ++c) classes[static_cast<unsigned char>(c)] = Class::kLetter;
  for (char c = '0'; c <= '9'; ++c) classes[static_cast<unsigned char>(c)] = Class::kDigit;
  classes['_'] = Class::kJoiner;
  classes[','] = classes[';'] = Class::kBetweenDigits;
  classes['.'] = classes['\''] = Class::kBetweenBoth;
  return classes;
}();

constexpr bool is_ascii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}
constexpr bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}
constexpr Class class_of(char c) {
  return kClasses[static_cast<unsigned char>(c) & 0x7FU];
}
constexpr bool is_inner(Class c) {
  return c == Class::kLetter || c == Class::kDigit || c == Class::kJoiner;
}
constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

void check(UErrorCode error) {
  if (U_FAILURE(error)) throw std::runtime_error(std::string("ICU: ") + u_errorName(error));
}

}  // namespace

struct Words::Icu {
  UBreakIterator* breaks = nullptr;
  const UNormalizer2* folding = nullptr;
  std::u16string text;
  std::u16string folded;

  Icu() {
    UErrorCode error = U_ZERO_ERROR;
    folding = unorm2_getNFKCCasefoldInstance(&error);
    breaks = ubrk_open(UBRK_WORD, "", nullptr, 0, &error);
    check(error);
  }
  ~Icu() { ubrk_close(breaks); }
  Icu(const Icu&) = delete;
  Icu& operator=(const Icu&) = delete;

  /// Leaves the folded text in `folded`, and its length.
  std::int32_t fold(std::string_view bytes) {
    if (text.size() < bytes.size()) text.resize(bytes.size());
    if (folded.size() < 2 * bytes.size()) folded.resize(2 * bytes.size());
    UErrorCode error = U_ZERO_ERROR;
    std::int32_t size = 0;
    u_strFromUTF8WithSub(text.data(), static_cast<std::int32_t>(text.size()), &size, bytes.data(),
                         static_cast<std::int32_t>(bytes.size()), 0xFFFD, nullptr, &error);
    check(error);
    for (;;) {
      error = U_ZERO_ERROR;
      const std::int32_t length =
          unorm2_normalize(folding, text.data(), size, folded.data(), static_cast<std::int32_t>(folded.size()), &error);
      if (error != U_BUFFER_OVERFLOW_ERROR) {
        check(error);
        return length;
      }
      folded.resize(static_cast<std::size_t>(length));
    }
  }
};

Words::Words() = default;
Words::~Words() = default;

void Words::clear() noexcept {
  letters_.clear();
  places_.clear();
}

/// What was written from `begin` on is a word.
void Words::add_place(std::size_t begin) {
  if (letters_.size() - begin > kWordBytesMax) {
    std::size_t end = begin + kWordBytesMax;
    while ((static_cast<unsigned char>(letters_[end]) & 0xC0U) == 0x80U) --end;
    letters_.resize(end);
  }
  places_.push_back({begin, letters_.size() - begin});
}

void Words::add(std::string_view text) {
  // Between white space and ASCII there is always a boundary, so stretches that have other characters go to ICU by
  // themselves.
  std::size_t begin = 0;
  while (begin < text.size()) {
    std::size_t end = begin;
    std::size_t foreign = text.size();  // begin of the chunk with the first character that is not ASCII
    for (std::size_t chunk = begin; end < text.size(); ++end) {
      if (is_space(text[end])) chunk = end + 1;
      if (is_ascii(text[end])) continue;
      foreign = chunk;
      break;
    }
    if (foreign == text.size()) return add_ascii(text.substr(begin));
    add_ascii(text.substr(begin, foreign - begin));
    // All chunks that follow and are not ASCII alone, up to the white space before one that is.
    std::size_t last = foreign;  // behind the last chunk that is not ASCII
    bool other = false;
    for (end = foreign; end <= text.size(); ++end) {
      if (end < text.size() && !is_space(text[end])) {
        other = other || !is_ascii(text[end]);
        continue;
      }
      const bool chunk_was_empty = end == foreign || is_space(text[end - 1]);
      if (chunk_was_empty) continue;
      if (!other) break;
      last = end;
      other = false;
    }
    add_by_icu(text.substr(foreign, last - foreign));
    begin = last;
  }
}

void Words::add_ascii(std::string_view text) {
  const char* next = text.data();
  const char* const end = next + text.size();
  while (next != end) {
    if (!is_inner(class_of(*next))) {
      ++next;
      continue;
    }
    const std::size_t begin = letters_.size();
    bool counts = false;
    for (Class before = Class::kOther; next != end;) {
      const Class here = class_of(*next);
      if (is_inner(here)) {
        counts = counts || here != Class::kJoiner;
        before = here;
        letters_.push_back(lower(*next++));
        continue;
      }
      // One mark between two letters or two digits belongs to the word.
      const bool joins = before == Class::kDigit    ? here == Class::kBetweenDigits || here == Class::kBetweenBoth
                         : before == Class::kLetter ? here == Class::kBetweenBoth
                                                    : false;
      if (!joins || next + 1 == end || class_of(next[1]) != before) break;
      letters_.push_back(*next++);
    }
    if (counts) {
      add_place(begin);
    } else {
      letters_.resize(begin);
    }
  }
}

void Words::add_by_icu(std::string_view text) {
  if (text.empty()) return;
  if (!icu_) icu_ = std::make_unique<Icu>();
  const std::int32_t size = icu_->fold(text);
  // ICU takes it for a letter; who looks for "asha" wants to find "@asha".
  std::replace(icu_->folded.begin(), icu_->folded.begin() + size, u'@', u' ');
  const UChar* const folded = icu_->folded.data();
  UErrorCode error = U_ZERO_ERROR;
  ubrk_setText(icu_->breaks, folded, size, &error);
  check(error);
  std::int32_t from = 0;
  for (std::int32_t to = ubrk_next(icu_->breaks); to != UBRK_DONE; from = to, to = ubrk_next(icu_->breaks)) {
    const std::size_t begin = letters_.size();
    bool counts = false;
    for (std::int32_t i = from; i < to;) {
      UChar32 character = 0;
      U16_NEXT(folded, i, to, character);
      counts = counts || u_isalnum(character) != 0;
      std::array<char, 4> bytes{};
      std::int32_t length = 0;
      UBool failed = 0;
      U8_APPEND(bytes.data(), length, 4, character, failed);
      if (failed == 0) letters_.append(bytes.data(), static_cast<std::size_t>(length));
    }
    if (counts) {
      add_place(begin);
    } else {
      letters_.resize(begin);
    }
  }
}

}  // namespace bahi::projections::audit
