// A read model in process, on an engine in memory.
#pragma once

#include "read_model_host.hpp"

namespace bahi::test {

class ProcessHost : public ReadModelHost {
 public:
  /// Of the tenant `shop`, with the read model started.
  explicit ProcessHost(std::string projection);
  TemporaryDirectory directory;
  std::unique_ptr<Engine> engine = memory_engine();
  TenantId tenant = *engine->create_tenant("shop");
  std::unique_ptr<projections::Projections> projections;

  void restart();
  /// Forgets all state, and folds again from nothing.
  void start_over();
  /// Builds the read model anew and waits for it.
  void rebuild() const;
  /// Until everything is folded, or the projection rests.
  void settle() const;
  [[nodiscard]] Hash128 fingerprint() const;
  [[nodiscard]] projections::ProjectionStatus status() const;

  using ReadModelHost::try_run;
  [[nodiscard]] Result<AppendResult> try_append(const std::vector<Fact>& facts) const override;
  [[nodiscard]] Result<projections::QueryAnswer> try_ask(const std::string& query,
                                                         const std::string& arguments) const override;
  [[nodiscard]] Result<projections::CommandAnswer> try_run(const std::string& command, const std::string& arguments,
                                                           std::optional<ProducerPosition> producer) const override;
  [[nodiscard]] Result<projections::QueryAnswer> try_ask_neighbour(const std::vector<Fact>& facts,
                                                                   const std::string& query,
                                                                   const std::string& arguments) const override;
  [[nodiscard]] Offset end() const override { return engine->durable_offset(tenant); }

 private:
  void settle(TenantId of) const;
  [[nodiscard]] Result<AppendResult> append_to(TenantId to, const std::vector<Fact>& facts) const;
  const std::string projection_;
};

}  // namespace bahi::test
