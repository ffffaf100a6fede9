#include "bahi/schemas/body_matcher.hpp"

#include <algorithm>

#include "bahi/schemas/names.hpp"

namespace bahi {

bool EventFilter::matches(const EventView& event) const {
  const auto has_tag = [&event](const std::string& tag) {
    return std::find(event.tags.begin(), event.tags.end(), tag) != event.tags.end();
  };
  return (!stream || event.stream == *stream) && (!category || category_of(event.stream) == *category) &&
         (types.empty() || std::find(types.begin(), types.end(), event.type) != types.end()) &&
         std::all_of(tags.begin(), tags.end(), has_tag);
}

BodyMatcher::BodyMatcher(const BatchBody& body, const EventFilter& filter, std::optional<std::uint32_t> hint)
    : body_(&body) {
  if (filter.stream) resolve_stream(filter, hint);
  if (filter.category) {
    streams_.resize(body.stream_count());
    bool any = false;
    for (std::uint32_t ref = 0; ref < body.stream_count(); ++ref) {
      streams_[ref] = category_of(body.stream_name(ref)) == *filter.category;
      any = any || streams_[ref];
    }
    none_ = none_ || !any;
  }
  if (!filter.types.empty()) {
    types_.resize(body.type_count());
    bool any = false;
    for (std::uint32_t ref = 0; ref < body.type_count(); ++ref) {
      types_[ref] = std::find(filter.types.begin(), filter.types.end(), body.type_name(ref)) != filter.types.end();
      any = any || types_[ref];
    }
    none_ = none_ || !any;
  }
  for (const std::string& tag : filter.tags) {
    std::uint32_t ref = 0;
    while (ref < body.tag_count() && body.tag_name(ref) != tag) ++ref;
    none_ = none_ || ref == body.tag_count();
    tags_.push_back(ref);
  }
}

void BodyMatcher::resolve_stream(const EventFilter& filter, std::optional<std::uint32_t> hint) {
  if (hint && body_->stream_name(body_->stream_ref(*hint)) == *filter.stream) {
    stream_ = body_->stream_ref(*hint);
    return;
  }
  for (std::uint32_t ref = 0; ref < body_->stream_count(); ++ref) {
    if (body_->stream_name(ref) == *filter.stream) {
      stream_ = ref;
      return;
    }
  }
  none_ = true;
}

std::uint32_t BodyMatcher::next_candidate(std::uint32_t index) const noexcept {
  return stream_ ? body_->next_in_stream(*stream_, index) : index;
}

bool BodyMatcher::matches(const EventPlace& place) const noexcept {
  if (none_) return false;
  const std::uint32_t stream = body_->stream_ref(place.index);
  if (stream_ && stream != *stream_) return false;
  if (!streams_.empty() && !streams_[stream]) return false;
  if (!types_.empty() && !types_[body_->type_ref(place.index)]) return false;
  const std::uint32_t tag_count = tags_.empty() ? 0 : body_->event_tag_count(place.index);
  return std::all_of(tags_.begin(), tags_.end(), [&](std::uint32_t wanted) {
    for (std::uint32_t k = 0; k < tag_count; ++k) {
      if (body_->tag_ref(place.tag_begin + k) == wanted) return true;
    }
    return false;
  });
}

}  // namespace bahi
