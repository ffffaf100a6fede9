#include <atomic>
#include <fstream>
#include <thread>

#include <rocksdb/db.h>

#include "engine_fixture.hpp"
#include "wal_file_system.hpp"

using namespace bahi;
using namespace bahi::test;
namespace fs = std::filesystem;

namespace {

std::unique_ptr<rocksdb::DB> open_database(const fs::path& directory) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.env = wal_env(WalReading::kAll);
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, directory.string(), &db);
  INFO(status.ToString());
  REQUIRE(status.ok());
  return std::unique_ptr<rocksdb::DB>(db);
}

void put(rocksdb::DB& db, int number, std::size_t bytes) {
  rocksdb::WriteOptions options;
  options.sync = true;
  REQUIRE(db.Put(options, std::to_string(number), std::string(bytes, 'x')).ok());
}

bool has(rocksdb::DB& db, int number) {
  std::string value;
  return db.Get(rocksdb::ReadOptions(), std::to_string(number), &value).ok();
}

fs::path newest_wal(const fs::path& directory) {
  fs::path newest;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == ".log" && entry.path() > newest) newest = entry.path();
  }
  return newest;
}

/// What a reader of the write-ahead log is given.
std::string read_through(const fs::path& path, WalReading reading) {
  std::unique_ptr<rocksdb::FSSequentialFile> file;
  REQUIRE(wal_env(reading)->GetFileSystem()->NewSequentialFile(path.string(), rocksdb::FileOptions(), &file, nullptr).ok());
  std::string all;
  std::string scratch(32768, '\0');
  for (;;) {
    rocksdb::Slice piece;
    REQUIRE(file->Read(scratch.size(), rocksdb::IOOptions(), &piece, scratch.data(), nullptr).ok());
    all.append(piece.data(), piece.size());
    if (piece.size() < scratch.size()) return all;
  }
}

}  // namespace

TEST_CASE("write-ahead log: small syncs do not lengthen the file, a close trims it", "[engine][wal]") {
  TemporaryDirectory directory;
  auto db = open_database(directory.path());
  put(*db, 0, 100);
  const fs::path wal = newest_wal(directory.path());
  const auto size = fs::file_size(wal);
  REQUIRE(size > 100'000);
  for (int number = 1; number < 500; ++number) put(*db, number, 100);
  CHECK(fs::file_size(wal) == size);
  const std::string content = read_through(wal, WalReading::kAll);
  CHECK(content.size() > 500 * 100);
  CHECK(content.size() < 500 * 200);
  REQUIRE(db->Close().ok());
  CHECK(fs::file_size(wal) == content.size());
  db.reset();
  db = open_database(directory.path());
  for (int number = 0; number < 500; ++number) REQUIRE(has(*db, number));
}

TEST_CASE("write-ahead log: large syncs are not written twice", "[engine][wal]") {
  TemporaryDirectory directory;
  const auto db = open_database(directory.path());
  put(*db, 0, 300'000);
  put(*db, 1, 300'000);
  put(*db, 2, 300'000);
  const fs::path wal = newest_wal(directory.path());
  CHECK(fs::file_size(wal) == read_through(wal, WalReading::kAll).size());
}

TEST_CASE("write-ahead log: a killed process leaves zeros that recovery does not see", "[engine][wal]") {
  const int count = GENERATE(1, 7, 2000);  // within a block, and over many
  TemporaryDirectory directory;
  const auto db = open_database(directory.path() / "db");
  for (int number = 0; number < count; ++number) put(*db, number, 1 + static_cast<std::size_t>(number) * 37 % 900);
  fs::copy(directory.path() / "db", directory.path() / "copy", fs::copy_options::recursive);
  const std::string raw = contents_of(newest_wal(directory.path() / "copy"));
  const std::string given = read_through(newest_wal(directory.path() / "copy"), WalReading::kAll);
  REQUIRE(given.size() < raw.size());
  CHECK(raw.starts_with(given));
  CHECK(raw.find_first_not_of('\0', given.size()) == std::string::npos);
  const auto copy = open_database(directory.path() / "copy");
  for (int number = 0; number < count; ++number) REQUIRE(has(*copy, number));
  CHECK_FALSE(has(*copy, count));
}

TEST_CASE("write-ahead log: a reader beside the writer is not given a record before it is whole", "[engine][wal]") {
  TemporaryDirectory directory;
  const auto db = open_database(directory.path() / "db");
  put(*db, 0, 100);
  put(*db, 1, 100);
  const fs::path wal = newest_wal(directory.path() / "db");
  const std::string whole = read_through(wal, WalReading::kWholeOnly);
  put(*db, 2, 100);
  const std::string longer = read_through(wal, WalReading::kWholeOnly);
  REQUIRE(longer.size() > whole.size());
  CHECK(longer == read_through(wal, WalReading::kAll));
  std::string raw = contents_of(wal);
  for (std::size_t place = whole.size(); place < longer.size(); ++place) {
    const fs::path torn = directory.path() / "torn.log";
    std::ofstream(torn, std::ios::binary) << raw.substr(0, place) << std::string(raw.size() - place, '\0');
    REQUIRE(read_through(torn, WalReading::kWholeOnly) == whole);
  }
}

TEST_CASE("write-ahead log: a follower sees every record, though it looks all the time", "[engine][wal]") {
  constexpr int kCount = 3000;
  TemporaryDirectory directory;
  const auto db = open_database(directory.path() / "db");
  put(*db, 0, 10);
  rocksdb::Options options;
  options.env = wal_env(WalReading::kWholeOnly);
  options.max_open_files = -1;
  rocksdb::DB* opened = nullptr;
  REQUIRE(rocksdb::DB::OpenAsSecondary(options, (directory.path() / "db").string(),
                                       (directory.path() / "secondary").string(), &opened)
              .ok());
  const std::unique_ptr<rocksdb::DB> follower(opened);
  std::atomic<int> written{0};
  std::thread writer([&] {
    rocksdb::WriteOptions unsynced;
    for (int number = 1; number <= kCount; ++number) {
      const std::string value(1 + static_cast<std::size_t>(number) * 53 % 3000, '\0');
      if (!db->Put(unsynced, std::to_string(number), value).ok()) break;
      written.store(number);
    }
  });
  bool sound = true;
  while (sound && written.load() < kCount) {
    const int expected = written.load();
    sound = follower->TryCatchUpWithPrimary().ok() && has(*follower, expected);
  }
  writer.join();
  CHECK(sound);
  REQUIRE(follower->TryCatchUpWithPrimary().ok());
  for (int number = 0; number <= kCount; ++number) REQUIRE(has(*follower, number));
}
