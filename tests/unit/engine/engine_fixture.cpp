#include "engine_fixture.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace bahi::test {

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "bahi-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed for " + pattern);
  path_ = pattern;
}
TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path write_ahead_log(const std::filesystem::path& store) {
  for (const auto& entry : std::filesystem::directory_iterator(store / "log")) {
    if (entry.path().extension() == ".log" && entry.file_size() > 0) return entry.path();
  }
  throw std::runtime_error("no write-ahead log in " + store.string());
}

std::string contents_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::uint64_t content_bytes(const std::filesystem::path& file) {
  return contents_of(file).find_last_not_of('\0') + 1;  // npos + 1 = 0
}

EngineOptions small_options() {
  EngineOptions options;
  options.create_if_missing = true;
  options.write_buffer_bytes = std::size_t{1} << 20U;
  options.block_cache_bytes = std::size_t{4} << 20U;
  options.batch_cache_bytes = std::size_t{4} << 20U;
  options.reserve_bytes = 0;
  options.free_bytes_min = 0;
  return options;
}

std::unique_ptr<Engine> open_engine(const std::filesystem::path& directory, EngineOptions options) {
  auto engine = Engine::open(directory, std::move(options));
  REQUIRE(engine);
  return std::move(*engine);
}

std::unique_ptr<Engine> memory_engine(const std::shared_ptr<MemoryLog>& log, EngineOptions options) {
  auto engine = Engine::open(std::make_unique<MemoryLogStore>(log), std::move(options));
  REQUIRE(engine);
  return std::move(*engine);
}

AppendRequest request_of(TenantId tenant, const std::vector<Event>& events, Codec codec) {
  BatchBuilder builder({codec, 1});
  for (const Event& event : events) {
    NewEvent added;
    added.stream = event.stream;
    added.type = event.type;
    added.data = event.data;
    added.tags.assign(event.tags.begin(), event.tags.end());
    const Status status = builder.add(added);
    REQUIRE(status);
  }
  AppendRequest request;
  request.tenant = tenant;
  request.body = builder.finish().value();
  return request;
}

Result<AppendResult> append(Engine& engine, TenantId tenant, const std::vector<Event>& events) {
  return engine.append(request_of(tenant, events));
}

Result<AppendResult> append_expecting(Engine& engine, TenantId tenant, const std::vector<Event>& events,
                                      std::vector<StreamExpectation> expectations) {
  AppendRequest request = request_of(tenant, events);
  request.expectations = std::move(expectations);
  return engine.append(std::move(request));
}

std::vector<ReadEvent> read_all(const Engine& engine, ReadRequest request) {
  const auto cursor = engine.read(std::move(request));
  REQUIRE(cursor);
  std::vector<ReadEvent> events;
  EventView view;
  for (;;) {
    const auto more = (*cursor)->next(view);
    REQUIRE(more);
    if (!*more) return events;
    Event event{std::string(view.stream), std::string(view.type), std::string(view.data), {}};
    event.tags.assign(view.tags.begin(), view.tags.end());
    events.push_back({view.offset.value, view.version.value, std::move(event)});
  }
}

void require_sound(const Engine& engine) {
  const auto report = engine.verify();
  REQUIRE(report);
  for (const Finding& finding : report->findings) {
    FAIL("tenant " << finding.tenant.value << ", offset " << finding.offset.value << ": " << finding.error.to_string());
  }
}

ReadRequest everything(TenantId tenant) {
  ReadRequest request;
  request.tenant = tenant;
  return request;
}

ReadRequest of_stream(TenantId tenant, const std::string& stream) {
  ReadRequest request = everything(tenant);
  request.filter.stream = stream;
  return request;
}

}  // namespace bahi::test
