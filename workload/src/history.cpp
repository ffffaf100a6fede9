#include "bahi/workload/history.hpp"

#include <cstdlib>

#include <fmt/format.h>

#include "audit.hpp"
#include "bahi/schemas/domain_event.hpp"
#include "bahi/schemas/hash.hpp"
#include "chat.hpp"
#include "payments.hpp"
#include "pharmacy.hpp"

namespace bahi::workload {
namespace {

/// 1970 and 2200: far enough from where 64 bits of nanoseconds end.
constexpr std::int64_t kFromMax = 7'258'118'400'000'000'000;
constexpr std::uint64_t kShelvesMax = 50'000'000;
constexpr std::uint32_t kRoomsMax = 50'000;
constexpr std::uint32_t kPeopleMax = 10'000'000;

struct Range {
  std::string_view name;
  std::uint64_t value;
  std::uint64_t low;
  std::uint64_t high;
};

class FlatBufferHistory final : public History {
 public:
  explicit FlatBufferHistory(std::unique_ptr<History> json) : json_(std::move(json)) {}
  void next(NewEvent& event) override {
    json_->next(event);
    const DomainType* const type = find_domain_type(event.type);
    if (type == nullptr) return;
    // What does not fit its schema stays as it is, to be refused like any writer's.
    if (!type->read(event.content_type, event.data, data_)) return;
    event.data = data_.bytes();
    event.content_type = kFlatBufferContentType;
  }

 private:
  std::unique_ptr<History> json_;
  DomainData data_;
};

std::unique_ptr<History> make_json_history(const HistoryOptions& options) {
  switch (options.kind) {
    case Kind::kChat: return std::make_unique<Chat>(options);
    case Kind::kPharmacy: return std::make_unique<Pharmacy>(options);
    case Kind::kPayments: return std::make_unique<Payments>(options);
    case Kind::kAudit: return std::make_unique<Audit>(options);
  }
  std::abort();  // no other kinds
}

}  // namespace

std::string_view to_string(Kind kind) noexcept {
  switch (kind) {
    case Kind::kChat: return "chat";
    case Kind::kPharmacy: return "pharmacy";
    case Kind::kPayments: return "payments";
    case Kind::kAudit: return "audit";
  }
  return "unknown";
}

Status check(const HistoryOptions& options) {
  const auto wrong = [](std::string message) { return Error{ErrorCode::kInvalidArgument, std::move(message)}; };
  if (options.from.nanos < 0 || options.from.nanos > kFromMax) return wrong("from: must lie between 1970 and 2200");
  const Range ranges[] = {{"events per day", options.events_per_day, 0, 1'000'000'000},
                          {"members", options.members, 1, kPeopleMax},
                          {"rooms", options.rooms, 1, kRoomsMax},
                          {"shops", options.shops, 1, 1'000'000},
                          {"items", options.items, 1, 1'000'000},
                          {"customers", options.customers, 1, kPeopleMax},
                          {"administrators", options.administrators, 1, kPeopleMax},
                          {"accounts", options.accounts, 1, kPeopleMax}};
  for (const Range& range : ranges) {
    if (range.value >= range.low && range.value <= range.high) continue;
    return wrong(fmt::format("{}: must be {} to {}, is {}", range.name, range.low, range.high, range.value));
  }
  const std::uint64_t shelves = (std::uint64_t{options.shops} + 1) * options.items;
  if (shelves > kShelvesMax) {
    return wrong(
        fmt::format("shops and items: {} shelves are more than {}; have fewer of either", shelves, kShelvesMax));
  }
  return {};
}

Uuid producer_of(const HistoryOptions& options) {
  const std::string text =
      fmt::format("{} {} {} {} {} {} {} {} {} {} {} {}", to_string(options.kind), options.seed, options.from.nanos,
                  options.events_per_day, options.members, options.rooms, options.shops, options.items,
                  options.customers, options.administrators, options.accounts, options.flatbuffers);
  return uuid_of("bahi workload: ", text);
}

std::unique_ptr<History> make_history(const HistoryOptions& options) {
  std::unique_ptr<History> history = make_json_history(options);
  if (!options.flatbuffers) return history;
  return std::make_unique<FlatBufferHistory>(std::move(history));
}

}  // namespace bahi::workload
