#include "bahi/cli/append_window.hpp"

#include <limits>

namespace bahi::cli {

Result<std::optional<AppendResult>> find_append(TenantLog& log, ProducerPosition position, EncodedBody body,
                                                std::string_view stream) {
  AppendRequest request;
  request.body = std::move(body);
  request.producer = position;
  // No stream ever gets that far: the append is answered from an earlier one, or stores nothing.
  const Version impossible{std::numeric_limits<std::int64_t>::max()};
  request.expectations.push_back({std::string(stream), ExpectedVersion::exactly(impossible)});
  const Result<AppendResult> answer = log.append(std::move(request));
  if (answer) return std::optional<AppendResult>(*answer);
  if (answer.error().code() == ErrorCode::kWrongExpectedVersion) return std::optional<AppendResult>();
  return answer.error();
}

}  // namespace bahi::cli
