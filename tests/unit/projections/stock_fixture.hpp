// A stock ledger: facts appended raw, commands, and answers taken apart.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "read_model_host.hpp"

namespace bahi::test {

struct FactLine {
  std::string item;
  std::string batch;
  std::int64_t quantity = 0;
};

// The facts of a stock ledger, with the tags that they must carry.
Fact item_defined(const std::string& item);
Fact batch_received(const FactLine& line, const std::string& location, std::int64_t cost_paise,
                    const std::string& expires_on = {}, std::int64_t mrp_paise = 0);
Fact sold(const std::string& sale, const std::string& location, const std::vector<FactLine>& lines,
          const std::string& reservation = {});
Fact returned(const std::string& sale, const std::string& location, const std::vector<FactLine>& lines);
Fact reserved(const std::string& reservation, const std::string& location, const std::vector<FactLine>& lines);
/// "stock.Released" or "stock.ReservationExpired".
Fact reservation_ended(const std::string& type, const std::string& reservation, const std::string& item);
Fact transferred(const std::string& from, const std::string& to, const std::vector<FactLine>& lines);
Fact written_off(const std::string& location, const std::vector<FactLine>& lines);
Fact counted(const FactLine& found, const std::string& location);
/// "stock.Recalled", "stock.RecallLifted", "stock.BatchHeld" or "stock.HoldLifted".
Fact batch_fact(const std::string& type, const std::string& item, const std::string& batch);
/// The arguments of a `sell` with one line.
std::string sale_of(const std::string& sale, const std::string& item, std::int64_t quantity,
                    const std::string& location = "main");

class StockFixture : public HostedModel {
 public:
  StockFixture() : HostedModel("stock") {}
};

}  // namespace bahi::test
