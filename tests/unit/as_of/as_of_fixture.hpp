// A made-up history in memory, its read model, and fresh folds of it to compare with.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "bahi/projections/projections.hpp"
#include "bahi/workload/history.hpp"
#include "engine_fixture.hpp"
#include "instance.hpp"
#include "view_store.hpp"

namespace bahi::test {

/// A query with its arguments, in which {key} stands for the value of such a tag of some event.
struct Question {
  std::string query;
  std::string arguments;
};
/// A read model, the history that it folds, and what can be asked of it.
struct Subject {
  std::string projection;
  workload::Kind kind;
  std::vector<Question> questions;
};
[[nodiscard]] const std::vector<Subject>& subjects();

/// An answer, or the code of an error.
struct Reply {
  std::string json;
  ErrorCode error{};
  bool operator==(const Reply&) const = default;
};

class PastFixture {
 public:
  explicit PastFixture(const Subject& subject, std::uint64_t seed = 1);

  TemporaryDirectory directory;
  std::unique_ptr<Engine> engine = memory_engine();
  TenantId tenant = *engine->create_tenant("shop");
  projections::ProjectionsOptions options;
  std::unique_ptr<projections::Projections> projections;

  void open();
  void append(std::uint64_t events);
  /// Until everything is folded.
  void settle() const;
  [[nodiscard]] Question draw(std::mt19937_64& random) const;
  [[nodiscard]] Reply ask(const Question& question, std::optional<Offset> at_offset) const;
  /// The answer of a fold of [0, at) that knows nothing of snapshots or of other offsets.
  [[nodiscard]] Reply fold_and_ask(const Question& question, Offset at);
  [[nodiscard]] std::size_t warnings(const std::string& text) const;
  [[nodiscard]] std::filesystem::path snapshots() const { return directory.path() / "snapshots"; }
  [[nodiscard]] std::filesystem::path views() const { return directory.path() / "views"; }
  [[nodiscard]] Offset end() const { return engine->durable_offset(tenant); }

 private:
  const Subject subject_;
  std::unique_ptr<workload::History> history_;
  std::vector<std::map<std::string, std::string>> samples_;  // tags of events
  std::unique_ptr<projections::ViewStore> fresh_;
  std::pair<Offset, projections::InstanceFact> last_fold_;
  mutable std::mutex mutex_;
  std::vector<std::string> warnings_;  // protected by mutex_
};

/// Changes a byte in the middle of the file, under this name only: other names keep what it held.
void damage_file(const std::filesystem::path& file);

}  // namespace bahi::test
