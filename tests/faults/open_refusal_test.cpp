// Directories that must not be opened, each refused with its own error and left as it was.
#include <catch2/catch.hpp>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bahi/schemas/hash.hpp"
#include "test_store.hpp"

namespace bahi::faults {
namespace {

namespace fs = std::filesystem;

/// Appends `count` batches and closes the store.
std::vector<Acknowledged> fill_and_close(const fs::path& directory, std::uint64_t first, std::uint64_t count) {
  std::vector<Acknowledged> acknowledged;
  TestStore store = open_test_store(directory, test_options());
  for (std::uint64_t request_id = first; request_id < first + count; ++request_id) {
    const auto result = store.engine->append(make_batch(store.tenant, request_id));
    REQUIRE(result.has_value());
    acknowledged.push_back({request_id, result->first_offset});
  }
  REQUIRE(store.engine->close().has_value());
  return acknowledged;
}

/// Files but for the lock and RocksDB's text log, which are no part of the store.
std::vector<FileState> store_files(const fs::path& directory) {
  std::vector<FileState> files;
  for (FileState& file : list_files(directory)) {
    const std::string name = fs::path(file.path).filename().string();
    if (name != "LOCK" && !name.starts_with("LOG")) files.push_back(std::move(file));
  }
  return files;
}

void check_refused(const fs::path& directory, ErrorCode code) {
  const std::vector<FileState> before = store_files(directory);
  const auto engine = Engine::open(directory, test_options());
  REQUIRE_FALSE(engine.has_value());
  INFO(engine.error().to_string());
  CHECK(engine.error().code() == code);
  CHECK(store_files(directory) == before);
}

std::string read_bytes(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_bytes(const fs::path& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << bytes;
}

}  // namespace

TEST_CASE("open: a directory that holds other things is not a store", "[faults]") {
  const TemporaryDirectory directory;
  write_bytes(directory.path() / "letter.txt", "dear reader");
  check_refused(directory.path(), ErrorCode::kNotAStore);
}

TEST_CASE("open: a store is only created when asked for", "[faults]") {
  const TemporaryDirectory directory;
  EngineOptions options = test_options();
  options.create_if_missing = false;
  for (const fs::path& path : {directory.path(), directory.path() / "absent"}) {
    const auto engine = Engine::open(path, options);
    REQUIRE_FALSE(engine.has_value());
    CHECK(engine.error().code() == ErrorCode::kStoreMissing);
  }
  CHECK(fs::is_empty(directory.path()));
}

TEST_CASE("open: the anchor absent, empty, cut short or overwritten", "[faults]") {
  const TemporaryDirectory directory;
  fill_and_close(directory.path() / "store", 1, 20);
  const fs::path anchor = directory.path() / "store" / "ANCHOR";
  const std::string whole = read_bytes(anchor);
  REQUIRE(whole.size() > 4096);
  fs::remove(anchor);
  check_refused(directory.path() / "store", ErrorCode::kAnchorDamaged);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{100}, std::size_t{4096}}) {
    INFO("anchor cut to " << size);
    write_bytes(anchor, whole.substr(0, size));
    check_refused(directory.path() / "store", ErrorCode::kAnchorDamaged);
  }
  write_bytes(anchor, std::string(whole.size(), '\xFF'));
  check_refused(directory.path() / "store", ErrorCode::kAnchorDamaged);
  write_bytes(anchor, whole);
  CHECK(Engine::open(directory.path() / "store", test_options()).has_value());
}

TEST_CASE("open: a store of a newer format is refused", "[faults]") {
  const TemporaryDirectory directory;
  fill_and_close(directory.path() / "store", 1, 5);
  const fs::path anchor = directory.path() / "store" / "ANCHOR";
  std::string bytes = read_bytes(anchor);
  for (const std::size_t page : {std::size_t{0}, std::size_t{4096}}) {  // layout: engine/src/head_anchor.hpp
    if (bytes.compare(page, 8, "BAHIANCH") != 0) continue;
    bytes[page + 8] = 99;
    const std::uint64_t checksum = xxh3_64(std::string_view(bytes).substr(page, 120));
    std::memcpy(bytes.data() + page + 120, &checksum, sizeof checksum);
  }
  write_bytes(anchor, bytes);
  check_refused(directory.path() / "store", ErrorCode::kNewerFormat);
}

TEST_CASE("open: an older anchor asks for less than there is", "[faults]") {
  const TemporaryDirectory directory;
  std::vector<Acknowledged> acknowledged = fill_and_close(directory.path() / "store", 1, 20);
  fs::copy_file(directory.path() / "store" / "ANCHOR", directory.path() / "older");
  const auto more = fill_and_close(directory.path() / "store", 100, 20);
  acknowledged.insert(acknowledged.end(), more.begin(), more.end());
  fs::copy_file(directory.path() / "older", directory.path() / "store" / "ANCHOR",
                fs::copy_options::overwrite_existing);
  // Its MANIFEST mark names a file that is gone, so it may be refused; it may not lose anything.
  const auto engine = Engine::open(directory.path() / "store", test_options());
  if (engine) {
    check_history(**engine, *(*engine)->find_tenant("shop"), acknowledged, 0);
  } else {
    INFO(engine.error().to_string());
    CHECK((engine.error().code() == ErrorCode::kAcknowledgedDataMissing ||
           engine.error().code() == ErrorCode::kAnchorDamaged || engine.error().code() == ErrorCode::kCorruptLog));
  }
}

TEST_CASE("open: an older log is refused and not touched", "[faults]") {
  const TemporaryDirectory directory;
  const fs::path store = directory.path() / "store";
  fill_and_close(store, 1, 20);
  fs::copy(store / "log", directory.path() / "older", fs::copy_options::recursive);
  const auto acknowledged = fill_and_close(store, 100, 20);
  fs::rename(store / "log", directory.path() / "newer");
  fs::copy(directory.path() / "older", store / "log", fs::copy_options::recursive);
  check_refused(store, ErrorCode::kAcknowledgedDataMissing);
  fs::remove_all(store / "log");
  check_refused(store, ErrorCode::kAcknowledgedDataMissing);
  fs::rename(directory.path() / "newer", store / "log");
  TestStore healed = open_test_store(store, test_options());
  CHECK(read_batches_back(*healed.engine, healed.tenant).size() == 40);
}

TEST_CASE("open: a damaged or missing index is built anew", "[faults]") {
  const TemporaryDirectory directory;
  const fs::path store = directory.path() / "store";
  const auto acknowledged = fill_and_close(store, 1, 60);
  const bool missing = GENERATE(true, false);
  if (missing) {
    fs::remove_all(store / "idx");
  } else {
    for (const auto& entry : fs::recursive_directory_iterator(store / "idx")) {
      if (entry.path().extension() == ".sst") write_bytes(entry.path(), std::string(4000, 'x'));
    }
  }
  TestStore healed = open_test_store(store, test_options());
  check_history(*healed.engine, healed.tenant, acknowledged, 0);
  const auto report = healed.engine->verify();
  REQUIRE(report.has_value());
  CHECK(report->findings.empty());
  CHECK(report->postings > 0);
}

TEST_CASE("open: no permission", "[faults]") {
  const TemporaryDirectory directory;
  fill_and_close(directory.path() / "store", 1, 5);
  const bool root = ::geteuid() == 0;
  fs::permissions(directory.path() / "store", fs::perms::none);
  if (root) {
    fs::permissions(directory.path(), fs::perms::owner_all | fs::perms::others_exec | fs::perms::group_exec);
    REQUIRE(::seteuid(65534) == 0);
  }
  const auto engine = Engine::open(directory.path() / "store", test_options());
  if (root) REQUIRE(::seteuid(0) == 0);
  fs::permissions(directory.path() / "store", fs::perms::owner_all);
  REQUIRE_FALSE(engine.has_value());
  INFO(engine.error().to_string());
  CHECK(engine.error().code() == ErrorCode::kPermissionDenied);
}

TEST_CASE("a process that holds a store until it is killed", "[.holder]") {
  const char* directory = std::getenv("BAHI_TEST_HOLD");
  REQUIRE(directory != nullptr);
  const TestStore store = open_test_store(fs::path(directory) / "store", test_options());
  write_bytes(fs::path(directory) / "held", "yes");
  while (true) ::pause();
}

TEST_CASE("open: a directory in use by another process", "[faults]") {
  const TemporaryDirectory directory;
  ::setenv("BAHI_TEST_HOLD", directory.path().c_str(), 1);
  std::string program = "holder";
  std::string filter = "[.holder]";
  std::array<char*, 3> arguments{program.data(), filter.data(), nullptr};
  pid_t child = -1;
  REQUIRE(::posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, arguments.data(), environ) == 0);
  for (int tries = 0; tries < 1000 && !fs::exists(directory.path() / "held"); ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  const bool held = fs::exists(directory.path() / "held");
  const auto engine = Engine::open(directory.path() / "store", test_options());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  REQUIRE(held);
  REQUIRE_FALSE(engine.has_value());
  INFO(engine.error().to_string());
  CHECK(engine.error().code() == ErrorCode::kDirectoryInUse);
  CHECK(Engine::open(directory.path() / "store", test_options()).has_value());  // the lock dies with its holder
}

TEST_CASE("open: the same process may not open a store twice", "[faults]") {
  const TemporaryDirectory directory;
  const TestStore store = open_test_store(directory.path() / "store", test_options());
  const auto second = Engine::open(directory.path() / "store", test_options());
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code() == ErrorCode::kDirectoryInUse);
}

}  // namespace bahi::faults
