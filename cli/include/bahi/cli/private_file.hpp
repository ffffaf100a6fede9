// Files with secrets in them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "bahi/base/result.hpp"

namespace bahi::cli {

/// `holds`: what is in it, for the message. Errors: kPermissionDenied when others than its owner may read or change it,
/// kIoError.
Status check_private(const std::filesystem::path& path, std::string_view holds);
/// The lines of a private file that are not blank. Errors: those of `check_private`; kInvalidArgument when there is
/// none.
[[nodiscard]] Result<std::vector<std::string>> read_secrets(const std::filesystem::path& path);

}  // namespace bahi::cli
