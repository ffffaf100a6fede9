// A disk that fills up: writers are told, reads and restart go on, writing resumes with space.
#include <catch2/catch.hpp>

#include <fstream>
#include <thread>

#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "fault_env.hpp"
#include "test_store.hpp"

namespace bahi::faults {
namespace {

/// A file system of its own in memory; absent without the right to mount.
class SmallDisk {
 public:
  explicit SmallDisk(const char* size) {
    mounted_ = ::mount("tmpfs", directory_.path().c_str(), "tmpfs", 0, size) == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(directory_.path().c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  [[nodiscard]] bool mounted() const { return mounted_; }
  [[nodiscard]] const std::filesystem::path& path() const { return directory_.path(); }
  [[nodiscard]] std::uint64_t free_bytes() const {
    struct statvfs info {};
    ::statvfs(path().c_str(), &info);
    return info.f_bavail * info.f_frsize;
  }

 private:
  TemporaryDirectory directory_;
  bool mounted_ = false;
};

void write_ballast(const std::filesystem::path& path, std::size_t size) {
  std::ofstream out(path, std::ios::binary);
  out << std::string(size, 'b');
}

/// Appends until an error comes; that error.
Error fill(TestStore& store, std::vector<Acknowledged>& acknowledged, std::uint64_t& request_id, std::size_t& unknown) {
  while (true) {
    const auto result = store.engine->append(make_batch(store.tenant, ++request_id));
    if (!result) {
      if (result.error().code() == ErrorCode::kWriteFailed) ++unknown;
      return result.error();
    }
    acknowledged.push_back({request_id, result->first_offset});
    REQUIRE(request_id < 1'000'000);
  }
}

}  // namespace

TEST_CASE("disk full: writers are told before the disk is full, and writing resumes with space", "[faults]") {
  const SmallDisk disk("size=24m");
  if (!disk.mounted()) {
    WARN("skipped: mounting a small tmpfs needs root");
    return;
  }
  write_ballast(disk.path() / "ballast", std::size_t{6} << 20U);
  EngineOptions options = test_options();
  options.free_bytes_min = std::size_t{6} << 20U;
  options.reserve_bytes = std::size_t{1} << 20U;
  std::vector<Acknowledged> acknowledged;
  std::uint64_t request_id = 0;
  std::size_t unknown = 0;
  {
    TestStore store = open_test_store(disk.path() / "store", options);
    const Error error = fill(store, acknowledged, request_id, unknown);
    INFO(error.to_string());
    CHECK(error.code() == ErrorCode::kDiskFull);
    CHECK(disk.free_bytes() > 0);
    REQUIRE(acknowledged.size() > 10);
    check_history(*store.engine, store.tenant, acknowledged, 0);
  }
  {
    TestStore store = open_test_store(disk.path() / "store", options);  // restart on the full disk
    check_history(*store.engine, store.tenant, acknowledged, 0);
    // The restart may have made some room (a flushed write-ahead log, the reserve): fill it again.
    const Error error = fill(store, acknowledged, request_id, unknown);
    CHECK(error.code() == ErrorCode::kDiskFull);
    CHECK(unknown == 0);
    check_history(*store.engine, store.tenant, acknowledged, 0);
    std::filesystem::remove(disk.path() / "ballast");
    std::this_thread::sleep_for(std::chrono::milliseconds(300));  // the engine looks at the disk now and then
    const auto resumed = store.engine->append(make_batch(store.tenant, ++request_id));
    REQUIRE(resumed.has_value());
    acknowledged.push_back({request_id, resumed->first_offset});
  }
  const TestStore store = open_test_store(disk.path() / "store", options);
  check_history(*store.engine, store.tenant, acknowledged, 0);
}

TEST_CASE("disk full: somebody else fills the disk to the last byte", "[faults]") {
  const SmallDisk disk("size=12m");
  if (!disk.mounted()) {
    WARN("skipped: mounting a small tmpfs needs root");
    return;
  }
  EngineOptions options = test_options();
  options.free_bytes_min = 0;  // so that the engine runs into the wall itself
  options.reserve_bytes = std::size_t{2} << 20U;
  std::vector<Acknowledged> acknowledged;
  std::uint64_t request_id = 0;
  std::size_t unknown = 0;
  {
    TestStore store = open_test_store(disk.path() / "store", options);
    const Error error = fill(store, acknowledged, request_id, unknown);
    INFO(error.to_string());
    CHECK((error.code() == ErrorCode::kDiskFull || error.code() == ErrorCode::kWriteFailed ||
           error.code() == ErrorCode::kReadOnly));
    check_history(*store.engine, store.tenant, acknowledged, 0);
    static_cast<void>(store.engine->close());
  }
  options.free_bytes_min = std::size_t{1} << 20U;
  const TestStore store = open_test_store(disk.path() / "store", options);  // lives on the reserve
  check_history(*store.engine, store.tenant, acknowledged, unknown);
}

TEST_CASE("disk full: a write that finds no space ends writing until reopened, reads go on", "[faults]") {
  const TemporaryDirectory directory;
  FaultEnv env;
  std::vector<Acknowledged> acknowledged;
  std::uint64_t request_id = 0;
  std::size_t unknown = 0;
  {
    TestStore store = open_test_store(directory.path() / "store", test_options(env.env()));
    env.files().set_byte_budget(150'000);
    const Error error = fill(store, acknowledged, request_id, unknown);
    CHECK((error.code() == ErrorCode::kDiskFull || error.code() == ErrorCode::kWriteFailed ||
           error.code() == ErrorCode::kReadOnly));
    REQUIRE_FALSE(acknowledged.empty());
    check_history(*store.engine, store.tenant, acknowledged, 0);
    env.files().set_byte_budget(std::nullopt);
    if (error.code() != ErrorCode::kDiskFull) {  // nobody knows what the failed write left behind
      const auto after = store.engine->append(make_batch(store.tenant, ++request_id));
      REQUIRE_FALSE(after.has_value());
      CHECK(after.error().code() == ErrorCode::kReadOnly);
    }
  }
  TestStore store = open_test_store(directory.path() / "store", test_options(env.env()));
  check_history(*store.engine, store.tenant, acknowledged, unknown);
  CHECK(store.engine->append(make_batch(store.tenant, ++request_id)).has_value());
}

}  // namespace bahi::faults
