#include <cstring>
#include <fstream>

#include <rocksdb/options.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/table.h>

#include "bahi/schemas/bytes.hpp"
#include "engine_fixture.hpp"
#include "sst_check.hpp"

using namespace bahi;
using namespace bahi::test;

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFooterBytes = 53;

/// A file in memory that counts how often it is read.
class StringFile final : public rocksdb::FSRandomAccessFile {
 public:
  explicit StringFile(const std::string& bytes) : bytes_(bytes) {}
  rocksdb::IOStatus Read(std::uint64_t offset, std::size_t size, const rocksdb::IOOptions&, rocksdb::Slice* result,
                         char* scratch, rocksdb::IODebugContext*) const override {
    ++reads;
    size = offset >= bytes_.size() ? 0 : std::min(size, bytes_.size() - offset);
    if (size > 0) std::memcpy(scratch, bytes_.data() + offset, size);
    *result = rocksdb::Slice(scratch, size);
    return rocksdb::IOStatus::OK();
  }
  mutable int reads = 0;

 private:
  const std::string& bytes_;
};

bool passes(const std::string& bytes) {
  return check_sst("file.sst", StringFile(bytes), bytes.size()).ok();
}

void write_contents(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

std::vector<fs::path> sorted_files(const fs::path& directory) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == ".sst") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// Where the metaindex begins; the properties end right before it.
std::uint64_t metaindex_offset(const std::string& bytes) {
  std::string_view handle = std::string_view(bytes).substr(bytes.size() - kFooterBytes + 1);
  std::uint64_t offset = 0;
  REQUIRE(bytes::take_varint(handle, offset));
  return offset;
}

/// The bit that makes RocksDB 7.8.3 end the process: the top one of the properties' number of restarts.
void flip_assertion_bit(const fs::path& path) {
  std::string bytes = contents_of(path);
  bytes[metaindex_offset(bytes) - 5 - 1] ^= static_cast<char>(0x80);
  write_contents(path, bytes);
}

/// A closed store whose log and index have several files, some of them compacted.
void fill_store(const fs::path& directory) {
  EngineOptions options = small_options();
  options.index_delta_postings_max = 20;
  for (int life = 0; life < 3; ++life) {
    const auto engine = open_engine(directory, options);
    const auto known = engine->find_tenant("shop");
    const TenantId tenant = known ? *known : engine->create_tenant("shop").value();
    for (int i = 0; i < 200; ++i) {
      REQUIRE(append(*engine, tenant, {{"order-" + std::to_string(i), "placed", "{}", {"all"}}}));
    }
    REQUIRE(engine->flush());
  }
}

/// A file of three entries, in a format of RocksDB's.
std::string foreign_file(const fs::path& path, std::uint32_t format_version, rocksdb::ChecksumType checksum) {
  rocksdb::BlockBasedTableOptions table;
  table.format_version = format_version;
  table.checksum = checksum;
  rocksdb::Options options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  rocksdb::SstFileWriter writer(rocksdb::EnvOptions(), options);
  REQUIRE(writer.Open(path.string()).ok());
  for (const char* key : {"a", "b", "c"}) REQUIRE(writer.Put(key, "value").ok());
  REQUIRE(writer.Finish().ok());
  return contents_of(path);
}

}  // namespace

TEST_CASE("sst check: files that were flushed, ingested or compacted pass, in one read each", "[engine][sst]") {
  const TemporaryDirectory directory;
  fill_store(directory.path());
  for (const char* database : {"log", "idx"}) {
    const auto files = sorted_files(directory.path() / database);
    REQUIRE_FALSE(files.empty());  // how many depends on whether a compaction has run
    for (const fs::path& path : files) {
      const std::string bytes = contents_of(path);
      const StringFile file(bytes);
      INFO(path);
      CHECK(check_sst(path, file, bytes.size()).ToString() == "OK");
      CHECK(file.reads == 1);
    }
  }
}

TEST_CASE("sst check: any flipped bit of the properties and the metaindex is noticed", "[engine][sst]") {
  const TemporaryDirectory directory;
  fill_store(directory.path());
  for (const char* database : {"log", "idx"}) {
    const fs::path path = sorted_files(directory.path() / database).front();
    std::string bytes = contents_of(path);
    const std::uint64_t metaindex = metaindex_offset(bytes);
    const std::uint64_t footer = bytes.size() - kFooterBytes;
    std::uint64_t noticed_bytes = 0;
    for (std::uint64_t place = footer; place-- > 0;) {
      unsigned noticed = 0;
      for (unsigned bit = 0; bit < 8; ++bit) {
        bytes[place] = static_cast<char>(bytes[place] ^ (1U << bit));
        noticed += passes(bytes) ? 0 : 1;
        bytes[place] = static_cast<char>(bytes[place] ^ (1U << bit));
      }
      if (noticed == 0) break;  // in front of the properties
      CHECK(noticed == 8);
      ++noticed_bytes;
    }
    INFO(path << ": " << noticed_bytes << " bytes");
    const std::size_t begin = footer - noticed_bytes;
    CHECK(begin < metaindex);
    // The first and the last property, by name.
    CHECK(bytes.find("rocksdb.block.based.table.index.type") > begin);
    CHECK(bytes.rfind("rocksdb.tail.start.offset", metaindex) > begin);
  }
}

TEST_CASE("sst check: a cut or overwritten end is noticed", "[engine][sst]") {
  const TemporaryDirectory directory;
  fill_store(directory.path());
  const std::string whole = contents_of(sorted_files(directory.path() / "log").front());
  for (std::size_t size = 0; size < whole.size(); size += size < whole.size() - 3000 ? 997 : 1) {
    CHECK_FALSE(passes(whole.substr(0, size)));
  }
  for (std::size_t place = whole.size() - kFooterBytes; place < whole.size(); ++place) {
    std::string damaged = whole;
    std::fill(damaged.begin() + static_cast<std::ptrdiff_t>(place), damaged.end(), '\0');
    CHECK_FALSE(passes(damaged));
  }
}

TEST_CASE("sst check: other formats of RocksDB's are left to it, one without checksums is not", "[engine][sst]") {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "foreign.sst";
  for (const std::uint32_t version : {0U, 2U, 4U, 5U}) {
    for (const rocksdb::ChecksumType checksum :
         {rocksdb::kCRC32c, rocksdb::kxxHash, rocksdb::kxxHash64, rocksdb::kXXH3}) {
      INFO("version " << version << ", checksum " << static_cast<int>(checksum));
      CHECK(passes(foreign_file(path, version, checksum)));
    }
  }
  CHECK_FALSE(passes(foreign_file(path, 5, rocksdb::kNoChecksum)));
}

TEST_CASE("sst check: a log file with the bit that makes RocksDB assert is named, and nothing is touched",
          "[engine][sst]") {
  const TemporaryDirectory directory;
  fill_store(directory.path());
  const fs::path damaged = sorted_files(directory.path() / "log").back();
  const std::string whole = contents_of(damaged);
  flip_assertion_bit(damaged);
  const auto before = sorted_files(directory.path() / "log");
  EngineOptions options = small_options();
  options.read_only = GENERATE(false, true);
  const auto opened = Engine::open(directory.path(), options);
  REQUIRE(opened.has_error());
  INFO(opened.error().to_string());
  CHECK(opened.error().code() == ErrorCode::kCorruptLog);
  CHECK(opened.error().message().find(damaged.filename().string()) != std::string::npos);
  CHECK(sorted_files(directory.path() / "log") == before);
  write_contents(damaged, whole);
  require_sound(*open_engine(directory.path()));
}

TEST_CASE("sst check: an index file with the bit that makes RocksDB assert is built anew", "[engine][sst]") {
  const TemporaryDirectory directory;
  fill_store(directory.path());
  for (const fs::path& path : sorted_files(directory.path() / "idx")) flip_assertion_bit(path);
  EngineOptions read_only = small_options();
  read_only.read_only = true;
  const auto reader = Engine::open(directory.path(), read_only);
  REQUIRE(reader.has_error());
  CHECK(reader.error().code() == ErrorCode::kIndexDamaged);
  const auto engine = open_engine(directory.path());
  CHECK(read_all(*engine, of_stream(engine->find_tenant("shop").value(), "order-7")).size() == 3);
  require_sound(*engine);
}

TEST_CASE("sst check: what an interrupted flush left behind does not count", "[engine][sst]") {
  const TemporaryDirectory directory;
  fill_store(directory.path());
  for (const char* database : {"log", "idx"}) {
    const fs::path leftover = directory.path() / database / "999999.sst";
    std::string bytes = contents_of(sorted_files(directory.path() / database).back());
    bytes[metaindex_offset(bytes) - 20] ^= 1;  // a torn page, behind it a whole footer
    write_contents(leftover, bytes);
  }
  EngineOptions read_only = small_options();
  read_only.read_only = true;
  require_sound(*open_engine(directory.path(), read_only));
  require_sound(*open_engine(directory.path()));
}
