#include "workload.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include <fmt/format.h>

#include "bahi/schemas/hash.hpp"

namespace bahi::faults {
namespace {

std::string payload(Random& random) {
  std::size_t size = random.between(10, 300);
  if (random.one_in(200)) size = 60'000;
  std::string text;
  text.reserve(size + 32);
  while (text.size() < size) {
    text += random.one_in(3) ? fmt::format("\"n\":{},", random.next()) : std::string("\"warehouse\":\"north\",");
  }
  return text;
}

}  // namespace

std::uint64_t Random::next() {
  state_ += 0x9E3779B97F4A7C15ULL;
  std::uint64_t value = state_;
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31U);
}

std::string hot_stream(std::uint64_t number) {
  return fmt::format("account-{}", number);
}
std::optional<std::uint32_t> hot_stream_number(const std::string& name) {
  constexpr std::string_view kPrefix = "account-";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  return static_cast<std::uint32_t>(std::strtoul(name.c_str() + kPrefix.size(), nullptr, 10));
}
std::string tag_name(std::uint64_t number) {
  return fmt::format("tag:{}", number);
}
std::string type_name(std::uint64_t number) {
  return fmt::format("type-{}", number);
}
std::string category_name(std::uint64_t number) {
  return number == 0 ? "account" : "order";
}

std::vector<PlannedEvent> plan_events(std::uint64_t request_id, std::uint64_t seed, std::uint32_t events_max) {
  Random random(seed);
  const std::uint64_t count = random.between(1, events_max);
  std::vector<std::string> streams;
  for (std::uint64_t left = random.between(1, 3); left > 0; --left) {
    streams.push_back(random.one_in(4) ? fmt::format("order-{}-{}", request_id, left)
                                       : hot_stream(random.below(kHotStreams)));
  }
  std::vector<PlannedEvent> events(count);
  for (std::uint64_t index = 0; index < count; ++index) {
    PlannedEvent& event = events[index];
    event.id = {request_id, index};
    event.stream = streams[random.below(streams.size())];
    event.type = type_name(random.below(kTypes));
    event.data = payload(random);
    for (std::uint64_t tags = random.below(3); tags > 0; --tags) {
      const std::string tag = tag_name(random.below(kTags));
      if (std::find(event.tags.begin(), event.tags.end(), tag) == event.tags.end()) event.tags.push_back(tag);
    }
    if (random.one_in(2)) event.actor = fmt::format("clerk-{}", random.below(9));
    event.occurred_at = {static_cast<std::int64_t>(random.below(std::uint64_t{1} << 60U))};
  }
  return events;
}

Result<EncodedBody> encode_events(const std::vector<PlannedEvent>& events, std::uint64_t seed) {
  BatchBuilderOptions options;
  options.codec = static_cast<Codec>(seed % 3);
  BatchBuilder builder(options);
  for (const PlannedEvent& planned : events) {
    NewEvent event;
    event.stream = planned.stream;
    event.type = planned.type;
    event.data = planned.data;
    event.content_type = "text/plain";
    event.occurred_at = planned.occurred_at;
    event.id = planned.id;
    event.tags.assign(planned.tags.begin(), planned.tags.end());
    event.metadata.actor = planned.actor;
    BAHI_TRY(builder.add(event));
  }
  return builder.finish();
}

std::string_view difference(const PlannedEvent& planned, const EventView& found) {
  if (planned.id != found.id) return "id";
  if (planned.stream != found.stream) return "stream";
  if (planned.type != found.type) return "type";
  if (planned.data != found.data) return "data";
  if (!std::equal(planned.tags.begin(), planned.tags.end(), found.tags.begin(), found.tags.end())) return "tags";
  if (planned.actor != found.metadata.actor) return "metadata";
  if (planned.occurred_at != found.occurred_at) return "occurred_at";
  if (found.content_type != "text/plain") return "content type";
  return {};
}

TemporaryDirectory::TemporaryDirectory(const std::filesystem::path& parent) {
  std::string pattern = ((parent.empty() ? std::filesystem::temp_directory_path() : parent) / "bahi-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make the directory " + pattern);
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  if (!kept_) std::filesystem::remove_all(path_, ignored);
}

Hash128 hash_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return xxh3_128(std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>()));
}

std::vector<FileState> list_files(const std::filesystem::path& directory) {
  std::vector<FileState> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    files.push_back(
        {std::filesystem::relative(entry.path(), directory).string(), entry.file_size(), hash_file(entry.path())});
  }
  std::sort(files.begin(), files.end(), [](const FileState& a, const FileState& b) { return a.path < b.path; });
  return files;
}

std::uint64_t content_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  return bytes.find_last_not_of('\0') + 1;  // npos + 1 = 0
}

std::vector<FileState> list_contents(const std::filesystem::path& directory) {
  std::vector<FileState> files = list_files(directory);
  for (FileState& file : files) {
    if (file.path.ends_with(".log")) file.size = content_bytes(directory / file.path);
  }
  return files;
}

}  // namespace bahi::faults
