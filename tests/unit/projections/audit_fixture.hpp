// A tenant with an audit trail, driven in process.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <rapidjson/document.h>

#include "bahi/base/clock.hpp"
#include "bahi/projections/projections.hpp"
#include "engine_fixture.hpp"

namespace bahi::projections::test_audit {

using Json = rapidjson::Document;

/// An event with metadata, by value.
struct Act {
  std::string stream = "order-1";
  std::string type = "order.Placed";
  std::string data = "{}";
  std::string actor = {};
  std::string on_behalf_of = {};
  std::string correlation = {};
  std::string causation = {};
  std::string reason = {};
  std::string target_type = {};
  std::string target_id = {};
  Timestamp occurred_at = {};
  std::string content_type = "application/json";
};

[[nodiscard]] AppendRequest request_of(TenantId tenant, const std::vector<Act>& acts);

/// Takes events of any content, as they may lie in a log of former times, when `check_events` is false.
struct Trail {
  explicit Trail(bool check_events = true, const ProjectionsOptions& options = {});

  /// Appends one batch, recorded at the clock's time.
  void write(const std::vector<Act>& acts) const;
  void restart();
  /// Builds the read model anew and waits for it.
  void rebuild() const;
  /// Until everything is folded, or the projection rests.
  void settle() const;
  /// The answer, with everything folded. `arguments`: the members of a JSON object.
  [[nodiscard]] Json ask(const std::string& query, const std::string& arguments) const;
  [[nodiscard]] Error failure(const std::string& query, const std::string& arguments) const;
  [[nodiscard]] Hash128 fingerprint() const;

  ProjectionsOptions options;
  ManualClock clock{Timestamp{1'700'000'000'000'000'000}};
  test::TemporaryDirectory directory;
  std::unique_ptr<Engine> engine;
  TenantId tenant;
  std::unique_ptr<Projections> projections;
};

/// The offsets of an answer's records, with blanks between them.
[[nodiscard]] std::string offsets_of(const Json& answer);
/// All pages of a query, one after the other, as offsets.
[[nodiscard]] std::vector<std::uint64_t> all_offsets(const Trail& trail, const std::string& query,
                                                     const std::string& arguments, std::size_t limit);
/// The text member, or nothing.
[[nodiscard]] std::string text_of(const rapidjson::Value& object, const char* name);
/// One record in one line: who did what to what, with its changes.
[[nodiscard]] std::string line_of(const rapidjson::Value& record);

}  // namespace bahi::projections::test_audit
