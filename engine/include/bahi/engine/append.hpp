// How the engine answers an append; the request itself is described in bahi/schemas/append_request.hpp.
#pragma once

#include <functional>
#include <memory>

#include "bahi/base/result.hpp"
#include "bahi/schemas/append_request.hpp"

namespace bahi {

/// Called exactly once per submitted request, on a thread of the engine (or on the submitting one,
/// before `submit` returns, when the request is refused at once). Must not block and must
/// not destroy the engine; may call `submit`.
using AppendCallback = std::function<void(Result<AppendResult>)>;

/// What becomes durable together is answered together: one callback after the other, on one thread. Whoever takes the answers to
/// another thread should wake it once for all of them, which is what this is for.
class AnswerWaker {
 public:
  AnswerWaker() = default;
  AnswerWaker(const AnswerWaker&) = delete;
  AnswerWaker& operator=(const AnswerWaker&) = delete;
  virtual ~AnswerWaker() = default;
  /// Called after one or more callbacks of requests submitted with this waker, and after the last of them, on the thread that
  /// called them; several threads may do so at a time. Must not block, must not throw.
  virtual void wake() = 0;
};

}  // namespace bahi
