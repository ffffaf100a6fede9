// Arithmetic of quantities and paise: whole numbers, rounded half up, never beyond 64 bits unnoticed.
#pragma once

#include <cstdint>
#include <optional>

#include "bahi/base/result.hpp"
#include "checked_sum.hpp"

namespace bahi::projections::stock {

/// a * b / c rounded half up. `a` and `b` must not be negative, `c` must be positive. Nothing: beyond 64 bits.
[[nodiscard]] constexpr std::optional<std::int64_t> multiply_divide(std::int64_t a, std::int64_t b, std::int64_t c) {
  __extension__ using Wide = unsigned __int128;
  const auto divisor = static_cast<Wide>(c);
  const Wide result = (2 * static_cast<Wide>(a) * static_cast<Wide>(b) + divisor) / (2 * divisor);
  if (result > static_cast<Wide>(INT64_MAX)) return std::nullopt;
  return static_cast<std::int64_t>(result);
}

/// So much of something, and what it cost altogether.
struct Lot {
  std::int64_t quantity = 0;
  std::int64_t paise = 0;  // never negative
};

/// The value that leaves a lot with `quantity` of it: in proportion, and with all of it (or more) everything.
[[nodiscard]] constexpr std::int64_t value_out(const Lot& lot, std::int64_t quantity) {
  if (quantity >= lot.quantity) return lot.paise;
  return multiply_divide(lot.paise, quantity, lot.quantity).value_or(lot.paise);
}

inline constexpr std::int64_t kBasisPoints = 10'000;  // of the whole

/// Tax on an amount without tax, to the paisa.
[[nodiscard]] constexpr std::optional<std::int64_t> tax_on(std::int64_t amount_paise, std::int64_t rate_basis_points) {
  return multiply_divide(amount_paise, rate_basis_points, kBasisPoints);
}

/// To the nearest rupee, 50 paise up: for an invoice's total only. `paise` must not be negative.
[[nodiscard]] constexpr std::int64_t round_to_rupee(std::int64_t paise) {
  const std::int64_t rest = paise % 100;
  return rest >= 50 && paise <= INT64_MAX - 100 ? paise - rest + 100 : paise - rest;
}

/// What a line of an invoice is made of. Within one state the tax is half CGST and half SGST, each rounded by itself;
/// between states it is IGST.
struct LineTax {
  std::int64_t amount_paise = 0;  // without tax
  std::int64_t cgst_paise = 0;
  std::int64_t sgst_paise = 0;
  std::int64_t igst_paise = 0;
  [[nodiscard]] constexpr std::int64_t tax_paise() const { return cgst_paise + sgst_paise + igst_paise; }
};

/// Of an amount that tax comes on top of. Nothing: beyond 64 bits.
[[nodiscard]] std::optional<LineTax> tax_on_top(std::int64_t amount_paise, std::int64_t rate_basis_points,
                                                bool inter_state);
/// Of an amount with its tax in it, such as an MRP: amount and taxes add up to it exactly.
[[nodiscard]] std::optional<LineTax> tax_within(std::int64_t gross_paise, std::int64_t rate_basis_points,
                                                bool inter_state);

}  // namespace bahi::projections::stock
