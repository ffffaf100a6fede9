#include "stock_fixture.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace bahi::test {
namespace {

std::string lines_json(const std::vector<FactLine>& lines) {
  std::string json;
  for (const FactLine& line : lines) {
    json += fmt::format(R"({}{{"item":"{}","batch":"{}","quantity":{}}})", json.empty() ? "" : ",", line.item,
                        line.batch, line.quantity);
  }
  return "[" + json + "]";
}

std::vector<std::string> tags_of(const std::vector<FactLine>& lines, const std::string& other = {}) {
  std::vector<std::string> tags;
  for (const FactLine& line : lines) {
    const std::string tag = "stock:" + line.item;
    if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(tag);
  }
  if (!other.empty()) tags.push_back(other);
  return tags;
}

}  // namespace

Fact item_defined(const std::string& item) {
  return {"stock.ItemDefined", fmt::format(R"({{"item":"{}","name":"{}"}})", item, item), {"stock:" + item}};
}

Fact batch_received(const FactLine& line, const std::string& location, std::int64_t cost_paise,
                    const std::string& expires_on, std::int64_t mrp_paise) {
  std::string data =
      fmt::format(R"({{"item":"{}","batch":"{}","location":"{}","quantity":{},"cost_paise":{},"mrp_paise":{})",
                  line.item, line.batch, location, line.quantity, cost_paise, mrp_paise);
  if (!expires_on.empty()) data += fmt::format(R"(,"expires_on":"{}")", expires_on);
  return {"stock.BatchReceived", data + "}", {"stock:" + line.item}};
}

Fact sold(const std::string& sale, const std::string& location, const std::vector<FactLine>& lines,
          const std::string& reservation) {
  std::string data = fmt::format(R"({{"sale":"{}","location":"{}","lines":{})", sale, location, lines_json(lines));
  if (!reservation.empty()) data += fmt::format(R"(,"reservation":"{}")", reservation);
  return {"stock.Sold", data + "}", tags_of(lines, "sale:" + sale)};
}

Fact returned(const std::string& sale, const std::string& location, const std::vector<FactLine>& lines) {
  return {"stock.Returned",
          fmt::format(R"({{"sale":"{}","location":"{}","lines":{}}})", sale, location, lines_json(lines)),
          tags_of(lines, "sale:" + sale)};
}

Fact reserved(const std::string& reservation, const std::string& location, const std::vector<FactLine>& lines) {
  return {"stock.Reserved",
          fmt::format(R"({{"reservation":"{}","location":"{}","lines":{}}})", reservation, location, lines_json(lines)),
          tags_of(lines, "reservation:" + reservation)};
}

Fact reservation_ended(const std::string& type, const std::string& reservation, const std::string& item) {
  return {type, fmt::format(R"({{"reservation":"{}"}})", reservation), {"stock:" + item, "reservation:" + reservation}};
}

Fact transferred(const std::string& from, const std::string& to, const std::vector<FactLine>& lines) {
  return {"stock.Transferred", fmt::format(R"({{"from":"{}","to":"{}","lines":{}}})", from, to, lines_json(lines)),
          tags_of(lines)};
}

Fact written_off(const std::string& location, const std::vector<FactLine>& lines) {
  return {"stock.WrittenOff",
          fmt::format(R"({{"location":"{}","lines":{},"reason":"broken"}})", location, lines_json(lines)),
          tags_of(lines)};
}

Fact counted(const FactLine& found, const std::string& location) {
  return {"stock.Counted",
          fmt::format(R"({{"item":"{}","batch":"{}","location":"{}","quantity":{},"reason":"stocktaking"}})",
                      found.item, found.batch, location, found.quantity),
          {"stock:" + found.item}};
}

Fact batch_fact(const std::string& type, const std::string& item, const std::string& batch) {
  return {type, fmt::format(R"({{"item":"{}","batch":"{}"}})", item, batch), {"stock:" + item}};
}

std::string sale_of(const std::string& sale, const std::string& item, std::int64_t quantity,
                    const std::string& location) {
  return fmt::format(R"({{"sale":"{}","location":"{}","lines":[{{"item":"{}","quantity":{}}}]}})", sale, location, item,
                     quantity);
}

}  // namespace bahi::test
