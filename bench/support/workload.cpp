#include "workload.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "bahi/schemas/batch_builder.hpp"
#include "bahi/schemas/limits.hpp"
#include "bahi/workload/words.hpp"
#include "machine.hpp"
#include "scratch.hpp"

namespace bahi::bench {
namespace {

using workload::pick;
using workload::text_word;
namespace words = workload::words;

constexpr std::size_t kPoolBytesMax = std::size_t{64} << 20U;
/// What the fixed parts of the longest event need.
constexpr std::size_t kJsonBytesMin = 208;
constexpr std::uint64_t kCustomers = 10'000;
constexpr std::uint64_t kSkus = 2'000;
constexpr std::int64_t kStartSeconds = 1'767'225'600;  // 2026-01-01T00:00:00Z

std::string token(Random& random, std::size_t length) {
  constexpr std::string_view kAlphabet = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::string text(length, '0');
  for (char& c : text) c = kAlphabet[random.below(kAlphabet.size())];
  return text;
}

std::string clock_text(std::uint64_t index) {
  const std::uint64_t millis = index * 37U;
  const std::uint64_t seconds = millis / 1000U;
  return fmt::format("2026-01-{:02}T{:02}:{:02}:{:02}.{:03}Z", 1U + seconds / 86'400U % 28U, seconds / 3600U % 24U,
                     seconds / 60U % 60U, seconds % 60U, millis % 1000U);
}

/// Fills `text` up to `size` bytes, `tail` included: one turn in two a phrase, else a single word.
void pad_with_text(std::string& text, std::string_view tail, std::size_t size, Random& random) {
  while (text.size() + tail.size() < size) {
    text += random.below(2) == 0 ? pick(words::kPhrases, random) : text_word(random);
    text += ' ';
  }
  if (text.size() + tail.size() > size) text.resize(size - tail.size());
  text += tail;
}

struct Who {
  std::uint64_t customer;
  std::string_view first;
  std::string_view last;
};

/// A customer always has the same name.
Who some_customer(Random& random) {
  const std::uint64_t number = random.below(kCustomers);
  Random own(number);
  const std::string_view first = pick(words::kFirstNames, own);
  return {number, first, pick(words::kLastNames, own)};
}

struct Sku {
  std::uint64_t number;
  std::string_view product;
  std::uint64_t price_paise;
};

Sku some_sku(Random& random) {
  const std::uint64_t number = random.below(kSkus);
  Random own(number + 77'777U);
  const std::string_view product = pick(words::kProducts, own);
  return {number, product, 500U * (1U + own.below(400))};
}

std::string chat_json(bool second, std::uint64_t index, std::size_t size, Random& random,
                      std::vector<std::string>& tags) {
  const Who who = some_customer(random);
  std::string text = fmt::format(R"({{"message_id":"{}","room":"{}","sender":{{"id":"C-{:06}","name":"{} {}"}},)",
                                 token(random, 12), pick(words::kRooms, random), who.customer, who.first, who.last);
  if (second)
    text += fmt::format(R"("reaction":"{}","in_reply_to":"{}",)", pick(words::kReactions, random), token(random, 12));
  text += fmt::format(R"("sent_at":"{}","text":")", clock_text(index));
  pad_with_text(text, "\"}", size, random);
  tags = {fmt::format("customer:C-{:06}", who.customer)};
  return text;
}

std::string order_json(bool second, std::uint64_t index, std::size_t size, Random& random,
                       std::vector<std::string>& tags) {
  const Who who = some_customer(random);
  const Sku sku = some_sku(random);
  const std::uint64_t quantity = 1U + random.below(6);
  std::string text = fmt::format(R"({{"order_id":"{}","customer":{{"id":"C-{:06}","name":"{} {}"}},)"
                                 R"("sku":"SKU-{:05}","product":"{}","quantity":{},"total_paise":{},"currency":"INR",)",
                                 token(random, 12), who.customer, who.first, who.last, sku.number, sku.product,
                                 quantity, quantity * sku.price_paise);
  text += fmt::format(R"("{}_at":"{}","note":")", second ? "shipped" : "placed", clock_text(index));
  pad_with_text(text, "\"}", size, random);
  tags = {fmt::format("customer:C-{:06}", who.customer), fmt::format("sku:SKU-{:05}", sku.number)};
  return text;
}

std::string payment_json(bool second, std::uint64_t index, std::size_t size, Random& random,
                         std::vector<std::string>& tags) {
  const Who who = some_customer(random);
  const Sku sku = some_sku(random);
  std::string text = fmt::format(
      R"({{"payment_id":"{}","order_number":{},"customer":{{"id":"C-{:06}","name":"{} {}"}},)"
      R"("amount_paise":{},"currency":"INR","method":"{}","status":"{}",)",
      token(random, 12), 1'000'000U + index, who.customer, who.first, who.last,
      sku.price_paise * (1U + random.below(6)), pick(words::kMethods, random), second ? "refunded" : "captured");
  text += fmt::format(R"("at":"{}","note":")", clock_text(index));
  pad_with_text(text, "\"}", size, random);
  tags = {fmt::format("customer:C-{:06}", who.customer)};
  return text;
}

std::string stock_json(bool second, std::uint64_t index, std::size_t size, Random& random,
                       std::vector<std::string>& tags) {
  const Sku sku = some_sku(random);
  const Who who = some_customer(random);
  std::string text = fmt::format(R"({{"sku":"SKU-{:05}","product":"{}","warehouse":"{}-{}","batch":"B-2026-{:03}",)"
                                 R"("delta":{}{},"on_hand":{},"unit_price_paise":{},"operator":"{} {}",)",
                                 sku.number, sku.product, pick(words::kCities, random), 1U + random.below(3),
                                 random.below(365), second ? "" : "-", 1U + random.below(second ? 500 : 9),
                                 random.below(2000), sku.price_paise, who.first, who.last);
  text += fmt::format(R"("recorded_at":"{}","remark":")", clock_text(index));
  pad_with_text(text, "\"}", size, random);
  tags = {fmt::format("sku:SKU-{:05}", sku.number), fmt::format("batch:B-2026-{:03}", random.below(365))};
  return text;
}

std::string random_bytes(std::size_t size, Random& random) {
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random.next() >> 56U);
  return bytes;
}

}  // namespace

Status check(const WorkloadOptions& options) {
  const auto wrong = [](std::string message) { return Error{ErrorCode::kInvalidArgument, std::move(message)}; };
  if (options.streams == 0) return wrong("streams: must be at least 1");
  if (options.data_bytes == 0 || options.data_bytes > kEventDataBytesMax)
    return wrong(fmt::format("event size: must be 1 to {} bytes", kEventDataBytesMax));
  if (options.kind == DataKind::kJson && options.data_bytes < kJsonBytesMin)
    return wrong(
        fmt::format("event size: JSON events need at least {} bytes; random data may be smaller", kJsonBytesMin));
  return {};
}

Workload::Workload(const WorkloadOptions& options) : options_(options) {
  require(check(options), "the workload");
  using Maker = std::string (*)(bool, std::uint64_t, std::size_t, Random&, std::vector<std::string>&);
  constexpr std::array<Maker, kCategories> kMakers{chat_json, order_json, payment_json, stock_json};
  const std::size_t pool = std::min(options.pool_events, kPoolBytesMax / options.data_bytes);
  const std::size_t count = std::max(pool / kCategories, std::size_t{16});
  for (std::string& bytes : bytes_) bytes.reserve(count * options.data_bytes);  // views must stay good
  Random random(options.seed);
  for (std::uint64_t i = 0; i < count * kCategories; ++i) {
    const std::size_t category = i % kCategories;
    const bool second = random.below(8) == 0;
    Item item;
    std::string data = kMakers[category](second, i, std::max(options.data_bytes, kJsonBytesMin), random, item.tags);
    if (options.kind == DataKind::kRandom) data = random_bytes(options.data_bytes, random);
    std::string& bytes = bytes_[category];
    item.data = std::string_view(bytes.data() + bytes.size(), data.size());
    bytes += data;
    item.type = kTypeNames[category * 2 + (second ? 1 : 0)];
    if (random.below(3) != 0) item.tags.clear();
    items_[category].push_back(std::move(item));
  }
}

namespace {
void write_stream_name(std::uint64_t number, std::string& out) {
  constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
  out = kCategoryNames[number % kCategories];
  out += '-';
  // A bijection on 40 bits, so that different numbers have different names.
  std::uint64_t scrambled = (number * 0x9E3779B97F4A7C15ULL) & ((std::uint64_t{1} << 40U) - 1);
  scrambled ^= scrambled >> 20U;
  for (int i = 0; i < 8; ++i) {
    out += kAlphabet[scrambled & 31U];
    scrambled >>= 5U;
  }
}
}  // namespace

std::string stream_name(std::uint64_t number) {
  std::string name;
  write_stream_name(number, name);
  return name;
}

EventSource::EventSource(const Workload& workload, std::uint64_t number)
    : workload_(&workload),
      random_(workload.options().seed * 1'000'003U + number),
      time_nanos_((kStartSeconds + static_cast<std::int64_t>(number) * 1000) * 1'000'000'000) {
  for (std::size_t i = 0; i < kCategories; ++i) place_[i] = random_.below(workload.items(i).size());
}

void EventSource::next_on(std::uint64_t stream, NewEvent& event) {
  const std::size_t category = stream % kCategories;
  const auto& items = workload_->items(category);
  const Workload::Item& item = items[place_[category]++ % items.size()];
  write_stream_name(stream, stream_);
  time_nanos_ += 900'000 + static_cast<std::int64_t>(random_.next() & 0xFFFFFU);
  event.stream = stream_;
  event.type = item.type;
  event.data = item.data;
  event.occurred_at = Timestamp{time_nanos_};
  event.tags.assign(item.tags.begin(), item.tags.end());
}

std::string_view EventSource::next_data() {
  const std::size_t category = random_.next() % kCategories;
  const auto& items = workload_->items(category);
  return items[place_[category]++ % items.size()].data;
}

CompressionRatio measure_ratio(const Workload& workload, Codec codec, std::size_t batch) {
  const std::size_t samples = std::max<std::size_t>(20, 50'000 / batch);
  EventSource source(workload, 999);
  BatchBuilder builder({codec, 1});
  CompressionRatio sums;
  double raw_body = 0;
  double raw_data = 0;
  NewEvent event;
  std::string data;
  std::string packed;
  for (std::size_t sample = 0; sample < samples; ++sample) {
    data.clear();
    const std::uint64_t start = now_nanos();
    for (std::size_t i = 0; i < batch; ++i) {
      source.next(event);
      require(builder.add(event), "building a batch");
      data += event.data;
    }
    const EncodedBody body = require(builder.finish(), "building a batch");
    sums.build_nanos_per_event += static_cast<double>(now_nanos() - start);
    raw_body += body.raw_size;
    sums.body += static_cast<double>(body.bytes.size());
    raw_data += static_cast<double>(data.size());
    compress(codec, 1, data, packed);
    sums.data += static_cast<double>(packed.size());
  }
  return {sums.body / raw_body, sums.data / raw_data,
          sums.build_nanos_per_event / static_cast<double>(samples * batch)};
}

}  // namespace bahi::bench
