#include "stock/stock.hpp"

#include "stock/commands.hpp"
#include "stock/fold.hpp"
#include "stock/queries.hpp"

namespace bahi::projections::stock {

Projection projection() {
  Projection projection;
  projection.name = "stock";
  projection.version = 1;
  projection.summary = "stock by location, item and batch, with its value";
  projection.types = StockFold::types();
  projection.make_fold = &StockFold::make;
  projection.queries = {
      {"availability", list_availability},
      {"plan", plan_picks},
      {"quote", quote_sale},
      {"valuation", list_valuation},
      {"ledger", list_ledger},
      {"trace", trace_batch},
      {"sale", find_sale},
      {"balance_as_of_date", balance_as_of_date},
      {"item", find_item},
      {"batch", find_batch},
      {"reservation", find_reservation},
      {"due_reservations", list_due_reservations},
      {"discrepancies", list_discrepancies},
  };
  projection.commands = {
      {"sell", decide_sale},         {"return", decide_return},       {"reserve", decide_reservation},
      {"release", decide_release},   {"expire", decide_expiry},       {"receive", decide_receipt},
      {"transfer", decide_transfer}, {"write_off", decide_write_off}, {"count", decide_count},
  };
  return projection;
}

}  // namespace bahi::projections::stock
