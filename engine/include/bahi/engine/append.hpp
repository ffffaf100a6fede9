// How the engine answers an append; the request itself is described in bahi/schemas/append_request.hpp.
#pragma once

#include <functional>

#include "bahi/base/result.hpp"
#include "bahi/schemas/append_request.hpp"

namespace bahi {

/// Called exactly once per submitted request, on a thread of the engine (or on the submitting one,
/// before `submit` returns, when the request is refused at once). Must not block and must
/// not destroy the engine; may call `submit`.
using AppendCallback = std::function<void(Result<AppendResult>)>;

}  // namespace bahi
