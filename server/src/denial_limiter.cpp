#include "denial_limiter.hpp"

#include <utility>

namespace bahi::server {
namespace {

/// Stands for all sources that found no place.
constexpr const char* kOthers = "others";

}  // namespace

DenialLimiter::Source& DenialLimiter::find(const std::string& source, TimePoint now) {
  const auto known = sources_.find(source);
  if (known != sources_.end()) return known->second;
  if (sources_.size() >= kSourcesMax) {
    for (auto place = sources_.begin(); place != sources_.end();) {
      const bool forgettable = place->second.left_out == 0 && place->second.bucket.full(now);
      place = forgettable ? sources_.erase(place) : std::next(place);
    }
  }
  const std::string& place = sources_.size() >= kSourcesMax ? kOthers : source;
  return sources_.try_emplace(place, Source{TokenBucket(kPerSecondAndSource, kBurstPerSource, now)}).first->second;
}

std::optional<std::int64_t> DenialLimiter::admit(const std::string& source, TimePoint now) {
  Source& found = find(source, now);
  if (!found.bucket.open(now) || !all_.open(now)) {
    ++found.left_out;
    return std::nullopt;
  }
  found.bucket.take(1);
  all_.take(1);
  return std::exchange(found.left_out, 0);
}

void DenialLimiter::give_back(const std::string& source, std::int64_t count, TimePoint now) {
  find(source, now).left_out += count;
}

std::vector<DenialLimiter::LeftOut> DenialLimiter::take_left_out(TimePoint now, bool every) {
  std::vector<LeftOut> told;
  for (auto& [name, source] : sources_) {
    if (source.left_out == 0) continue;
    const bool may = source.bucket.open(now) && all_.open(now);
    if (!may && !every) continue;
    source.bucket.take(1);
    all_.take(1);
    told.push_back({name, std::exchange(source.left_out, 0)});
  }
  return told;
}

}  // namespace bahi::server
