// Sellers who decide against one another.
#pragma once

#include <cstdint>
#include <string>

#include "bahi/client/options.hpp"
#include "report.hpp"

namespace bahi::bench {

struct SellerSettings {
  unsigned sellers = 64;  ///< each with one sale under way
  unsigned clients = 8;   ///< connections that they share
  double seconds = 10;
  client::ClientOptions client;  ///< of a tenant whose stock ledger runs, and has none of the items yet
};

/// Sells `items` different items, drawn uniformly, of which there are `stock` pieces each, and checks afterwards that
/// what was sold and what is left is what there was, and that each ledger adds up to its balance. `name` begins the
/// items' names. `target_per_second`: of decided sales; 0: none.
void run_sellers(const SellerSettings& settings, const std::string& name, unsigned items, std::int64_t stock,
                 double target_per_second, Report& report);

}  // namespace bahi::bench
