#include "stock/money.hpp"

namespace bahi::projections::stock {

std::optional<LineTax> tax_on_top(std::int64_t amount_paise, std::int64_t rate_basis_points, bool inter_state) {
  LineTax line;
  line.amount_paise = amount_paise;
  const auto tax = multiply_divide(amount_paise, rate_basis_points, inter_state ? kBasisPoints : 2 * kBasisPoints);
  if (!tax) return std::nullopt;
  if (inter_state) {
    line.igst_paise = *tax;
  } else {
    line.cgst_paise = line.sgst_paise = *tax;
  }
  return line;
}

std::optional<LineTax> tax_within(std::int64_t gross_paise, std::int64_t rate_basis_points, bool inter_state) {
  LineTax line;
  const std::int64_t whole = kBasisPoints + rate_basis_points;
  const auto tax = multiply_divide(gross_paise, rate_basis_points, inter_state ? whole : 2 * whole);
  if (!tax) return std::nullopt;
  if (inter_state) {
    line.igst_paise = *tax;
  } else {
    line.cgst_paise = line.sgst_paise = *tax;
  }
  line.amount_paise = gross_paise - line.tax_paise();
  return line;
}

}  // namespace bahi::projections::stock
