#include <fstream>

#include "engine_fixture.hpp"
#include "head_anchor.hpp"
#include "bahi/base/posix_file.hpp"

using namespace bahi;
using namespace bahi::test;

namespace {

void flip(const std::filesystem::path& path, std::size_t place) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(place));
  const char byte = static_cast<char>(file.get() ^ 0x10);
  file.seekp(static_cast<std::streamoff>(place));
  file.put(byte);
}

}  // namespace

TEST_CASE("anchor: keeps what was published, per tenant, and its record", "[engine][anchor]") {
  TemporaryDirectory directory;
  const auto path = directory.path() / "ANCHOR";
  {
    const auto anchor = HeadAnchor::create(path, {3, 4}).value();
    REQUIRE(anchor->ensure_tenants(200));
    for (std::uint32_t round = 1; round <= 5; ++round) {
      const std::vector<TenantMark> marks{{{0}, {round}, {round, 1}}, {{130}, {round * 10}, {round, 2}}};
      REQUIRE(anchor->publish(marks));
    }
    StoreRecord record = anchor->record();
    record.state = StoreRecord::State::kOpen;
    record.log_manifest = {5, 600, {7, 8}};
    REQUIRE(anchor->update_record(record));
  }
  const auto contents = HeadAnchor::read(path).value();
  CHECK(contents.record.store_id == Uuid{3, 4});
  CHECK(contents.record.state == StoreRecord::State::kOpen);
  CHECK(contents.record.log_manifest == ManifestMark{5, 600, {7, 8}});
  REQUIRE(contents.tenants.size() == 200);
  CHECK(contents.tenants[0].next_offset == Offset{5});
  CHECK(contents.tenants[130].next_offset == Offset{50});
  CHECK(contents.tenants[130].chain_hash == Hash128{5, 2});
  CHECK(contents.tenants[131].next_offset == Offset{0});
}

TEST_CASE("anchor: any one damaged byte costs at most one step, never everything", "[engine][anchor]") {
  TemporaryDirectory directory;
  const auto path = directory.path() / "ANCHOR";
  {
    const auto anchor = HeadAnchor::create(path, {3, 4}).value();
    REQUIRE(anchor->ensure_tenants(2));
    for (std::uint64_t offset = 1; offset <= 7; ++offset) {
      const std::vector<TenantMark> marks{{{1}, {offset}, {offset, offset}}};
      REQUIRE(anchor->publish(marks));
    }
  }
  const auto size = std::filesystem::file_size(path);
  for (std::size_t place = 0; place < size; place += place < 256 || place % 4096 < 160 ? 1 : 61) {
    flip(path, place);
    const auto contents = HeadAnchor::read(path);
    CAPTURE(place);
    REQUIRE(contents);
    CHECK(contents->tenants.at(1).next_offset.value >= 6);
    CHECK(contents->tenants.at(1).next_offset.value <= 7);
    flip(path, place);
  }
}

TEST_CASE("anchor: without a valid copy it is refused", "[engine][anchor]") {
  TemporaryDirectory directory;
  const auto path = directory.path() / "ANCHOR";
  CHECK(HeadAnchor::read(path).error().code() == ErrorCode::kAnchorDamaged);
  {
    const auto anchor = HeadAnchor::create(path, {3, 4}).value();
    REQUIRE(anchor->ensure_tenants(1));
  }
  SECTION("both store records") {
    flip(path, 20);
    flip(path, 4096 + 20);
  }
  SECTION("both slots of a tenant") {
    flip(path, 2 * 4096 + 8);
    flip(path, 3 * 4096 + 8);
  }
  SECTION("cut short") { std::filesystem::resize_file(path, 2 * 4096); }
  SECTION("empty") { std::filesystem::resize_file(path, 0); }
  CHECK(HeadAnchor::read(path).error().code() == ErrorCode::kAnchorDamaged);
  CHECK(HeadAnchor::open(path).has_error());
}

TEST_CASE("anchor: opening it again goes on where it was", "[engine][anchor]") {
  TemporaryDirectory directory;
  const auto path = directory.path() / "ANCHOR";
  REQUIRE(HeadAnchor::create(path, {3, 4}).value()->ensure_tenants(1));
  for (std::uint64_t offset = 1; offset <= 5; ++offset) {
    const auto anchor = HeadAnchor::open(path).value();
    const std::vector<TenantMark> marks{{{0}, {offset}, {offset, offset}}};
    REQUIRE(anchor->publish(marks));
    CHECK(HeadAnchor::read(path).value().tenants.at(0).next_offset == Offset{offset});
  }
}
