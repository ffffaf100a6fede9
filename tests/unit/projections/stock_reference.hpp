// The stock ledger once more, as plainly as it can be written: what the read model is compared with.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "stock_fixture.hpp"

namespace bahi::test {

struct ReferenceBalance {
  std::int64_t quantity = 0;
  std::int64_t paise = 0;
  std::int64_t reserved = 0;
  bool operator==(const ReferenceBalance&) const = default;
};

struct ReferenceRow {
  std::uint64_t offset = 0;
  std::string kind;
  std::string batch;
  std::int64_t quantity = 0;
  std::int64_t paise = 0;
  std::int64_t balance_quantity = 0;
  std::int64_t balance_paise = 0;
  bool operator==(const ReferenceRow&) const = default;
};

struct ReferenceBatch {
  std::string expires_on = "never";  // sorts behind every date
  std::uint64_t received = UINT64_MAX;
  std::int64_t received_quantity = 0;
  std::int64_t received_paise = 0;
  bool recalled = false;
  bool held = false;
};

class ReferenceLedger {
 public:
  using Place = std::tuple<std::string, std::string, std::string>;  // item, location, batch

  void apply(const Fact& fact, std::uint64_t offset);

  std::map<Place, ReferenceBalance> balances;                                        // also those that are zero
  std::map<std::pair<std::string, std::string>, std::vector<ReferenceRow>> ledgers;  // by item and location
  std::map<std::pair<std::string, std::string>, ReferenceBatch> batches;             // by item and batch
  /// By expiry, among those that may be sold on that date.
  [[nodiscard]] std::vector<std::pair<std::string, std::int64_t>> plan(const std::string& item,
                                                                       const std::string& location,
                                                                       std::int64_t quantity,
                                                                       const std::string& date) const;

 private:
  struct Reservation {
    bool open = true;
    std::string location;
    std::vector<FactLine> lines;
  };
  void move(const std::string& kind, const Place& place, std::int64_t quantity, std::int64_t paise);
  std::int64_t take(const std::string& kind, const Place& place, std::int64_t quantity);
  std::int64_t at_average_receipt(const Place& place, std::int64_t quantity);
  void end(const std::string& reservation);

  std::map<std::string, Reservation> reservations_;
  std::uint64_t offset_ = 0;
};

}  // namespace bahi::test
