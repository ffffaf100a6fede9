#include <algorithm>

#include <fmt/format.h>

#include "bahi/workload/words.hpp"
#include "pharmacy.hpp"

namespace bahi::workload {
namespace {

constexpr auto kTaxRates = std::to_array<std::int32_t>({500, 500, 500, 1200, 1200, 1800, 0});
constexpr auto kSuppliers = std::to_array<std::string_view>(
    {"Sabarmati Pharma", "Narmada Distributors", "Kutch Medical Agency", "Saurashtra Healthcare"});

/// a * b / c, rounded half up; neither is negative, c is positive.
std::int64_t share(std::int64_t a, std::int64_t b, std::int64_t c) {
  __extension__ using Wide = __int128;
  return static_cast<std::int64_t>((2 * static_cast<Wide>(a) * b + c) / (2 * static_cast<Wide>(c)));
}

}  // namespace

const std::string& Pharmacy::item_name(std::uint32_t item) {
  item_name_ = fmt::format("sku-{:05}", item + 1);
  return item_name_;
}

const std::string& Pharmacy::batch_name(std::uint32_t batch) {
  batch_name_ = fmt::format("B{:06}", batch + 1);
  return batch_name_;
}

const std::string& Pharmacy::numbered(std::string_view prefix, std::uint64_t number) {
  number_ = fmt::format("{}{:08}", prefix, number);
  return number_;
}

void Pharmacy::staff(Draft& draft, std::size_t location) {
  actor_ = fmt::format("{}.staff-{}", locations_[location], 1 + random().below(3));
  draft.actor(actor_);
}

void Pharmacy::define(std::uint32_t number) {
  Item& item = items_[number];
  if (item.defined) return;
  item.defined = true;
  Random own(number);
  const words::Medicine& medicine = workload::pick(words::kMedicines, own);
  item.tax_basis_points = workload::pick(kTaxRates, own);
  item.mrp_paise = 50 * own.between(2, 60) * own.between(1, 20);
  Draft& draft = add("stock.ItemDefined", now_);
  draft.stream("stock", item_name(number)).tag("stock", item_name_);
  draft.data().text("item", item_name_).text("unit", medicine.unit);
  draft.data().text("name", fmt::format("{} {}", medicine.name, workload::pick(words::kStrengths, own)));
  staff(draft, kWarehouse);
  Draft& rate = add("stock.TaxRateSet", now_);
  rate.stream("stock", item_name_).tag("stock", item_name_);
  rate.data().text("item", item_name_).number("rate_basis_points", item.tax_basis_points);
  staff(rate, kWarehouse);
}

/// From a supplier into the warehouse. Some deliveries are written down a day late.
void Pharmacy::receive(std::uint32_t number) {
  define(number);
  const Item& item = items_[number];
  const auto batch = static_cast<std::uint32_t>(batches_.size());
  Batch& row = batches_.emplace_back();
  row.item = number;
  row.mrp_paise = item.mrp_paise;
  const std::int64_t days = random().chance(1, 12) ? random().between(12, 40) : random().between(60, 900);
  row.expires_on = indian_date(now_) + static_cast<std::int32_t>(days);
  const std::int64_t quantity = 10 * random().between(20, 400);
  const std::int64_t cost = quantity * item.mrp_paise * random().between(55, 80) / 100 + random().between(0, 99);
  const bool late = random().chance(3, 100);
  Draft& draft = add("stock.BatchReceived", late ? now_ + -random().between(1, 26) * kHour : now_);
  draft.stream("stock", item_name(number)).tag("stock", item_name_);
  JsonText& data = draft.data();
  data.text("item", item_name_).text("batch", batch_name(batch)).text("location", locations_[kWarehouse]);
  data.number("quantity", quantity).number("cost_paise", cost).date("expires_on", row.expires_on);
  data.number("mrp_paise", row.mrp_paise);
  data.text("reference", fmt::format("{} {}", workload::pick(kSuppliers, random()), 10'000 + random().below(90'000)));
  staff(draft, kWarehouse);
  Lot& lot = lot_of(kWarehouse, number, batch);
  lot.quantity = quantity;
  lot.paise = cost;
}

bool Pharmacy::barred(const Batch& batch) const {
  return batch.recalled || batch.held || batch.expires_on <= indian_date(now_);
}

std::int64_t Pharmacy::sellable(std::size_t location, std::uint32_t item) const {
  std::int64_t sum = 0;
  for (const Lot& lot : shelf(location, item)) {
    if (!barred(batches_[lot.batch])) sum += lot.free();
  }
  return sum;
}

Pharmacy::Lot& Pharmacy::lot_of(std::size_t location, std::uint32_t item, std::uint32_t batch) {
  Shelf& lots = shelf(location, item);
  // First expiry first, then first received: the order of the batches' numbers.
  const auto before = [this](const Lot& lot, std::uint32_t other) {
    const std::int32_t expiry = batches_[lot.batch].expires_on;
    const std::int32_t other_expiry = batches_[other].expires_on;
    return expiry != other_expiry ? expiry < other_expiry : lot.batch < other;
  };
  const auto place = std::lower_bound(lots.begin(), lots.end(), batch, before);
  if (place != lots.end() && place->batch == batch) return *place;
  Lot lot;
  lot.batch = batch;
  return *lots.insert(place, lot);
}

Pharmacy::Lot* Pharmacy::find_lot(std::size_t location, const Line& line) {
  Shelf& lots = shelf(location, line.item);
  const auto found = std::find_if(lots.begin(), lots.end(), [&](const Lot& lot) { return lot.batch == line.batch; });
  return found == lots.end() ? nullptr : &*found;
}

std::int64_t Pharmacy::take(Lot& lot, std::int64_t quantity) {
  const std::int64_t paise = quantity == lot.quantity ? lot.paise : share(lot.paise, quantity, lot.quantity);
  lot.quantity -= quantity;
  lot.paise -= paise;
  return paise;
}

void Pharmacy::pick(std::size_t location, const Wish& wish, bool leaves, std::vector<Line>& lines) {
  Shelf& lots = shelf(location, wish.item);
  std::int64_t left = wish.quantity;
  for (Lot& lot : lots) {
    const std::int64_t quantity = std::min(left, lot.free());
    if (quantity <= 0 || barred(batches_[lot.batch])) continue;
    left -= quantity;
    Line line{wish.item, lot.batch, quantity, 0};
    if (leaves) {
      line.paise = take(lot, quantity);
    } else {
      lot.reserved += quantity;
    }
    lines.push_back(line);
  }
  std::erase_if(lots, [](const Lot& lot) { return lot.quantity == 0; });
}

void Pharmacy::write_off_barred(std::size_t location, std::uint32_t item) {
  for (Lot& lot : shelf(location, item)) {
    const Batch& batch = batches_[lot.batch];
    const bool expired = batch.expires_on <= indian_date(now_);
    if ((!expired && !batch.recalled) || lot.free() <= 0) continue;
    Draft& draft = add("stock.WrittenOff", now_);
    draft.stream("location", locations_[location]).tag("stock", item_name(item));
    draft.data().text("location", locations_[location]).text("reason", expired ? "expired" : "recalled");
    draft.data().begin_list("lines").begin_object().text("item", item_name_).text("batch", batch_name(lot.batch));
    draft.data().number("quantity", lot.free()).end_object().end_list();
    staff(draft, location);
    static_cast<void>(take(lot, lot.free()));
  }
  std::erase_if(shelf(location, item), [](const Lot& lot) { return lot.quantity == 0; });
}

void Pharmacy::stock_up(std::size_t location, const std::vector<Wish>& wishes) {
  moved_.clear();
  for (const Wish& wish : wishes) {
    write_off_barred(location, wish.item);
    const std::int64_t missing = wish.quantity - sellable(location, wish.item);
    if (missing <= 0) continue;
    const Wish order{wish.item, missing + random().between(20, 200)};
    write_off_barred(kWarehouse, wish.item);
    while (sellable(kWarehouse, wish.item) < order.quantity) receive(wish.item);
    pick(kWarehouse, order, true, moved_);
  }
  if (moved_.empty()) return;
  Draft& draft = add("stock.Transferred", now_);
  draft.stream("transfer", numbered("t", ++transfer_count_));
  JsonText& data = draft.data();
  data.text("from", locations_[kWarehouse]).text("to", locations_[location]).text("transfer", number_);
  data.begin_list("lines");
  for (const Line& line : moved_) {
    draft.tag("stock", item_name(line.item));
    data.begin_object().text("item", item_name_).text("batch", batch_name(line.batch));
    data.number("quantity", line.quantity).end_object();
    Lot& lot = lot_of(location, line.item, line.batch);
    lot.quantity += line.quantity;
    lot.paise += line.paise;
  }
  data.end_list();
  staff(draft, kWarehouse);
}

}  // namespace bahi::workload
