// A chain of pharmacies and its warehouse. Keeps books of its own, so that it knows what may be sold.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "draft.hpp"
#include "pace.hpp"

namespace bahi::workload {

class Pharmacy final : public ActedHistory {
 public:
  explicit Pharmacy(const HistoryOptions& options);

 private:
  struct Item {
    bool defined = false;
    std::int32_t tax_basis_points = 0;
    std::int64_t mrp_paise = 0;
  };
  struct Batch {
    std::uint32_t item = 0;
    std::int32_t expires_on = 0;
    std::int64_t mrp_paise = 0;
    bool recalled = false;
    bool held = false;
  };
  /// Of one batch at one location.
  struct Lot {
    std::uint32_t batch = 0;
    std::int64_t quantity = 0;
    std::int64_t reserved = 0;
    std::int64_t paise = 0;
    [[nodiscard]] std::int64_t free() const { return quantity - reserved; }
  };
  using Shelf = std::vector<Lot>;  // in the order in which its lots are sold
  struct Line {
    std::uint32_t item = 0;
    std::uint32_t batch = 0;
    std::int64_t quantity = 0;
    std::int64_t paise = 0;  ///< what it had cost
  };
  struct Wish {
    std::uint32_t item = 0;
    std::int64_t quantity = 0;
  };
  /// Part of a sale that may come back.
  struct Sale {
    std::uint64_t number = 0;
    std::size_t location = 0;
    Line line;
  };
  struct Reservation {
    std::uint64_t number = 0;
    std::size_t location = 0;
    Timestamp expires_at;
    std::vector<Line> lines;
  };
  static constexpr std::size_t kWarehouse = 0;

  void act() override;
  // --- pharmacy.cpp: what customers and staff do
  void sell();
  void reserve();
  void end_reservation();
  void take_back();
  void count();
  void move_between_shops();
  void recall_or_hold();
  void lift_recall_or_hold();
  void change_price();
  void write_sale(std::size_t location, const std::vector<Line>& lines, const Reservation* reservation);
  [[nodiscard]] std::vector<Wish> some_wishes(std::uint64_t max);
  [[nodiscard]] std::size_t some_shop() { return 1 + random().skewed_below(locations_.size() - 1); }
  // --- pharmacy_goods.cpp: what is where
  void define(std::uint32_t item);
  void receive(std::uint32_t item);
  /// Afterwards a shop has all that is wished for, in batches that may be sold.
  void stock_up(std::size_t location, const std::vector<Wish>& wishes);
  void write_off_barred(std::size_t location, std::uint32_t item);
  /// First expiry first out, from what is free; what leaves goes out of the books when `leaves`, else it is reserved.
  void pick(std::size_t location, const Wish& wish, bool leaves, std::vector<Line>& lines);
  [[nodiscard]] std::int64_t sellable(std::size_t location, std::uint32_t item) const;
  [[nodiscard]] bool barred(const Batch& batch) const;
  [[nodiscard]] Shelf& shelf(std::size_t location, std::uint32_t item) {
    return shelves_[item * locations_.size() + location];
  }
  [[nodiscard]] const Shelf& shelf(std::size_t location, std::uint32_t item) const {
    return shelves_[item * locations_.size() + location];
  }
  [[nodiscard]] Lot* find_lot(std::size_t location, const Line& line);
  [[nodiscard]] Lot& lot_of(std::size_t location, std::uint32_t item, std::uint32_t batch);
  /// What leaves takes its share of the value with it, rounded half up, and the last piece all that is left.
  static std::int64_t take(Lot& lot, std::int64_t quantity);

  const std::string& item_name(std::uint32_t item);
  const std::string& batch_name(std::uint32_t batch);
  const std::string& numbered(std::string_view prefix, std::uint64_t number);
  void staff(Draft& draft, std::size_t location);
  Draft& about_batch(std::string_view type, std::uint32_t batch);

  Pace pace_;
  Timestamp now_;
  bool founded_ = false;
  std::vector<std::string> locations_;  // the first is the warehouse
  std::vector<Item> items_;
  std::vector<Batch> batches_;  // in the order in which they were first received
  std::vector<Shelf> shelves_;  // by item and location
  std::array<Sale, 512> sales_{};
  std::uint64_t sale_count_ = 0;
  std::uint64_t transfer_count_ = 0;
  std::uint64_t reservation_count_ = 0;
  std::deque<Reservation> reservations_;  // open, the oldest first
  std::deque<std::uint32_t> recalled_;
  std::deque<std::uint32_t> held_;
  // Memory that is used again.
  std::string item_name_;
  std::string batch_name_;
  std::string number_;
  std::string actor_;
  std::vector<Line> lines_;
  std::vector<Line> moved_;
};

}  // namespace bahi::workload
