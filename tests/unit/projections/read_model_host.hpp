// A read model of one tenant as a test drives it: facts in, questions and commands, in process or through a server.
#pragma once

#include <memory>
#include <optional>
#include <string>
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
  std::string stream = "facts-raw";
};

Timestamp time_of(const std::string& time);
/// The same, at another time.
Fact at(Fact fact, const std::string& time);

class ReadModelHost {
 public:
  ReadModelHost() = default;
  ReadModelHost(const ReadModelHost&) = delete;
  ReadModelHost& operator=(const ReadModelHost&) = delete;
  virtual ~ReadModelHost() = default;

  /// All in one append.
  [[nodiscard]] virtual Result<AppendResult> try_append(const std::vector<Fact>& facts) const = 0;
  /// With everything folded in that was appended before.
  [[nodiscard]] virtual Result<projections::QueryAnswer> try_ask(const std::string& query,
                                                                 const std::string& arguments) const = 0;
  [[nodiscard]] virtual Result<projections::CommandAnswer> try_run(const std::string& command,
                                                                   const std::string& arguments,
                                                                   std::optional<ProducerPosition> producer) const = 0;
  /// The same question about another tenant, who has these facts only.
  [[nodiscard]] virtual Result<projections::QueryAnswer> try_ask_neighbour(const std::vector<Fact>& facts,
                                                                           const std::string& query,
                                                                           const std::string& arguments) const = 0;
  /// The log's end.
  [[nodiscard]] virtual Offset end() const = 0;

  void append(const std::vector<Fact>& facts) const;
  [[nodiscard]] Json ask(const std::string& query, const std::string& arguments) const;
  Json run(const std::string& command, const std::string& arguments) const;
  [[nodiscard]] Result<projections::CommandAnswer> try_run(const std::string& command,
                                                           const std::string& arguments) const {
    return try_run(command, arguments, {});
  }
  /// The error of a command that must be refused, and store nothing.
  [[nodiscard]] Error refusal(const std::string& command, const std::string& arguments) const;
  /// Every row of a query with pages, each as JSON.
  [[nodiscard]] std::vector<std::string> all_rows(const std::string& query, const std::string& arguments,
                                                  const std::string& list, int limit = 100) const;
};

/// A body with these facts.
[[nodiscard]] EncodedBody body_of(const std::vector<Fact>& facts);

/// With this read model started. Each test program has its own way.
std::unique_ptr<ReadModelHost> read_model_host(const std::string& projection);

/// Driven as the test program drives read models.
class HostedModel : public ReadModelHost {
 public:
  explicit HostedModel(const std::string& projection) : host_(read_model_host(projection)) {}

  using ReadModelHost::try_run;
  [[nodiscard]] Result<AppendResult> try_append(const std::vector<Fact>& facts) const override {
    return host_->try_append(facts);
  }
  [[nodiscard]] Result<projections::QueryAnswer> try_ask(const std::string& query,
                                                         const std::string& arguments) const override {
    return host_->try_ask(query, arguments);
  }
  [[nodiscard]] Result<projections::CommandAnswer> try_run(const std::string& command, const std::string& arguments,
                                                           std::optional<ProducerPosition> producer) const override {
    return host_->try_run(command, arguments, producer);
  }
  [[nodiscard]] Result<projections::QueryAnswer> try_ask_neighbour(const std::vector<Fact>& facts,
                                                                   const std::string& query,
                                                                   const std::string& arguments) const override {
    return host_->try_ask_neighbour(facts, query, arguments);
  }
  [[nodiscard]] Offset end() const override { return host_->end(); }

 private:
  const std::unique_ptr<ReadModelHost> host_;
};

}  // namespace bahi::test
