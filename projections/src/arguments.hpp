// The arguments of a query or a command: a JSON object whose members are taken by name.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bahi/base/result.hpp"
#include "bahi/base/types.hpp"

namespace bahi::projections {

/// Members are taken one by one; the first that is missing or wrong makes the whole fail, and so does one that nobody
/// took. A taker that fails gives a harmless value, so a query takes all its arguments and asks `check` once. Not
/// thread-safe.
class Arguments {
 public:
  /// Empty text: no arguments. Errors: kMalformedJson; kInvalidArgument when it is not an object.
  [[nodiscard]] static Result<Arguments> parse(std::string_view json);
  Arguments(Arguments&&) noexcept;
  Arguments& operator=(Arguments&&) noexcept;
  ~Arguments();

  /// Not empty. A whole number is taken as its digits: on a command line, order=17 looks like one.
  [[nodiscard]] std::string text(std::string_view name);
  [[nodiscard]] std::optional<std::string> optional_text(std::string_view name);
  [[nodiscard]] std::int64_t number(std::string_view name, std::int64_t min, std::int64_t max);
  [[nodiscard]] std::optional<std::int64_t> optional_number(std::string_view name, std::int64_t min, std::int64_t max);
  [[nodiscard]] std::int64_t number_or(std::string_view name, std::int64_t fallback, std::int64_t min,
                                       std::int64_t max);
  [[nodiscard]] bool flag(std::string_view name);
  /// One of `choices`; its place among them. Absent: 0.
  [[nodiscard]] std::size_t choice(std::string_view name, std::initializer_list<std::string_view> choices);
  /// RFC 3339.
  [[nodiscard]] std::optional<Timestamp> optional_time(std::string_view name);
  /// Days since 1970-01-01, given as "YYYY-MM-DD".
  [[nodiscard]] std::optional<std::int32_t> optional_date(std::string_view name);
  [[nodiscard]] std::vector<std::string> texts(std::string_view name, std::size_t count_max);
  /// A list of objects, at least one, each with its own members.
  [[nodiscard]] std::vector<Arguments> objects(std::string_view name, std::size_t count_max);

  /// What was wrong first, in this object and in those of its lists. Errors: kInvalidArgument, naming the member.
  Status check();

 private:
  struct Impl;
  explicit Arguments(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bahi::projections
