// Any bytes as a list of events: what the builder takes, a reader gets back unchanged.
#include <algorithm>
#include <vector>

#include "bahi/schemas/batch_builder.hpp"
#include "checked_batch.hpp"

using namespace bahi;

namespace {

/// Takes values off the front of the input; an empty input gives zeros.
class Input {
 public:
  explicit Input(std::string_view bytes) : bytes_(bytes) {}
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  std::uint8_t byte() { return static_cast<std::uint8_t>(take(1).empty() ? 0 : last_); }
  std::string_view text() { return take(byte() % 24); }

 private:
  std::string_view take(std::size_t size) {
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(taken.size());
    if (!taken.empty()) last_ = taken.front();
    return taken;
  }
  std::string_view bytes_;
  char last_ = 0;
};

NewEvent take_event(Input& input) {
  NewEvent event;
  const std::uint8_t shape = input.byte();
  event.stream = input.text();
  event.type = input.text();
  event.data = input.text();
  if ((shape & 1U) != 0) event.content_type = input.text();
  if ((shape & 2U) != 0) event.id = Uuid{input.byte(), input.byte()};
  if ((shape & 4U) != 0) {
    for (int count = input.byte() % 70; count > 0; --count) event.tags.push_back(input.text());
  }
  if ((shape & 8U) != 0) event.metadata.actor = input.text();
  if ((shape & 16U) != 0) event.metadata.reason = input.text();
  if ((shape & 32U) != 0) event.metadata.target_id = input.text();
  event.occurred_at = {static_cast<std::int64_t>(input.byte()) - 128};
  return event;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(fuzz::view_of(data, size));
  BatchBuilder builder({static_cast<Codec>(input.byte() % 3), 1});
  std::vector<NewEvent> taken;
  while (!input.empty() && taken.size() < 300) {
    const NewEvent event = take_event(input);
    if (builder.add(event)) taken.push_back(event);
  }
  const auto body = builder.finish();
  fuzz::require(body.has_value() != taken.empty(), "a builder with events makes a body");
  if (!body) return 0;
  const auto raw = decompress(body->codec, body->bytes, body->raw_size);
  fuzz::require(raw.has_value(), "the builder's body decompresses");
  const auto parsed = BatchBody::parse(raw->view());
  fuzz::require(parsed.has_value(), "the builder's body is valid");
  const auto batch = DecodedBatch::decode(
      fuzz::with_right_header(body->bytes, body->codec, body->raw_size, body->event_count, parsed->stream_count()));
  fuzz::require(batch.has_value(), "the builder's body decodes");
  EventView event;
  BatchWalker walker(**batch);
  for (const NewEvent& wanted : taken) {
    walker.read(event);
    fuzz::require(event.stream == wanted.stream && event.type == wanted.type && event.data == wanted.data &&
                      event.content_type == wanted.content_type && event.tags == wanted.tags &&
                      event.metadata == wanted.metadata && event.occurred_at == wanted.occurred_at &&
                      (!wanted.id || event.id == *wanted.id) && !event.id.is_nil(),
                  "every field comes back");
    walker.next();
  }
  fuzz::require(walker.at_end(), "no event is added");
  return 0;
}
