// Result<T>: a value or an Error. Nothing in Bahi reports failure by exception.
#pragma once

#include <boost/system/result.hpp>

#include "bahi/base/error.hpp"

namespace bahi {

template <class T>
using Result = boost::system::result<T, Error>;
using Status = Result<void>;

}  // namespace bahi

#define BAHI_CONCAT_(a, b) a##b
#define BAHI_CONCAT(a, b) BAHI_CONCAT_(a, b)

/// Returns the error of `expression` (a Result or Status) from the enclosing function.
#define BAHI_TRY(expression)                                       \
  do {                                                             \
    auto bahi_status_ = (expression);                              \
    if (!bahi_status_) return bahi_status_.error();     \
  } while (false)

/// `BAHI_ASSIGN(auto x, make_x());` declares x, or returns the error.
#define BAHI_ASSIGN(declaration, expression) \
  BAHI_ASSIGN_IMPL_(BAHI_CONCAT(bahi_result_, __LINE__), declaration, expression)
#define BAHI_ASSIGN_IMPL_(temporary, declaration, expression) \
  auto temporary = (expression);                              \
  if (!temporary) return temporary.error();        \
  declaration = std::move(*temporary)
