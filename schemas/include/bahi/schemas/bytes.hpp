// Fixed-width and variable-width integers in byte strings.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/endian/conversion.hpp>

namespace bahi::bytes {

inline void put_be32(std::string& out, std::uint32_t value) {
  boost::endian::native_to_big_inplace(value);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
inline void put_be64(std::string& out, std::uint64_t value) {
  boost::endian::native_to_big_inplace(value);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
[[nodiscard]] inline std::uint32_t get_be32(const char* from) {
  return boost::endian::load_big_u32(reinterpret_cast<const unsigned char*>(from));
}
[[nodiscard]] inline std::uint64_t get_be64(const char* from) {
  return boost::endian::load_big_u64(reinterpret_cast<const unsigned char*>(from));
}
inline void put_le32(std::string& out, std::uint32_t value) {
  boost::endian::native_to_little_inplace(value);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
inline void put_le64(std::string& out, std::uint64_t value) {
  boost::endian::native_to_little_inplace(value);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
[[nodiscard]] inline std::uint32_t get_le32(const char* from) {
  return boost::endian::load_little_u32(reinterpret_cast<const unsigned char*>(from));
}

/// LEB128, at most ten bytes.
inline void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7U;
  }
  out.push_back(static_cast<char>(value));
}

/// Takes one LEB128 integer off the front of `in`; false when `in` holds none.
[[nodiscard]] inline bool take_varint(std::string_view& in, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (in.empty()) return false;
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    if (shift == 63 && byte > 1) return false;
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

}  // namespace bahi::bytes
