#include "projection_log.hpp"

#include <array>

#include <fmt/format.h>

#include "answer.hpp"
#include "arguments.hpp"
#include "bahi/base/clock.hpp"
#include "bahi/schemas/batch_builder.hpp"

namespace bahi::projections {
namespace {

constexpr std::string_view kCategory = "projection";
constexpr std::array<std::string_view, 6> kTypes{"bahi.projection-started", "bahi.projection-dropped",
                                                 "bahi.projection-rebuilt", "bahi.projection-replayed",
                                                 "bahi.projection-skipped", "bahi.projection-retried"};

}  // namespace

Status record_act(Engine& engine, ProjectionAct act, TenantId tenant, std::string_view projection,
                  std::string_view actor, std::optional<Offset> offset) {
  Answer data;
  data.number("tenant", tenant.value).text("projection", projection);
  if (offset) data.number("offset", static_cast<std::int64_t>(offset->value));
  const std::string json = data.finish();
  const std::string stream = fmt::format("{}-{}-{}", kCategory, tenant.value, projection);
  NewEvent event;
  event.stream = stream;
  event.type = kTypes[static_cast<std::size_t>(act)];
  event.data = json;
  event.occurred_at = SystemClock::instance().now();
  event.metadata.actor = actor;
  BatchBuilder builder({Codec::kNone, 0});
  BAHI_TRY(builder.add(event));
  AppendRequest request;
  request.tenant = kSystemTenant;
  BAHI_ASSIGN(request.body, builder.finish());
  BAHI_TRY(engine.append(std::move(request)));
  return {};
}

Result<WantedProjections> read_acts(const Engine& engine) {
  WantedProjections wanted;
  ReadRequest request;
  request.tenant = kSystemTenant;
  request.filter.category = std::string(kCategory);
  BAHI_ASSIGN(const auto cursor, engine.read(std::move(request)));
  EventView event;
  for (;;) {
    BAHI_ASSIGN(const bool more, cursor->next(event));
    if (!more) return wanted;
    BAHI_ASSIGN(Arguments data, Arguments::parse(event.data));
    const TenantId tenant{static_cast<std::uint32_t>(data.number("tenant", 0, UINT32_MAX))};
    const std::pair key{tenant, data.text("projection")};
    const auto offset = data.optional_number("offset", 0, INT64_MAX);
    if (const Status read = data.check(); !read) {
      return Error{ErrorCode::kCorruptLog,
                   fmt::format("system event at offset {}: {}", event.offset.value, read.error().message())};
    }
    if (event.type == kTypes[static_cast<std::size_t>(ProjectionAct::kStarted)]) wanted.try_emplace(key);
    if (event.type == kTypes[static_cast<std::size_t>(ProjectionAct::kDropped)]) wanted.erase(key);
    if (event.type == kTypes[static_cast<std::size_t>(ProjectionAct::kSkipped)] && offset && wanted.contains(key)) {
      wanted[key].insert(static_cast<std::uint64_t>(*offset));
    }
  }
}

}  // namespace bahi::projections
