// An event as a writer gives it and as a reader gets it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "bahi/base/types.hpp"

namespace bahi {

inline constexpr std::string_view kJsonContentType = "application/json";

/// Who did it, as part of what, and why. Empty = not given. Views, never owned.
struct Metadata {
  std::string_view actor;
  std::string_view on_behalf_of;
  std::string_view correlation_id;
  std::string_view causation_id;
  std::string_view reason;
  std::string_view target_type;
  std::string_view target_id;
  bool operator==(const Metadata&) const = default;
};

/// What a writer gives for one event. Views must outlive the call they are passed to.
struct NewEvent {
  std::string_view stream;
  std::string_view type;
  std::string_view data;
  std::string_view content_type = kJsonContentType;
  Timestamp occurred_at;
  std::optional<Uuid> id;  ///< absent: the builder gives one
  std::vector<std::string_view> tags;
  Metadata metadata;
};

/// One stored event. Views point into the batch that holds it and live as long as it.
struct EventView {
  TenantId tenant;
  Offset offset;
  Version version;
  Uuid id;
  Timestamp occurred_at;
  Timestamp recorded_at;
  std::string_view stream;
  std::string_view type;
  std::string_view content_type;
  std::string_view data;
  std::vector<std::string_view> tags;
  Metadata metadata;
};

}  // namespace bahi
