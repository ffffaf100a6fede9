// Which denials are recorded, so that nobody can fill the disk by being refused.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "token_bucket.hpp"

namespace bahi::server {

/// For each source (a token, or an address without one) and for all together: a burst, and then so many per second.
/// What is left out is counted. Holds a bounded number of sources. Not thread-safe.
class DenialLimiter {
 public:
  using TimePoint = TokenBucket::TimePoint;
  static constexpr double kBurstPerSource = 20;
  static constexpr double kPerSecondAndSource = 0.1;
  static constexpr double kBurstOfAll = 256;
  static constexpr double kPerSecondOfAll = 0.5;
  static constexpr std::size_t kSourcesMax = 1024;

  explicit DenialLimiter(TimePoint now) : all_(kPerSecondOfAll, kBurstOfAll, now) {}

  /// To be recorded, with so many of the source's that were left out before it. Nothing: to be left out.
  [[nodiscard]] std::optional<std::int64_t> admit(const std::string& source, TimePoint now);
  /// What was admitted could not be recorded after all.
  void give_back(const std::string& source, std::int64_t count, TimePoint now);

  struct LeftOut {
    std::string source;
    std::int64_t count = 0;
  };
  /// Sources of which something was left out and that have been quiet since, or with `every` all of them; they are
  /// taken as told.
  [[nodiscard]] std::vector<LeftOut> take_left_out(TimePoint now, bool every);

 private:
  struct Source {
    TokenBucket bucket;
    std::int64_t left_out = 0;
  };
  [[nodiscard]] Source& find(const std::string& source, TimePoint now);

  TokenBucket all_;
  std::map<std::string, Source, std::less<>> sources_;
};

}  // namespace bahi::server
