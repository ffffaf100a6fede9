// Which store a directory holds.
#pragma once

#include <filesystem>

#include "bahi/base/result.hpp"
#include "bahi/base/types.hpp"

namespace bahi {

/// The identity that the store got when it was created; a copy of the directory has the same. Errors: kNotAStore,
/// kNewerFormat, kIoError.
[[nodiscard]] Result<Uuid> read_store_id(const std::filesystem::path& directory);

}  // namespace bahi
