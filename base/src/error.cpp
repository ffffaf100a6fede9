#include "bahi/base/error.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <fmt/format.h>

namespace bahi {
namespace {

constexpr std::array kCatalogue{
#define BAHI_X(number, enumerator, name, action, text) \
  ErrorInfo{ErrorCode::enumerator, name, Action::action, text},
    BAHI_ERROR_CATALOGUE(BAHI_X)
#undef BAHI_X
};

}  // namespace

std::span<const ErrorInfo> error_catalogue() noexcept { return kCatalogue; }

const ErrorInfo& error_info(ErrorCode code) noexcept {
  const auto* entry =
      std::lower_bound(kCatalogue.begin(), kCatalogue.end(), code,
                       [](const ErrorInfo& info, ErrorCode wanted) { return info.code < wanted; });
  if (entry == kCatalogue.end() || entry->code != code) return kCatalogue.back();
  return *entry;
}

std::string_view to_string(Action action) noexcept {
  switch (action) {
    case Action::kNeverRetry: return "never retry";
    case Action::kRetry: return "retry";
    case Action::kRereadRetry: return "re-read, then retry";
    case Action::kRestoreStore: return "restore the store";
  }
  return "unknown";
}

std::string Error::to_string() const {
  return fmt::format("{} ({}): {}", info().name, static_cast<unsigned>(code_), message_);
}

void throw_exception_from_error(const Error& error, const boost::source_location& where) {
  throw std::runtime_error(
      fmt::format("{} [{}:{}]", error.to_string(), where.file_name(), where.line()));
}

}  // namespace bahi
