// docs/errors.md, as the error catalogue makes it.
#pragma once

#include <span>
#include <string>

#include "bahi/base/error.hpp"

namespace bahi::repo {

[[nodiscard]] std::string error_page(std::span<const ErrorInfo> catalogue);

}  // namespace bahi::repo
