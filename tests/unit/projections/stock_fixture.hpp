// A stock ledger in process: facts appended raw, commands, and answers taken apart.
#pragma once

#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <rapidjson/document.h>

#include "bahi/projections/projections.hpp"
#include "engine_fixture.hpp"

namespace bahi::test {

/// A parsed answer. Members are named by JSON pointers: "/batches/0/on_hand".
class Json {
 public:
  explicit Json(const std::string& text);
  [[nodiscard]] std::int64_t number(const std::string& pointer) const;
  [[nodiscard]] std::string text(const std::string& pointer) const;
  [[nodiscard]] bool flag(const std::string& pointer) const;
  [[nodiscard]] bool has(const std::string& pointer) const;
  [[nodiscard]] std::size_t size(const std::string& pointer) const;
  [[nodiscard]] const rapidjson::Value& value(const std::string& pointer) const;

 private:
  rapidjson::Document document_;
};

/// An event as a writer would append it.
struct Fact {
  std::string type;
  std::string data;
  std::vector<std::string> tags = {};
  Timestamp occurred_at = {};
};

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
/// The same, at another time.
Fact at(Fact fact, const std::string& time);
Timestamp time_of(const std::string& time);
/// The arguments of a `sell` with one line.
std::string sale_of(const std::string& sale, const std::string& item, std::int64_t quantity,
                    const std::string& location = "main");

class StockFixture {
 public:
  StockFixture();
  TemporaryDirectory directory;
  std::unique_ptr<Engine> engine = memory_engine();
  TenantId tenant = *engine->create_tenant("shop");
  std::unique_ptr<projections::Projections> projections;

  void restart();
  void append(const std::vector<Fact>& facts) const;
  /// Until everything is folded, or the projection rests.
  void settle() const;
  /// After all that was appended.
  [[nodiscard]] Json ask(const std::string& query, const std::string& arguments) const;
  [[nodiscard]] Result<projections::QueryAnswer> try_ask(const std::string& query, const std::string& arguments) const;
  Json run(const std::string& command, const std::string& arguments) const;
  [[nodiscard]] Result<projections::CommandAnswer> try_run(const std::string& command, const std::string& arguments,
                                                           std::optional<ProducerPosition> producer = {}) const;
  /// The error of a command that must be refused, and store nothing.
  [[nodiscard]] Error refusal(const std::string& command, const std::string& arguments) const;
  /// Every row of a query with pages.
  [[nodiscard]] std::vector<std::string> all_rows(const std::string& query, const std::string& arguments,
                                                  const std::string& list, int limit = 100) const;
};

}  // namespace bahi::test
