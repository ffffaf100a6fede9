// Keys of a projection's rows: parts whose order as bytes is their order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bahi/schemas/bytes.hpp"

namespace bahi::projections {

/// Puts a key together. No key that begins with other parts is a prefix of it.
class Key {
 public:
  Key() = default;
  /// Nothing, with the memory that it had.
  Key& clear() {
    bytes_.clear();
    return *this;
  }
  /// Any bytes; "a" comes before "a\0" comes before "aa". A zero byte is written as 00 FF, the end as 00 01.
  Key& text(std::string_view part) {
    for (std::size_t zero = part.find('\0'); zero != std::string_view::npos; zero = part.find('\0')) {
      bytes_.append(part.substr(0, zero)).append("\0\xFF", 2);
      part.remove_prefix(zero + 1);
    }
    bytes_.append(part).append("\0\1", 2);
    return *this;
  }
  Key& byte(std::uint8_t part) {
    bytes_.push_back(static_cast<char>(part));
    return *this;
  }
  Key& number(std::uint64_t part) {
    bytes::put_be64(bytes_, part);
    return *this;
  }
  /// Ordered from large to small.
  Key& descending(std::uint64_t part) { return number(~part); }
  /// Negative numbers come first.
  Key& signed_number(std::int64_t part) { return number(static_cast<std::uint64_t>(part) ^ (std::uint64_t{1} << 63U)); }

  [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }
  operator std::string_view() const noexcept { return bytes_; }  // NOLINT: a key is its bytes

 private:
  std::string bytes_;
};

/// Takes a key apart, in the order in which it was put together. Nothing is left when it was malformed.
class KeyReader {
 public:
  explicit KeyReader(std::string_view key) : rest_(key) {}

  [[nodiscard]] std::string text() {
    std::string part;
    while (rest_.size() >= 2) {
      if (rest_[0] != '\0') {
        part.push_back(rest_[0]);
        rest_.remove_prefix(1);
        continue;
      }
      const bool zero = rest_[1] == '\xFF';
      rest_.remove_prefix(2);
      if (!zero) return part;
      part.push_back('\0');
    }
    rest_ = {};
    return part;
  }
  [[nodiscard]] std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto part = static_cast<std::uint8_t>(rest_[0]);
    rest_.remove_prefix(1);
    return part;
  }
  [[nodiscard]] std::uint64_t number() {
    if (rest_.size() < 8) {
      rest_ = {};
      return 0;
    }
    const std::uint64_t part = bytes::get_be64(rest_.data());
    rest_.remove_prefix(8);
    return part;
  }
  [[nodiscard]] std::uint64_t descending() { return ~number(); }
  [[nodiscard]] std::int64_t signed_number() { return static_cast<std::int64_t>(number() ^ (std::uint64_t{1} << 63U)); }

 private:
  std::string_view rest_;
};

}  // namespace bahi::projections
