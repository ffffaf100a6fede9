// The signing key that a command line names.
#pragma once

#include <string>

#include "bahi/proofs/checkpoint.hpp"

namespace bahi::cli {

/// Errors: kPermissionDenied when others may read it; kMalformedBundle, kIoError.
[[nodiscard]] Result<proofs::KeyFile> read_key_file(const std::string& path);

}  // namespace bahi::cli
