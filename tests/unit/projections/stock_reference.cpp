#include "stock_reference.hpp"

#include <algorithm>

namespace bahi::test {
namespace {

/// a * b / c, half up, by long division: what is compared uses another way.
std::int64_t share(std::int64_t a, std::int64_t b, std::int64_t c) {
  __extension__ using Wide = __int128;
  const Wide product = Wide{a} * b;
  const Wide whole = product / c;
  const Wide rest = product % c;
  return static_cast<std::int64_t>(whole + (rest * 2 >= c ? 1 : 0));
}

std::vector<FactLine> lines_in(const Json& data) {
  std::vector<FactLine> lines;
  for (std::size_t i = 0; i < data.size("/lines"); ++i) {
    const std::string line = "/lines/" + std::to_string(i);
    lines.push_back({data.text(line + "/item"), data.text(line + "/batch"), data.number(line + "/quantity")});
  }
  return lines;
}

}  // namespace

void ReferenceLedger::move(const std::string& kind, const Place& place, std::int64_t quantity, std::int64_t paise) {
  ReferenceBalance& balance = balances[place];
  balance.quantity += quantity;
  balance.paise += paise;
  const auto& [item, location, batch] = place;
  auto& ledger = ledgers[{item, location}];
  ReferenceRow row{offset_, kind, batch, quantity, paise, quantity, paise};
  if (!ledger.empty()) {
    row.balance_quantity += ledger.back().balance_quantity;
    row.balance_paise += ledger.back().balance_paise;
  }
  ledger.push_back(row);
}

std::int64_t ReferenceLedger::take(const std::string& kind, const Place& place, std::int64_t quantity) {
  const ReferenceBalance before = balances[place];
  const std::int64_t paise =
      quantity >= before.quantity ? before.paise : share(before.paise, quantity, before.quantity);
  move(kind, place, -quantity, -paise);
  return paise;
}

std::int64_t ReferenceLedger::at_average_receipt(const Place& place, std::int64_t quantity) {
  const ReferenceBatch& batch = batches[{std::get<0>(place), std::get<2>(place)}];
  return batch.received_quantity == 0 ? 0 : share(batch.received_paise, quantity, batch.received_quantity);
}

void ReferenceLedger::end(const std::string& reservation) {
  const auto found = reservations_.find(reservation);
  if (found == reservations_.end() || !found->second.open) return;
  found->second.open = false;
  for (const FactLine& line : found->second.lines) {
    balances[{line.item, found->second.location, line.batch}].reserved -= line.quantity;
  }
}

void ReferenceLedger::apply(const Fact& fact, std::uint64_t offset) {
  offset_ = offset;
  const Json data(fact.data);
  const std::string type = fact.type.substr(6);
  if (type == "BatchReceived") {
    ReferenceBatch& batch = batches[{data.text("/item"), data.text("/batch")}];
    if (batch.received == UINT64_MAX) {
      batch.received = offset;
      if (data.has("/expires_on")) batch.expires_on = data.text("/expires_on");
    }
    batch.received_quantity += data.number("/quantity");
    batch.received_paise += data.number("/cost_paise");
    move("received", {data.text("/item"), data.text("/location"), data.text("/batch")}, data.number("/quantity"),
         data.number("/cost_paise"));
  } else if (type == "Sold") {
    if (data.has("/reservation")) end(data.text("/reservation"));
    for (const FactLine& line : lines_in(data)) {
      take("sold", {line.item, data.text("/location"), line.batch}, line.quantity);
    }
  } else if (type == "Returned") {
    for (const FactLine& line : lines_in(data)) {
      const Place place{line.item, data.text("/location"), line.batch};
      move("returned", place, line.quantity, at_average_receipt(place, line.quantity));
    }
  } else if (type == "Transferred") {
    for (const FactLine& line : lines_in(data)) {
      const std::int64_t paise = take("transferred out", {line.item, data.text("/from"), line.batch}, line.quantity);
      move("transferred in", {line.item, data.text("/to"), line.batch}, line.quantity, paise);
    }
  } else if (type == "WrittenOff") {
    for (const FactLine& line : lines_in(data)) {
      take("written off", {line.item, data.text("/location"), line.batch}, line.quantity);
    }
  } else if (type == "Counted") {
    const Place place{data.text("/item"), data.text("/location"), data.text("/batch")};
    const ReferenceBalance before = balances[place];
    const std::int64_t more = data.number("/quantity") - before.quantity;
    if (more < 0) {
      take("counted", place, -more);
    } else {
      move("counted", place, more,
           before.quantity > 0 ? share(before.paise, more, before.quantity) : at_average_receipt(place, more));
    }
  } else if (type == "Reserved") {
    const auto [made, fresh] =
        reservations_.emplace(data.text("/reservation"), Reservation{true, data.text("/location"), lines_in(data)});
    if (!fresh) return;
    for (const FactLine& line : made->second.lines) {
      balances[{line.item, made->second.location, line.batch}].reserved += line.quantity;
    }
  } else if (type == "Released" || type == "ReservationExpired") {
    end(data.text("/reservation"));
  } else if (type == "Recalled" || type == "RecallLifted") {
    batches[{data.text("/item"), data.text("/batch")}].recalled = type == "Recalled";
  } else if (type == "BatchHeld" || type == "HoldLifted") {
    batches[{data.text("/item"), data.text("/batch")}].held = type == "BatchHeld";
  }
}

std::vector<std::pair<std::string, std::int64_t>> ReferenceLedger::plan(const std::string& item,
                                                                        const std::string& location,
                                                                        std::int64_t quantity,
                                                                        const std::string& date) const {
  using Candidate = std::tuple<std::string, std::uint64_t, std::string, std::int64_t>;
  std::vector<Candidate> candidates;
  std::int64_t promisable = 0;
  for (const auto& [place, balance] : balances) {
    if (std::get<0>(place) != item || std::get<1>(place) != location) continue;
    const auto found = batches.find({item, std::get<2>(place)});
    const ReferenceBatch batch = found == batches.end() ? ReferenceBatch{} : found->second;
    if (batch.expires_on <= date || batch.recalled || batch.held) continue;
    promisable += balance.quantity - balance.reserved;
    candidates.emplace_back(batch.expires_on, batch.received, std::get<2>(place), balance.quantity - balance.reserved);
  }
  std::sort(candidates.begin(), candidates.end());
  quantity = std::min(quantity, promisable);
  std::vector<std::pair<std::string, std::int64_t>> picks;
  for (const auto& [expiry, received, batch, free] : candidates) {
    if (quantity <= 0) break;
    if (free <= 0) continue;
    picks.emplace_back(batch, std::min(quantity, free));
    quantity -= picks.back().second;
  }
  return picks;
}

}  // namespace bahi::test
