// The batches of an item at a location as a sale sees them: which may be picked, in which order, and how much of them
// can be promised. The plan, the sale, the reservation and the transfer all pick here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "projection.hpp"
#include "stock/rows.hpp"

namespace bahi::projections::stock {

struct Pick {
  std::string batch;
  std::int64_t quantity = 0;
  std::int32_t expires_on = kNeverExpires;
};

/// Not expired on that local date, not recalled, not held: the one rule of what may be picked.
[[nodiscard]] bool may_be_picked(const BatchRow& batch, std::int32_t date);

class Shelf {
 public:
  /// `own`: of a reservation whose goods count as free.
  [[nodiscard]] static Result<Shelf> load(const StateView& state, std::string_view item, std::string_view location,
                                          std::int32_t date, const std::vector<ReservedLine>& own = {});

  /// What can be promised: on hand less reserved, over the batches that may be picked. A batch with more reserved than
  /// on hand takes from what the others have.
  [[nodiscard]] std::int64_t promisable() const { return promisable_; }
  /// On hand in batches that are expired, recalled or held.
  [[nodiscard]] std::int64_t barred() const { return barred_; }
  [[nodiscard]] std::int64_t on_hand() const { return on_hand_; }
  [[nodiscard]] std::int64_t reserved() const { return reserved_; }

  /// First expiry first out: expiry ascending, none last; then first received; then batch id. Gives less when there is
  /// less, and takes what it gives, so that the next pick goes on behind it.
  [[nodiscard]] std::vector<Pick> pick(std::int64_t quantity);
  /// Takes from one batch, also from one that may not be picked. False: it has not so much free, or the others need it
  /// for what is reserved.
  [[nodiscard]] bool take(std::string_view batch, std::int64_t quantity);

 private:
  struct Candidate {
    std::string batch;
    std::int32_t expires_on = kNeverExpires;
    std::uint64_t received_offset = kNotReceived;
    std::int64_t free = 0;
    bool barred = false;
  };
  std::vector<Candidate> candidates_;  // in the order of picking
  std::int64_t promisable_ = 0;
  std::int64_t barred_ = 0;
  std::int64_t on_hand_ = 0;
  std::int64_t reserved_ = 0;
};

/// The tenant's offset from UTC, in minutes.
[[nodiscard]] Result<std::int32_t> utc_offset_minutes(const StateView& state);
/// Days since 1970-01-01 where the clock is that many minutes ahead of UTC.
[[nodiscard]] std::int32_t local_date(Timestamp at, std::int32_t utc_offset_minutes);
/// The first moment after that local date.
[[nodiscard]] Timestamp end_of_date(std::int32_t date, std::int32_t utc_offset_minutes);

/// The arguments `at` and `date` of a question about stock: `date` is the local date of `at` when it is not given, and
/// `at` is now.
struct AsOf {
  Timestamp at;
  std::int32_t date = 0;
};
[[nodiscard]] Result<AsOf> as_of(const StateView& state, Timestamp now, std::optional<Timestamp> at,
                                 std::optional<std::int32_t> date);

/// Tax rate of an item at a time, in basis points; 0 when none is set.
[[nodiscard]] Result<std::int64_t> tax_rate_at(const StateView& state, std::string_view item, Timestamp at);
/// MRP of a batch at a time: the later effective one of what was set for the batch and for the item; 0: none.
[[nodiscard]] Result<std::int64_t> mrp_at(const StateView& state, std::string_view item, std::string_view batch,
                                          Timestamp at);
/// Errors: kNotFound when the item was never defined.
[[nodiscard]] Result<ItemRow> defined_item(const StateView& state, std::string_view item);

}  // namespace bahi::projections::stock
