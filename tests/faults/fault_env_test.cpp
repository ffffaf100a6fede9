// The faulty file system is a detector too, so it has its own controls: it must lose what it says, and only that.
#include <catch2/catch.hpp>

#include <fstream>

#include <rocksdb/db.h>

#include "fault_env.hpp"
#include "workload.hpp"

namespace bahi::faults {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<rocksdb::DB> open_plain(const fs::path& path, rocksdb::Env* env) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.info_log_level = rocksdb::WARN_LEVEL;
  if (env != nullptr) options.env = env;
  rocksdb::DB* raw = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, path.string(), &raw);
  INFO(status.ToString());
  REQUIRE(status.ok());
  return std::unique_ptr<rocksdb::DB>(raw);
}

/// What a process that is killed now would leave: the directory as it is, without closing anything.
bool survives_kill(const fs::path& database, const fs::path& copy, const std::string& key) {
  fs::remove_all(copy);
  fs::copy(database, copy, fs::copy_options::recursive);
  const auto after = open_plain(copy, nullptr);
  std::string value;
  return after->Get(rocksdb::ReadOptions(), key, &value).ok();
}

}  // namespace

TEST_CASE("fault env: a lossy file keeps what was synced and loses the rest", "[faults]") {
  const TemporaryDirectory directory;
  LossOptions loss;
  loss.lossy = GENERATE(true, false);
  FaultEnv env(loss);
  const auto database = open_plain(directory.path() / "db", env.env());
  REQUIRE(database->Put(rocksdb::WriteOptions(), "first", "1").ok());
  REQUIRE(database->SyncWAL().ok());
  REQUIRE(database->Put(rocksdb::WriteOptions(), "second", "2").ok());
  CHECK(survives_kill(directory.path() / "db", directory.path() / "copy", "first"));
  CHECK(survives_kill(directory.path() / "db", directory.path() / "copy", "second") == !loss.lossy);
  REQUIRE(database->SyncWAL().ok());
  CHECK(survives_kill(directory.path() / "db", directory.path() / "copy", "second"));
}

TEST_CASE("fault env: leaked bytes never outlive a torn record as data", "[faults]") {
  const TemporaryDirectory directory;
  LossOptions loss;
  loss.lossy = true;
  loss.leak_one_in = 1;
  loss.seed = 3;
  FaultEnv env(loss);
  const auto database = open_plain(directory.path() / "db", env.env());
  for (int number = 0; number < 50; ++number) {
    const std::string key = "key" + std::to_string(number);
    REQUIRE(database->Put(rocksdb::WriteOptions(), key, std::string(3000, 'v')).ok());
    if (number % 2 != 0) continue;
    REQUIRE(database->SyncWAL().ok());
    CHECK(survives_kill(directory.path() / "db", directory.path() / "copy", key));
  }
}

TEST_CASE("fault env: the N-th operation fails, once or from then on", "[faults]") {
  const TemporaryDirectory directory;
  FaultEnv env;
  const bool sticky = GENERATE(true, false);
  std::unique_ptr<rocksdb::FSWritableFile> file;
  const rocksdb::IOOptions io;
  REQUIRE(env.files().NewWritableFile((directory.path() / "file").string(), {}, &file, nullptr).ok());
  env.files().reset();
  env.files().fail(Operation::kSync, 2, Fault::kIoError, sticky);
  CHECK(file->Sync(io, nullptr).ok());
  CHECK(file->Sync(io, nullptr).IsIOError());
  CHECK(file->Sync(io, nullptr).ok() == !sticky);
  CHECK(env.files().count(Operation::kSync) == 3);
  CHECK(env.files().failures() == (sticky ? 2U : 1U));

  env.files().fail(Operation::kWrite, 2, Fault::kNoSpace, sticky);
  CHECK(file->Append("whole", io, nullptr).ok());
  CHECK(file->Append("half", io, nullptr).IsNoSpace());
  REQUIRE(file->Close(io, nullptr).ok());
  CHECK(fs::file_size(directory.path() / "file") == 7);  // a failed write stores a part
}

TEST_CASE("fault env: a byte budget is a disk that fills and gets space back", "[faults]") {
  const TemporaryDirectory directory;
  FaultEnv env;
  env.files().set_byte_budget(10);
  std::unique_ptr<rocksdb::FSWritableFile> file;
  const rocksdb::IOOptions io;
  REQUIRE(env.files().NewWritableFile((directory.path() / "file").string(), {}, &file, nullptr).ok());
  CHECK(file->Append("12345678", io, nullptr).ok());
  CHECK(file->Append("12345678", io, nullptr).IsNoSpace());
  env.files().set_byte_budget(100);
  CHECK(file->Append("12345678", io, nullptr).ok());
}

TEST_CASE("fault env: names are forgotten unless their directory was synced", "[faults]") {
  const TemporaryDirectory directory;
  const fs::path data = directory.path() / "data";
  const fs::path names = directory.path() / "names";
  fs::create_directory(data);
  const auto write = [&](const char* name, const char* text) { std::ofstream(data / name) << text; };
  const bool synced = GENERATE(true, false);
  bool all_forgotten = false;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (const auto& entry : fs::directory_iterator(data)) fs::remove(entry.path());
    write("target", "old");
    write("deleted", "back");
    {
      NameJournal journal(names);
      journal.creating((data / "created").string());
      write("created", "new");
      journal.renaming((data / "created").string(), (data / "target").string());
      fs::rename(data / "created", data / "target");
      journal.deleting((data / "deleted").string());
      fs::remove(data / "deleted");
      if (synced) journal.synced(data.string() + "/");
    }
    const std::size_t forgotten = forget_unsynced_names(names, seed);
    if (synced) CHECK(forgotten == 0);
    CHECK(fs::exists(data / "deleted") == (forgotten >= 1));
    std::string text;
    std::ifstream(data / "target") >> text;
    CHECK(text == (forgotten >= 2 ? "old" : "new"));
    CHECK(fs::exists(data / "created") == (forgotten == 2));
    all_forgotten = all_forgotten || forgotten == 3;
    CHECK_FALSE(fs::exists(names));
  }
  CHECK(all_forgotten == !synced);
}

}  // namespace bahi::faults
