#include "mutate_store.hpp"

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bahi/schemas/hash.hpp"
#include "workload.hpp"

namespace bahi::faults {
namespace {

constexpr std::uint32_t kTenants = 3;
constexpr std::uint32_t kPhaseBatches = 110;  // at most; a store is written in four phases

void put(std::string& out, std::string_view text) {
  out += std::to_string(text.size());
  out += ':';
  out += text;
}

Hash128 hash_event(const EventView& event, std::string& buffer) {
  buffer.clear();
  for (const std::uint64_t number :
       {event.offset.value, static_cast<std::uint64_t>(event.version.value), event.id.high, event.id.low,
        static_cast<std::uint64_t>(event.occurred_at.nanos), static_cast<std::uint64_t>(event.recorded_at.nanos),
        static_cast<std::uint64_t>(event.tenant.value)}) {
    buffer += std::to_string(number) + ' ';
  }
  for (const std::string_view text : {event.stream, event.type, event.content_type, event.data}) put(buffer, text);
  for (const std::string_view tag : event.tags) put(buffer, tag);
  const Metadata& metadata = event.metadata;
  for (const std::string_view text :
       {metadata.actor, metadata.on_behalf_of, metadata.correlation_id, metadata.causation_id, metadata.reason,
        metadata.target_type, metadata.target_id}) {
    put(buffer, text);
  }
  return xxh3_128(buffer);
}

/// Hashes of all events that `request` gives, and the streams and tags they carry.
Result<std::vector<Hash128>> read_hashes(const Engine& engine, const ReadRequest& request, TenantContent* names) {
  BAHI_ASSIGN(const auto cursor, engine.read(request));
  std::vector<Hash128> hashes;
  std::string buffer;
  EventView event;
  while (true) {
    BAHI_ASSIGN(const bool more, cursor->next(event));
    if (!more) return hashes;
    hashes.push_back(hash_event(event, buffer));
    if (names == nullptr) continue;
    names->streams.try_emplace(std::string(event.stream));
    for (const std::string_view tag : event.tags) names->tags.try_emplace(std::string(tag));
  }
}

Result<Hash128> read_hash(const Engine& engine, const ReadRequest& request) {
  BAHI_ASSIGN(const auto hashes, read_hashes(engine, request, nullptr));
  return xxh3_128({reinterpret_cast<const char*>(hashes.data()), hashes.size() * sizeof(Hash128)});
}

/// One writer process of `build_store`.
class Writer {
 public:
  Writer(const std::filesystem::path& directory, std::uint64_t seed) : directory_(directory), seed_(seed) {}

  Status open() {
    EngineOptions options = small_engine_options();
    options.create_if_missing = true;
    options.clock = &clock_;
    BAHI_ASSIGN(engine_, Engine::open(directory_ / "now", options));
    for (std::uint32_t number = 0; number < kTenants; ++number) {
      const std::string name = fmt::format("tenant{}", number);
      auto id = engine_->find_tenant(name);
      if (!id) id = engine_->create_tenant(name);
      if (!id) return id.error();
      tenants_[number] = *id;
    }
    return {};
  }

  Status write(std::uint32_t phase, std::uint32_t batches = kPhaseBatches) {
    Random random(seed_ * 16 + phase);
    for (std::uint32_t batch = 0; batch < batches; ++batch) {
      const std::uint64_t request_id = std::uint64_t{phase} * kPhaseBatches + batch + 1;
      const std::uint64_t plan_seed = random.next();
      AppendRequest request;
      request.tenant = tenants_[random.below(kTenants)];
      BAHI_ASSIGN(request.body, encode_events(plan_events(request_id, plan_seed, 20), plan_seed));
      if (random.one_in(2)) request.producer = ProducerPosition{{1, 2}, request_id};
      clock_.set({clock_.now().nanos + 1'000'000});
      BAHI_TRY(discard(engine_->append(std::move(request))));
    }
    return {};
  }

  Status flush() { return engine_->flush(); }
  Status close() { return engine_->close(); }

  /// As if the process had been killed now: nothing is being written while the copy is made.
  void copy_to(const std::string& name) const {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));  // the anchor's own sync
    std::filesystem::copy(directory_ / "now", directory_ / name, std::filesystem::copy_options::recursive);
  }

 private:
  static Status discard(const Result<AppendResult>& result) { return result ? Status{} : Status{result.error()}; }

  const std::filesystem::path& directory_;
  const std::uint64_t seed_;
  ManualClock clock_{Timestamp{1'700'000'000'000'000'000}};
  std::array<TenantId, kTenants> tenants_{};
  std::unique_ptr<Engine> engine_;
};

Status write_killed(const std::filesystem::path& directory, std::uint64_t seed) {
  Writer writer(directory, seed);
  BAHI_TRY(writer.open());
  BAHI_TRY(writer.write(0));
  BAHI_TRY(writer.flush());
  writer.copy_to("old0");  // an older MANIFEST, fewer sorted files
  BAHI_TRY(writer.write(1));
  BAHI_TRY(writer.flush());
  BAHI_TRY(writer.write(2, 40));
  writer.copy_to("old1");  // an older write-ahead log of the same name
  BAHI_TRY(writer.write(3, 40));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  ::kill(::getpid(), SIGKILL);
  return {};
}

Status write_closed(const std::filesystem::path& directory, std::uint64_t seed) {
  for (std::uint32_t phase = 0; phase < 4; ++phase) {
    Writer writer(directory, seed);
    BAHI_TRY(writer.open());
    BAHI_TRY(writer.write(phase));
    if (phase == 1) BAHI_TRY(writer.flush());
    BAHI_TRY(writer.close());
    if (phase == 1) writer.copy_to("old0");
    if (phase == 2) writer.copy_to("old1");
  }
  return {};
}

Status write_content(const std::filesystem::path& directory) {
  std::filesystem::copy(directory / "now", directory / "copy", std::filesystem::copy_options::recursive);
  {
    BAHI_ASSIGN(const auto engine, Engine::open(directory / "copy", small_engine_options()));
    BAHI_ASSIGN(const Content content, collect_content(*engine, nullptr));
    BAHI_ASSIGN(const VerifyReport report, engine->verify());
    if (!report.findings.empty()) return report.findings.front().error;
    save_content(content, directory / "content");
  }
  std::filesystem::remove_all(directory / "copy");
  return {};
}

/// Runs `work` in a child; it must succeed, or die of SIGKILL when `killed`.
template <class Work>
Status in_child(bool killed, Work work) {
  const pid_t child = ::fork();
  if (child == 0) {
    const Status status = work();
    if (!status) fmt::print(stderr, "building a store: {}\n", status.error().to_string());
    std::_Exit(status ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  const bool right =
      killed ? WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL : WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (right) return {};
  return Error{ErrorCode::kInternal, fmt::format("building a store ended with wait status {}", status)};
}

}  // namespace

EngineOptions small_engine_options() {
  EngineOptions options;
  options.write_buffer_bytes = std::size_t{256} << 10U;
  options.block_cache_bytes = std::size_t{4} << 20U;
  options.batch_cache_bytes = std::size_t{4} << 20U;
  options.index_delta_postings_max = 1500;
  options.reserve_bytes = std::size_t{64} << 10U;
  options.free_bytes_min = std::size_t{1} << 20U;
  options.anchor_sync_interval = std::chrono::milliseconds(20);
  return options;
}

Result<Content> collect_content(const Engine& engine, const Content* known) {
  Content content;
  for (const TenantInfo& info : engine.tenants()) {
    TenantContent tenant;
    tenant.name = info.name;
    tenant.id = info.id.value;
    ReadRequest request;
    request.tenant = info.id;
    BAHI_ASSIGN(tenant.events, read_hashes(engine, request, known == nullptr ? &tenant : nullptr));
    if (known != nullptr && content.size() < known->size()) {
      tenant.streams = (*known)[content.size()].streams;
      tenant.tags = (*known)[content.size()].tags;
    }
    for (auto& [stream, hash] : tenant.streams) {
      request.filter = {};
      request.filter.stream = stream;
      BAHI_ASSIGN(hash, read_hash(engine, request));
    }
    for (auto& [tag, hash] : tenant.tags) {
      request.filter = {};
      request.filter.tags = {tag};
      BAHI_ASSIGN(hash, read_hash(engine, request));
    }
    content.push_back(std::move(tenant));
  }
  return content;
}

void save_content(const Content& content, const std::filesystem::path& path) {
  std::ofstream out(path);
  for (const TenantContent& tenant : content) {
    out << tenant.name << ' ' << tenant.id << ' ' << tenant.events.size() << ' ' << tenant.streams.size() << ' '
        << tenant.tags.size() << '\n';
    for (const Hash128& hash : tenant.events) out << hash.high << ' ' << hash.low << '\n';
    for (const auto* names : {&tenant.streams, &tenant.tags}) {
      for (const auto& [name, hash] : *names) out << name << ' ' << hash.high << ' ' << hash.low << '\n';
    }
  }
}

Content load_content(const std::filesystem::path& path) {
  std::ifstream in(path);
  Content content;
  TenantContent tenant;
  std::size_t events = 0;
  std::size_t streams = 0;
  std::size_t tags = 0;
  while (in >> tenant.name >> tenant.id >> events >> streams >> tags) {
    tenant.events.resize(events);
    for (Hash128& hash : tenant.events) in >> hash.high >> hash.low;
    std::string name;
    Hash128 hash;
    tenant.streams.clear();
    tenant.tags.clear();
    for (; streams > 0 && in >> name >> hash.high >> hash.low; --streams) tenant.streams[name] = hash;
    for (; tags > 0 && in >> name >> hash.high >> hash.low; --tags) tenant.tags[name] = hash;
    content.push_back(tenant);
  }
  return content;
}

Status build_store(const std::filesystem::path& directory, Ending ending, std::uint64_t seed) {
  std::filesystem::create_directories(directory);
  const bool killed = ending == Ending::kKilled;
  BAHI_TRY(in_child(killed, [&] { return killed ? write_killed(directory, seed) : write_closed(directory, seed); }));
  return in_child(false, [&] { return write_content(directory); });
}

}  // namespace bahi::faults
