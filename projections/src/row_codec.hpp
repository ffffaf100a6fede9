// How the rows of projections are written: fields one after the other, numbers as LEB128, texts behind their length.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "bahi/schemas/bytes.hpp"

namespace bahi::projections {

/// Writes the fields of a row. A row describes itself once, for both directions:
///
///   struct Balance {
///     std::int64_t quantity = 0;
///     std::string note;
///     void fields(auto& row) { row(quantity, note); }
///   };
class RowWriter {
 public:
  explicit RowWriter(std::string& out) : out_(out) {}
  template <class... Field>
  void operator()(Field&... fields) {
    (put(fields), ...);
  }

 private:
  template <class T>
  void put(T& value) {
    if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view>) {
      bytes::put_varint(out_, value.size());
      out_.append(value);
    } else if constexpr (std::is_same_v<T, bool>) {
      out_.push_back(value ? '\1' : '\0');
    } else if constexpr (std::is_enum_v<T>) {
      bytes::put_varint(out_, static_cast<std::uint64_t>(value));
    } else if constexpr (std::is_unsigned_v<T>) {
      bytes::put_varint(out_, value);
    } else if constexpr (std::is_signed_v<T>) {
      // Zigzag: small numbers of either sign are short.
      bytes::put_varint(
          out_, (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(std::int64_t{value} >> 63U));
    } else if constexpr (requires { value.fields(*this); }) {
      value.fields(*this);
    } else {
      bytes::put_varint(out_, value.size());
      for (auto& element : value) put(element);
    }
  }

  std::string& out_;
};

/// Reads what RowWriter wrote. Texts are views into the row when the field is one.
class RowReader {
 public:
  explicit RowReader(std::string_view row) : rest_(row) {}
  /// All of it was read, and nothing was missing.
  [[nodiscard]] bool complete() const noexcept { return good_ && rest_.empty(); }
  template <class... Field>
  void operator()(Field&... fields) {
    (take(fields), ...);
  }

 private:
  std::uint64_t take_number() {
    std::uint64_t value = 0;
    good_ = good_ && bytes::take_varint(rest_, value);
    return value;
  }
  template <class T>
  void take(T& value) {
    if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view>) {
      const std::uint64_t size = take_number();
      good_ = good_ && size <= rest_.size();
      if (!good_) return;
      value = T(rest_.substr(0, size));
      rest_.remove_prefix(size);
    } else if constexpr (std::is_same_v<T, bool>) {
      value = take_number() != 0;
    } else if constexpr (std::is_enum_v<T> || std::is_unsigned_v<T>) {
      value = static_cast<T>(take_number());
    } else if constexpr (std::is_signed_v<T>) {
      const std::uint64_t number = take_number();
      value = static_cast<T>(static_cast<std::int64_t>(number >> 1U) ^ -static_cast<std::int64_t>(number & 1U));
    } else if constexpr (requires { value.fields(*this); }) {
      value.fields(*this);
    } else {
      const std::uint64_t count = take_number();
      good_ = good_ && count <= rest_.size();
      value.clear();
      for (std::uint64_t i = 0; good_ && i < count; ++i) take(value.emplace_back());
    }
  }

  std::string_view rest_;
  bool good_ = true;
};

/// `row` is not changed; it describes itself with one function for both directions.
template <class Row>
void encode_row(const Row& row, std::string& out) {
  RowWriter writer(out);
  const_cast<Row&>(row).fields(writer);
}
template <class Row>
[[nodiscard]] bool decode_row(std::string_view bytes, Row& row) {
  RowReader reader(bytes);
  row.fields(reader);
  return reader.complete();
}

}  // namespace bahi::projections
