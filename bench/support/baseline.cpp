#include "baseline.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <system_error>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <unistd.h>

#include "bahi/schemas/bytes.hpp"
#include "machine.hpp"
#include "scratch.hpp"

namespace bahi::bench {
namespace {

constexpr std::uint64_t kRawFileBytesMax = std::uint64_t{1} << 30U;

void require_ok(const rocksdb::Status& status, std::string_view what) {
  if (!status.ok()) fail(fmt::format("{}: {}", what, status.ToString()));
}

void write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(fmt::format("raw baseline: write: {}", std::generic_category().message(errno)));
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

RawFile::RawFile(std::filesystem::path path) : path_(std::move(path)) {
  start_anew();
}

RawFile::~RawFile() {
  if (file_ >= 0) ::close(file_);
}

void RawFile::start_anew() {
  if (file_ >= 0) ::close(file_);
  ::unlink(path_.c_str());
  file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file_ < 0) fail(fmt::format("{}: {}", path_.string(), std::generic_category().message(errno)));
  size_ = 0;
}

Slice RawFile::run(double seconds, std::size_t batch_bytes, std::size_t batches_per_sync, Histogram& sync_latency) {
  Random random(batch_bytes);
  while (buffer_.size() < batch_bytes) buffer_ += static_cast<char>(random.next() >> 56U);
  Slice slice;
  const std::uint64_t start = now_nanos();
  const std::uint64_t end = start + static_cast<std::uint64_t>(seconds * 1e9);
  std::uint64_t now = start;
  while (now < end) {
    if (size_ > kRawFileBytesMax) start_anew();
    for (std::size_t i = 0; i < batches_per_sync; ++i)
      write_all(file_, std::string_view(buffer_).substr(0, batch_bytes));
    if (::fdatasync(file_) != 0)
      fail(fmt::format("raw baseline: fdatasync: {}", std::generic_category().message(errno)));
    size_ += batch_bytes * batches_per_sync;
    slice.batches += batches_per_sync;
    const std::uint64_t after = now_nanos();
    sync_latency.record(after - now);
    now = after;
  }
  slice.seconds = static_cast<double>(now - start) / 1e9;
  return slice;
}

PlainRocks::PlainRocks(const std::filesystem::path& directory) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.compression = rocksdb::kLZ4Compression;
  options.info_log_level = rocksdb::WARN_LEVEL;
  rocksdb::DB* db = nullptr;
  require_ok(rocksdb::DB::Open(options, directory.string(), &db), "plain RocksDB: open");
  db_.reset(db);
}

PlainRocks::~PlainRocks() = default;

Slice PlainRocks::run(double seconds, const Workload& workload, std::size_t batch, unsigned threads,
                      Histogram& latency) {
  std::atomic<std::uint64_t> key{next_key_};
  std::atomic<std::uint64_t> batches{0};
  const std::uint64_t start = now_nanos();
  const std::uint64_t end = start + static_cast<std::uint64_t>(seconds * 1e9);
  const auto work = [&](std::uint64_t number) {
    EventSource source(workload, number);
    rocksdb::WriteOptions durable;
    durable.sync = true;
    rocksdb::WriteBatch write;
    std::string key_bytes;
    for (std::uint64_t now = now_nanos(); now < end;) {
      write.Clear();
      const std::uint64_t first = key.fetch_add(batch, std::memory_order_relaxed);
      for (std::uint64_t i = 0; i < batch; ++i) {
        key_bytes.clear();
        bytes::put_be64(key_bytes, first + i);
        const std::string_view data = source.next_data();
        require_ok(write.Put(key_bytes, rocksdb::Slice(data.data(), data.size())), "plain RocksDB: put");
      }
      const std::uint64_t submitted = now_nanos();
      require_ok(db_->Write(durable, &write), "plain RocksDB: write");
      now = now_nanos();
      latency.record(now - submitted);
      batches.fetch_add(1, std::memory_order_relaxed);
    }
  };
  std::vector<std::thread> pool;
  for (unsigned i = 0; i < threads; ++i) pool.emplace_back(work, runs_++);
  for (std::thread& thread : pool) thread.join();
  next_key_ = key.load();
  Slice slice;
  slice.seconds = static_cast<double>(now_nanos() - start) / 1e9;
  slice.batches = batches.load();
  slice.events = slice.batches * batch;
  return slice;
}

void PlainRocks::fill(const Workload& workload, std::uint64_t events) {
  EventSource source(workload, 0);
  rocksdb::WriteBatch write;
  std::string key_bytes;
  for (std::uint64_t done = 0; done < events;) {
    write.Clear();
    for (std::uint64_t i = 0; i < 1000 && done < events; ++i, ++done) {
      key_bytes.clear();
      bytes::put_be64(key_bytes, next_key_++);
      const std::string_view data = source.next_data();
      require_ok(write.Put(key_bytes, rocksdb::Slice(data.data(), data.size())), "plain RocksDB: put");
    }
    require_ok(db_->Write({}, &write), "plain RocksDB: write");
  }
  require_ok(db_->Flush({}), "plain RocksDB: flush");
}

Slice PlainRocks::scan() {
  Slice slice;
  rocksdb::ReadOptions options;
  options.readahead_size = std::size_t{4} << 20U;
  options.fill_cache = false;
  std::uint64_t sum = 0;
  const std::uint64_t start = now_nanos();
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options));
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    sum += bytes::get_be64(it->key().data()) + static_cast<unsigned char>(it->value()[it->value().size() - 1]);
    ++slice.events;
  }
  require_ok(it->status(), "plain RocksDB: scan");
  slice.seconds = static_cast<double>(now_nanos() - start) / 1e9;
  if (sum == 0) fail("plain RocksDB: the scan read nothing");
  return slice;
}

std::uint64_t PlainRocks::flushed_bytes() {
  require_ok(db_->Flush({}), "plain RocksDB: flush");
  std::uint64_t bytes = 0;
  db_->GetIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &bytes);
  return bytes;
}

}  // namespace bahi::bench
