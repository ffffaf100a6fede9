// Any bytes as the head of a frame; what decodes must encode to something that decodes to the same.
#include "bahi/schemas/frame.hpp"
#include "bahi/schemas/wire.hpp"
#include "checked_batch.hpp"

using namespace bahi;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view head = fuzz::view_of(data, size);
  const auto envelope = wire::decode_head(head);
  if (!envelope || std::holds_alternative<wire::Unknown>(envelope->message)) return 0;
  std::string first;
  wire::put_frame(envelope->request, envelope->message, 0, first);
  const auto again = wire::decode_head(std::string_view(first).substr(kFramePrefixBytes));
  fuzz::require(static_cast<bool>(again), "what was encoded decodes");
  std::string second;
  wire::put_frame(again->request, again->message, 0, second);
  fuzz::require(first == second, "encoding is stable");
  return 0;
}
