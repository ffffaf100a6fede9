#include "pharmacy.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "bahi/workload/words.hpp"
#include "text.hpp"

namespace bahi::workload {
namespace {

constexpr std::uint64_t kEventsPerDay = 40'000;
constexpr std::size_t kReservationsMax = 200;
constexpr std::size_t kRecallsMax = 40;
constexpr std::int64_t kBasisPoints = 10'000;

constexpr auto kReturnReasons = std::to_array<std::string_view>(
    {"bought too much", "wrong strength", "doctor changed the prescription", "strip was damaged"});
constexpr auto kRecallReasons = std::to_array<std::string_view>(
    {"failed dissolution test", "notice of the drugs controller", "misprinted label", "contamination suspected"});

/// Half of the tax that is in a price.
std::int64_t half_tax_within(std::int64_t gross_paise, std::int64_t basis_points) {
  const std::int64_t whole = 2 * (kBasisPoints + basis_points);
  return (2 * gross_paise * basis_points + whole) / (2 * whole);
}

}  // namespace

Pharmacy::Pharmacy(const HistoryOptions& options)
    : ActedHistory(options.seed),
      pace_(options.from, options.events_per_day == 0 ? kEventsPerDay : options.events_per_day),
      now_(options.from),
      items_(options.items),
      shelves_(std::size_t{options.items} * (options.shops + 1)) {
  locations_.emplace_back("warehouse");
  for (std::uint32_t i = 0; i < options.shops; ++i) {
    locations_.push_back(fmt::format("{}-{:03}", words::kShopCities[i % words::kShopCities.size()], i + 1));
  }
}

void Pharmacy::act() {
  now_ = pace_.next(random());
  if (!founded_) {
    founded_ = true;
    Draft& draft = add("stock.TimeZoneSet", now_);
    draft.stream("stock", "settings").data().number("utc_offset_minutes", 330);
    return;
  }
  const std::uint64_t what = random().below(10'000);
  if (what < 8'300) return sell();
  if (what < 8'700) return reserve();
  if (what < 9'080) return end_reservation();
  if (what < 9'380) return take_back();
  if (what < 9'680) return count();
  if (what < 9'930) return move_between_shops();
  if (what < 9'940) return recall_or_hold();
  if (what < 9'948) return lift_recall_or_hold();
  if (what < 9'958) return change_price();
  sell();
}

std::vector<Pharmacy::Wish> Pharmacy::some_wishes(std::uint64_t max) {
  std::vector<Wish> wishes;
  for (std::uint64_t count = 1 + random().skewed_below(max); count > 0; --count) {
    const auto item = static_cast<std::uint32_t>(random().skewed_below(items_.size()));
    const bool there = std::any_of(wishes.begin(), wishes.end(), [&](const Wish& wish) { return wish.item == item; });
    const std::int64_t quantity = random().chance(1, 3) ? 10 * random().between(1, 3) : random().between(1, 4);
    if (!there) wishes.push_back({item, quantity});
  }
  return wishes;
}

void Pharmacy::sell() {
  const std::size_t shop = some_shop();
  const std::vector<Wish> wishes = some_wishes(6);
  stock_up(shop, wishes);
  lines_.clear();
  for (const Wish& wish : wishes) pick(shop, wish, true, lines_);
  write_sale(shop, lines_, nullptr);
}

void Pharmacy::write_sale(std::size_t location, const std::vector<Line>& lines, const Reservation* reservation) {
  Draft& draft = add("stock.Sold", now_);
  draft.stream("sale", numbered("s", ++sale_count_)).tag("sale", number_);
  JsonText& data = draft.data();
  data.text("sale", number_).text("location", locations_[location]);
  if (random().chance(1, 3)) {
    data.text("customer", fmt::format("+9198{:08}", random().below(100'000'000)));
  }
  std::int64_t taxable = 0;
  std::int64_t tax = 0;
  data.begin_list("lines");
  for (const Line& line : lines) {
    const std::int64_t mrp = batches_[line.batch].mrp_paise;
    const std::int64_t rate = items_[line.item].tax_basis_points;
    const std::int64_t half = half_tax_within(mrp * line.quantity, rate);
    taxable += mrp * line.quantity - 2 * half;
    tax += 2 * half;
    draft.tag("stock", item_name(line.item));
    data.begin_object().text("item", item_name_).text("batch", batch_name(line.batch));
    data.number("quantity", line.quantity).number("amount_paise", mrp * line.quantity - 2 * half);
    data.number("tax_rate_basis_points", rate).number("cgst_paise", half).number("sgst_paise", half);
    data.number("igst_paise", 0).number("mrp_paise", mrp).end_object();
  }
  data.end_list();
  const std::int64_t exact = taxable + tax;
  const std::int64_t total = (exact + 50) / 100 * 100;
  data.number("taxable_paise", taxable).number("tax_paise", tax).number("rounding_paise", total - exact);
  data.number("total_paise", total);
  if (reservation != nullptr) {
    data.text("reservation", numbered("r", reservation->number));
    draft.tag("reservation", number_);
    for (const Line& line : reservation->lines) draft.tag("stock", item_name(line.item));
  }
  staff(draft, location);
  sales_[sale_count_ % sales_.size()] = {sale_count_, location, lines.front()};
}

void Pharmacy::reserve() {
  if (reservations_.size() == kReservationsMax) return end_reservation();
  Reservation reservation;
  reservation.location = some_shop();
  reservation.number = ++reservation_count_;
  reservation.expires_at = now_ + random().between(2, 48) * kHour;
  const std::vector<Wish> wishes = some_wishes(3);
  stock_up(reservation.location, wishes);
  for (const Wish& wish : wishes) pick(reservation.location, wish, false, reservation.lines);
  Draft& draft = add("stock.Reserved", now_);
  draft.stream("reservation", numbered("r", reservation.number)).tag("reservation", number_);
  JsonText& data = draft.data();
  data.text("reservation", number_).text("location", locations_[reservation.location]);
  data.time("expires_at", reservation.expires_at).begin_list("lines");
  for (const Line& line : reservation.lines) {
    draft.tag("stock", item_name(line.item));
    data.begin_object().text("item", item_name_).text("batch", batch_name(line.batch));
    data.number("quantity", line.quantity).end_object();
  }
  data.end_list();
  staff(draft, reservation.location);
  reservations_.push_back(std::move(reservation));
}

/// The goods are fetched, or the customer has thought better of it, or the time has passed.
void Pharmacy::end_reservation() {
  if (reservations_.empty()) return sell();
  const bool lapsed = reservations_.front().expires_at <= now_;
  const std::size_t index = lapsed ? 0 : random().below(reservations_.size());
  const Reservation reservation = std::move(reservations_[index]);
  reservations_.erase(reservations_.begin() + static_cast<std::ptrdiff_t>(index));
  bool sound = true;
  for (const Line& line : reservation.lines) {
    find_lot(reservation.location, line)->reserved -= line.quantity;
    if (barred(batches_[line.batch])) sound = false;
  }
  if (sound && !lapsed && random().chance(3, 4)) {
    std::vector<Wish> wishes;
    for (const Line& line : reservation.lines) {
      const bool more = !wishes.empty() && wishes.back().item == line.item;
      if (more) wishes.back().quantity += line.quantity;
      if (!more) wishes.push_back({line.item, line.quantity});
    }
    stock_up(reservation.location, wishes);
    lines_.clear();
    for (const Wish& wish : wishes) pick(reservation.location, wish, true, lines_);
    return write_sale(reservation.location, lines_, &reservation);
  }
  Draft& draft = add(lapsed ? "stock.ReservationExpired" : "stock.Released", now_);
  draft.stream("reservation", numbered("r", reservation.number)).tag("reservation", number_);
  draft.data().text("reservation", number_);
  for (const Line& line : reservation.lines) draft.tag("stock", item_name(line.item));
  staff(draft, reservation.location);
}

/// To its batch, at what it had cost.
void Pharmacy::take_back() {
  Sale& sale = sales_[random().below(sales_.size())];
  Line& left = sale.line;
  if (left.quantity == 0) return sell();
  Lot sold{left.batch, left.quantity, 0, left.paise};
  const std::int64_t quantity = random().between(1, left.quantity);
  const std::int64_t cost = take(sold, quantity);
  left.quantity = sold.quantity;
  left.paise = sold.paise;
  Draft& draft = add("stock.Returned", now_);
  draft.stream("sale", numbered("s", sale.number)).tag("sale", number_).tag("stock", item_name(left.item));
  JsonText& data = draft.data();
  data.text("sale", number_).text("location", locations_[sale.location]);
  data.begin_list("lines").begin_object().text("item", item_name_).text("batch", batch_name(left.batch));
  data.number("quantity", quantity).number("cost_paise", cost).end_object().end_list();
  data.text("reason", workload::pick(kReturnReasons, random()));
  staff(draft, sale.location);
  Lot& lot = lot_of(sale.location, left.item, left.batch);
  lot.quantity += quantity;
  lot.paise += cost;
}

void Pharmacy::count() {
  const std::size_t shop = some_shop();
  const auto item = static_cast<std::uint32_t>(random().skewed_below(items_.size()));
  Shelf& lots = shelf(shop, item);
  if (lots.empty()) return sell();
  Lot& lot = lots[random().below(lots.size())];
  const std::int64_t found = std::max(std::max<std::int64_t>(1, lot.reserved), lot.quantity + random().between(-2, 1));
  Draft& draft = add("stock.Counted", now_);
  draft.stream("stock", item_name(item)).tag("stock", item_name_);
  JsonText& data = draft.data();
  data.text("item", item_name_).text("batch", batch_name(lot.batch)).text("location", locations_[shop]);
  data.number("quantity", found).text("reason", found == lot.quantity ? "monthly count" : "counted twice");
  staff(draft, shop);
  if (found < lot.quantity) static_cast<void>(take(lot, lot.quantity - found));
  if (found > lot.quantity) {
    // What is found has the average value.
    lot.paise += (2 * lot.paise * (found - lot.quantity) + lot.quantity) / (2 * lot.quantity);
    lot.quantity = found;
  }
}

void Pharmacy::move_between_shops() {
  const std::size_t from = some_shop();
  const std::size_t to = some_shop();
  const auto item = static_cast<std::uint32_t>(random().skewed_below(items_.size()));
  const std::int64_t there = sellable(from, item);
  if (from == to || there == 0) return sell();
  moved_.clear();
  pick(from, {item, random().between(1, there)}, true, moved_);
  Draft& draft = add("stock.Transferred", now_);
  draft.stream("transfer", numbered("t", ++transfer_count_)).tag("stock", item_name(item));
  JsonText& data = draft.data();
  data.text("from", locations_[from]).text("to", locations_[to]).text("transfer", number_).begin_list("lines");
  for (const Line& line : moved_) {
    data.begin_object().text("item", item_name_).text("batch", batch_name(line.batch));
    data.number("quantity", line.quantity).end_object();
    Lot& lot = lot_of(to, item, line.batch);
    lot.quantity += line.quantity;
    lot.paise += line.paise;
  }
  data.end_list();
  staff(draft, from);
}

Draft& Pharmacy::about_batch(std::string_view type, std::uint32_t batch) {
  Draft& draft = add(type, now_);
  draft.stream("stock", item_name(batches_[batch].item)).tag("stock", item_name_).actor("quality.office");
  draft.data().text("item", item_name_).text("batch", batch_name(batch));
  return draft;
}

void Pharmacy::recall_or_hold() {
  if (batches_.empty()) return sell();
  const auto batch = static_cast<std::uint32_t>(batches_.size() - 1 - random().skewed_below(batches_.size()));
  Batch& row = batches_[batch];
  const bool recall = random().chance(1, 3);
  std::deque<std::uint32_t>& list = recall ? recalled_ : held_;
  if (row.recalled || row.held || list.size() == kRecallsMax) return lift_recall_or_hold();
  list.push_back(batch);
  (recall ? row.recalled : row.held) = true;
  const std::string_view reason = workload::pick(kRecallReasons, random());
  about_batch(recall ? "stock.Recalled" : "stock.BatchHeld", batch).reason(reason).data().text("reason", reason);
}

void Pharmacy::lift_recall_or_hold() {
  const bool recall = held_.empty() || (!recalled_.empty() && random().chance(1, 4));
  std::deque<std::uint32_t>& list = recall ? recalled_ : held_;
  if (list.empty()) return sell();
  const std::uint32_t batch = list.front();
  list.pop_front();
  (recall ? batches_[batch].recalled : batches_[batch].held) = false;
  about_batch(recall ? "stock.RecallLifted" : "stock.HoldLifted", batch);
}

void Pharmacy::change_price() {
  if (batches_.empty()) return sell();
  const auto batch = static_cast<std::uint32_t>(batches_.size() - 1 - random().skewed_below(batches_.size()));
  Batch& row = batches_[batch];
  row.mrp_paise += row.mrp_paise / 50 * random().between(-2, 4);
  about_batch("stock.MrpSet", batch).data().number("mrp_paise", row.mrp_paise);
}

}  // namespace bahi::workload
