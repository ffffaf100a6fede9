#include "bahi/schemas/batch_header.hpp"
#include "bahi/schemas/hash.hpp"
#include "counting_files.hpp"
#include "engine_fixture.hpp"

using namespace bahi;
using namespace bahi::test;

namespace {

/// A memory log of ten batches of three events for one tenant, and what verify says after `tamper`.
std::vector<Finding> findings_after(const std::function<void(MemoryLog&, TenantId)>& tamper) {
  const auto log = std::make_shared<MemoryLog>();
  const auto engine = memory_engine(log);
  const TenantId tenant = engine->create_tenant("shop").value();
  for (int i = 0; i < 10; ++i) REQUIRE(append(*engine, tenant, {{"order-1"}, {"order-2"}, {"order-1"}}));
  tamper(*log, tenant);
  const auto report = engine->verify();
  REQUIRE(report);
  return report->findings;
}

void replace(MemoryLog& log, TenantId tenant, std::uint64_t last_offset, const std::function<void(std::string&)>& change) {
  auto& stored = log.batches.at({tenant.value, last_offset});
  std::string bytes = *stored;
  change(bytes);
  stored = std::make_shared<const std::string>(std::move(bytes));
}

}  // namespace

TEST_CASE("verify: a sound store has no findings, and everything is counted", "[engine][verify]") {
  TemporaryDirectory directory;
  const auto engine = open_engine(directory.path());
  const TenantId tenant = engine->create_tenant("shop").value();
  for (int i = 0; i < 10; ++i) REQUIRE(append(*engine, tenant, {{"order-1"}, {"order-2"}}));
  std::uint64_t last = 0;
  const auto report = engine->verify([&](std::uint64_t done, std::uint64_t total) {
    CHECK(done <= total);
    last = done;
  });
  REQUIRE(report);
  CHECK(report->findings.empty());
  CHECK(report->tenants == 2);
  CHECK(report->batches == 11);
  CHECK(report->events == 21);
  CHECK(last == 21);
}

TEST_CASE("verify: names the first bad offset", "[engine][verify]") {
  const auto one = [](const std::vector<Finding>& findings) {
    REQUIRE(findings.size() == 1);
    return std::pair{findings[0].offset.value, findings[0].error.code()};
  };
  CHECK(findings_after([](MemoryLog&, TenantId) {}).empty());
  SECTION("a flipped bit in a body") {
    CHECK(one(findings_after([](MemoryLog& log, TenantId tenant) {
            replace(log, tenant, 14, [](std::string& bytes) { bytes.back() ^= 1; });
          })) == std::pair{std::uint64_t{12}, ErrorCode::kCorruptLog});
  }
  SECTION("a flipped bit in a header") {
    CHECK(one(findings_after([](MemoryLog& log, TenantId tenant) {
            replace(log, tenant, 14, [](std::string& bytes) { bytes[9] ^= 1; });
          })) == std::pair{std::uint64_t{12}, ErrorCode::kCorruptLog});
  }
  SECTION("a missing batch") {
    CHECK(one(findings_after([](MemoryLog& log, TenantId tenant) { log.batches.erase({tenant.value, 14}); })) ==
          std::pair{std::uint64_t{12}, ErrorCode::kCorruptLog});
  }
  SECTION("a missing end") {
    CHECK(one(findings_after([](MemoryLog& log, TenantId tenant) { log.batches.erase({tenant.value, 29}); })) ==
          std::pair{std::uint64_t{27}, ErrorCode::kCorruptLog});
  }
  SECTION("two batches swapped") {
    CHECK(one(findings_after([](MemoryLog& log, TenantId tenant) {
            std::swap(log.batches.at({tenant.value, 14}), log.batches.at({tenant.value, 17}));
          })) == std::pair{std::uint64_t{12}, ErrorCode::kCorruptLog});
  }
  SECTION("a rewritten batch with right checksums breaks the chain behind it") {
    CHECK(one(findings_after([](MemoryLog& log, TenantId tenant) {
            replace(log, tenant, 14, [](std::string& bytes) {
              BatchHeader header = decode_batch_header(bytes).value();
              const auto versions = decode_first_versions(header, bytes).value();
              const std::string body(stored_body(header, bytes));
              header.recorded_at.nanos += 1;
              encode_batch_header(header, versions, bytes);
              bytes += body;
            });
          })) == std::pair{std::uint64_t{15}, ErrorCode::kCorruptLog});
  }
}

TEST_CASE("verify: an index that differs from the log is found", "[engine][verify]") {
  // The last batch names another stream, with right checksums: only the index can tell.
  const auto findings = findings_after([](MemoryLog& log, TenantId tenant) {
    const auto other = memory_engine();
    const TenantId same = other->create_tenant("shop").value();
    REQUIRE(same == tenant);
    AppendRequest request = request_of(tenant, {{"order-1"}, {"order-3"}, {"order-1"}});
    replace(log, tenant, 29, [&](std::string& bytes) {
      BatchHeader header = decode_batch_header(bytes).value();
      header.codec = request.body.codec;
      header.raw_size = request.body.raw_size;
      header.stored_size = static_cast<std::uint32_t>(request.body.bytes.size());
      header.body_hash = xxh3_128(request.body.bytes);
      const std::vector<std::int64_t> versions{18, 0};
      encode_batch_header(header, versions, bytes);
      bytes += request.body.bytes;
    });
  });
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].error.code() == ErrorCode::kIndexDamaged);
  CHECK(findings[0].offset == Offset{27});
}

TEST_CASE("verify: of one tenant, whatever is wrong with others", "[engine][verify]") {
  const auto log = std::make_shared<MemoryLog>();
  const auto engine = memory_engine(log);
  const TenantId sound = engine->create_tenant("sound").value();
  const TenantId damaged = engine->create_tenant("damaged").value();
  for (int i = 0; i < 10; ++i) {
    REQUIRE(append(*engine, sound, {{"order-1"}}));
    REQUIRE(append(*engine, damaged, {{"order-1"}, {"order-2"}}));
  }
  replace(*log, damaged, 5, [](std::string& bytes) { bytes.back() ^= 1; });
  std::uint64_t total_events = 0;
  const auto of_sound =
      engine->verify([&](std::uint64_t, std::uint64_t total) { total_events = total; }, sound);
  REQUIRE(of_sound);
  CHECK(of_sound->findings.empty());
  CHECK(of_sound->tenants == 1);
  CHECK(of_sound->events == 10);
  CHECK(total_events == 10);
  const auto of_damaged = engine->verify({}, damaged);
  REQUIRE(of_damaged);
  REQUIRE(of_damaged->findings.size() == 1);
  CHECK(of_damaged->findings[0].offset == Offset{4});
  CHECK(engine->verify()->findings.size() == 1);
  CHECK(engine->verify()->tenants == 3);
  CHECK(engine->verify({}, TenantId{9}).error().code() == ErrorCode::kUnknownTenant);
}

TEST_CASE("verify: of one tenant reads little of the others, also when their batches lie in between",
          "[engine][verify]") {
  constexpr std::uint64_t kDataBytes = 40'000;
  constexpr std::uint64_t kBatches = 400;
  TemporaryDirectory directory;
  {
    EngineOptions options = small_options();
    options.write_buffer_bytes = std::size_t{64} << 20U;
    const auto engine = open_engine(directory.path(), options);
    const TenantId small = engine->create_tenant("small").value();
    const TenantId large = engine->create_tenant("large").value();
    const std::string data = "\"" + std::string(kDataBytes, 'x') + "\"";
    for (std::uint64_t i = 0; i < kBatches; ++i) {
      if (i % 20 == 0) REQUIRE(append(*engine, small, {{"order-1"}}));
      REQUIRE(engine->append(request_of(large, {{"order-1", "placed", data}}, Codec::kNone)));
    }
  }
  const auto files = std::make_shared<CountingFiles>(rocksdb::FileSystem::Default());
  const auto env = rocksdb::NewCompositeEnv(files);
  EngineOptions options = small_options();
  options.env = env.get();
  const auto engine = open_engine(directory.path(), options);
  const auto bytes_read_for = [&](std::optional<TenantId> only) {
    const std::uint64_t before = files->bytes;
    const auto report = engine->verify({}, only);
    REQUIRE(report);
    CHECK(report->findings.empty());
    return files->bytes - before;
  };
  CHECK(bytes_read_for(engine->find_tenant("small").value()) < kBatches * kDataBytes / 4);
  CHECK(bytes_read_for({}) > kBatches * kDataBytes);
}
