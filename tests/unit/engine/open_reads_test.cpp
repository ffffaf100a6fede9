// What opening reads, counted: it must not grow with the history.
#include "counting_files.hpp"
#include "engine_fixture.hpp"

using namespace bahi;
using namespace bahi::test;

namespace {

namespace fs = std::filesystem;

/// Opens the store, checks its tenants, and returns the bytes read from the log for that.
std::uint64_t bytes_read_by_open(const fs::path& store) {
  const auto files = std::make_shared<CountingFiles>(rocksdb::FileSystem::Default());
  const auto env = rocksdb::NewCompositeEnv(files);
  EngineOptions options = small_options();
  options.env = env.get();
  const auto engine = open_engine(store, options);
  const std::uint64_t bytes = files->bytes;
  REQUIRE(engine->tenants().size() == 3);
  CHECK(engine->tenants()[0].name == "first");
  CHECK(engine->tenants()[1].name == "middle");
  CHECK(engine->tenants()[2].name == "last");
  return bytes;
}

}  // namespace

TEST_CASE("open: the tenants are found without reading the system tenant's whole log", "[engine][open]") {
  constexpr std::uint64_t kBatches = 400;
  constexpr std::uint64_t kDataBytes = 40'000;
  const TemporaryDirectory directory;
  {
    // All in one sorted file: RocksDB reads up to half a MiB of the end of each file that it opens.
    EngineOptions options = small_options();
    options.write_buffer_bytes = std::size_t{64} << 20U;
    const auto engine = open_engine(directory.path(), options);
    REQUIRE(engine->create_tenant("first"));
    for (std::uint64_t i = 0; i < kBatches; ++i) {
      if (i == kBatches / 2) REQUIRE(engine->create_tenant("middle"));
      const std::string data = "\"" + std::string(kDataBytes, static_cast<char>('a' + i % 26)) + "\"";
      REQUIRE(
          engine->append(request_of(kSystemTenant, {{"denial-" + std::to_string(i), "denied", data}}, Codec::kNone)));
    }
    REQUIRE(engine->create_tenant("last"));
  }
  CHECK(bytes_read_by_open(directory.path()) < kBatches * kDataBytes / 4);
  // The counter counts: without the index there is no other way than to read all of it.
  fs::remove_all(directory.path() / "idx");
  CHECK(bytes_read_by_open(directory.path()) > kBatches * kDataBytes);
  CHECK(bytes_read_by_open(directory.path()) < kBatches * kDataBytes / 4);
}
