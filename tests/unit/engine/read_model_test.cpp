// Every way of reading against a naive model, over random logs.
#include <algorithm>
#include <random>

#include "bahi/schemas/names.hpp"
#include "engine_fixture.hpp"

using namespace bahi;
using namespace bahi::test;

namespace {

bool matches(const EventFilter& filter, const Event& event) {
  const auto contains = [](const auto& list, const auto& value) { return std::count(list.begin(), list.end(), value) > 0; };
  return (!filter.stream || event.stream == *filter.stream) &&
         (!filter.category || category_of(event.stream) == *filter.category) &&
         (filter.types.empty() || contains(filter.types, event.type)) &&
         std::all_of(filter.tags.begin(), filter.tags.end(), [&](const auto& tag) { return contains(event.tags, tag); });
}

std::vector<ReadEvent> naive_read(const std::vector<ReadEvent>& log, const ReadRequest& request) {
  std::vector<ReadEvent> found;
  for (const ReadEvent& event : log) {
    if (event.offset < request.from.value || (request.to && event.offset >= request.to->value)) continue;
    if (matches(request.filter, event.event)) found.push_back(event);
  }
  if (request.direction == Direction::kBackward) std::reverse(found.begin(), found.end());
  if (request.limit && found.size() > *request.limit) found.resize(*request.limit);
  return found;
}

class RandomLog {
 public:
  explicit RandomLog(unsigned seed) : random_(seed) {}
  unsigned pick(unsigned limit) { return static_cast<unsigned>(random_() % limit); }

  void grow(Engine& engine, TenantId tenant, int batches) {
    for (int i = 0; i < batches; ++i) {
      std::vector<Event> events(1 + pick(pick(4) == 0 ? 40 : 4));
      for (Event& event : events) {
        event.stream = (pick(2) == 0 ? "order-" : "cart-") + std::to_string(pick(12));
        event.type = "type" + std::to_string(pick(4));
        event.data = std::to_string(log_.size());
        for (int tag = 0; tag < 4; ++tag) {
          if (pick(4) == 0) event.tags.push_back("tag" + std::to_string(tag));
        }
      }
      const auto result = append(engine, tenant, events);
      REQUIRE(result);
      REQUIRE(result->first_offset.value == log_.size());
      for (const Event& event : events) log_.push_back({log_.size(), versions_[event.stream]++, event});
    }
  }

  ReadRequest random_request(TenantId tenant) {
    ReadRequest request = everything(tenant);
    const auto size = static_cast<unsigned>(log_.size());
    if (pick(3) != 0) request.from = {pick(size)};
    if (pick(3) == 0) request.to = Offset{pick(size + 5)};
    if (pick(2) == 0) request.direction = Direction::kBackward;
    if (pick(3) == 0) request.limit = pick(20);
    if (pick(3) == 0) request.filter.stream = (pick(2) == 0 ? "order-" : "cart-") + std::to_string(pick(14));
    if (pick(4) == 0) request.filter.category = pick(5) == 0 ? "none" : (pick(2) == 0 ? "order" : "cart");
    for (unsigned i = pick(3); i > 0; --i) request.filter.types.push_back("type" + std::to_string(pick(5)));
    for (unsigned i = pick(3); i > 0; --i) request.filter.tags.push_back("tag" + std::to_string(pick(5)));
    return request;
  }

  void check_reads(const Engine& engine, TenantId tenant, int reads) {
    for (int i = 0; i < reads; ++i) {
      const ReadRequest request = random_request(tenant);
      CAPTURE(i, request.from.value, request.to.value_or(kOffsetMax).value, request.direction == Direction::kBackward,
              request.limit.value_or(9999), request.filter.stream.value_or("*"), request.filter.category.value_or("*"),
              request.filter.types, request.filter.tags);
      REQUIRE(read_all(engine, request) == naive_read(log_, request));
    }
    for (const auto& [stream, next] : versions_) REQUIRE(engine.stream_version(tenant, stream).value().value == next - 1);
  }

 private:
  std::mt19937 random_;
  std::vector<ReadEvent> log_;
  std::map<std::string, std::int64_t> versions_;
};

}  // namespace

TEST_CASE("read: equals a naive model, in memory", "[engine][read]") {
  const unsigned seed = GENERATE(11U, 12U, 13U);
  CAPTURE(seed);
  RandomLog log(seed);
  const auto engine = memory_engine();
  const TenantId tenant = engine->create_tenant("shop").value();
  log.grow(*engine, tenant, 60);
  log.check_reads(*engine, tenant, 200);
}

TEST_CASE("read: equals a naive model, over flushes, tiny caches and restarts", "[engine][read]") {
  const unsigned seed = GENERATE(21U, 22U, 23U);
  CAPTURE(seed);
  RandomLog log(seed);
  TemporaryDirectory directory;
  EngineOptions options = small_options();
  options.index_delta_postings_max = 200;
  options.stream_cache_entries_max = 32;  // smaller than the number of streams: heads are dropped and looked up again
  options.batch_cache_bytes = 4096;
  for (int restart = 0; restart < 4; ++restart) {
    options.rebuild_index = restart == 2;
    const auto engine = open_engine(directory.path(), options);
    const auto known = engine->find_tenant("shop");
    const TenantId tenant = known ? *known : engine->create_tenant("shop").value();
    log.grow(*engine, tenant, 40);
    log.check_reads(*engine, tenant, 40);
    if (restart % 2 == 0) REQUIRE(engine->flush());
    log.grow(*engine, tenant, 20);
    log.check_reads(*engine, tenant, 40);
    require_sound(*engine);
  }
}
