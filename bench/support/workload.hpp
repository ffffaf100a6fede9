// Events like those of a chat, a shop and its stock room; seeded, so equal in every run.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bahi/base/result.hpp"
#include "bahi/schemas/codec.hpp"
#include "bahi/schemas/event.hpp"
#include "bahi/workload/random.hpp"

namespace bahi::bench {

using workload::Random;

enum class DataKind : std::uint8_t { kJson, kRandom };

struct WorkloadOptions {
  DataKind kind = DataKind::kJson;
  std::size_t data_bytes = 256;      ///< of every event, exactly; JSON needs 208 or more
  std::uint64_t streams = 10'000;    ///< events fall on them uniformly
  std::size_t pool_events = 16'384;  ///< distinct data, spread over the categories; few enough for a processor's cache,
                                     ///< where a writer has what it has just made
  std::uint64_t seed = 1;
};

/// kInvalidArgument names the field that no workload can be made with.
Status check(const WorkloadOptions& options);

inline constexpr std::size_t kCategories = 4;
inline constexpr std::array<std::string_view, kCategories> kCategoryNames{"chat", "order", "payment", "stock"};
/// The second type of each category takes about one event in eight.
inline constexpr std::array<std::string_view, kCategories * 2> kTypeNames{
    "MessageSent",     "ReactionAdded", "OrderPlaced", "OrderShipped",
    "PaymentCaptured", "RefundIssued",  "StockSold",   "StockReceived"};

/// The data, made once before any clock runs. Immutable, so thread-safe.
class Workload {
 public:
  /// Ends the program when `check` finds fault with the options.
  explicit Workload(const WorkloadOptions& options);
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;

  struct Item {
    std::string_view data;
    std::string_view type;
    std::vector<std::string> tags;  ///< a third of the events: one or two
  };

  [[nodiscard]] const WorkloadOptions& options() const noexcept { return options_; }
  [[nodiscard]] const std::vector<Item>& items(std::size_t category) const { return items_[category]; }

 private:
  WorkloadOptions options_;
  std::array<std::string, kCategories> bytes_;  // all data of a category, one after the other
  std::array<std::vector<Item>, kCategories> items_;
};

/// The name of stream `number`: its category and eight characters that look random.
[[nodiscard]] std::string stream_name(std::uint64_t number);

/// Draws events from a workload without end. One per thread.
class EventSource {
 public:
  /// Sources of one workload with different numbers give different events.
  EventSource(const Workload& workload, std::uint64_t number);

  /// The next event, on a random stream. Its views hold until the next call.
  void next(NewEvent& event) { next_on(random_.below(workload_->options().streams), event); }
  void next_on(std::uint64_t stream, NewEvent& event);
  /// Only the data, for the baselines.
  [[nodiscard]] std::string_view next_data();

 private:
  const Workload* workload_;
  Random random_;
  std::array<std::size_t, kCategories> place_{};
  std::int64_t time_nanos_;
  std::string stream_;
};

/// How much of its raw size a body of `batch` events keeps, the same for the data alone, and what building
/// and compressing the body costs one thread.
struct CompressionRatio {
  double body = 0;
  double data = 0;
  double build_nanos_per_event = 0;
};
[[nodiscard]] CompressionRatio measure_ratio(const Workload& workload, Codec codec, std::size_t batch);

}  // namespace bahi::bench
