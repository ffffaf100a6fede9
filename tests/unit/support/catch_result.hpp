// Catch2, taught to print a Result: `REQUIRE(result)` shows the error's text when it fails.
#pragma once

#include <string>

#include <catch2/catch.hpp>

#include "bahi/base/result.hpp"

namespace Catch {

template <class T>
struct StringMaker<bahi::Result<T>> {
  static std::string convert(const bahi::Result<T>& result) {
    return result.has_value() ? "a value" : result.error().to_string();
  }
};

}  // namespace Catch
