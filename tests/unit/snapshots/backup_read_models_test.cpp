// Read models of a restored store are those of the original at the backup's offset.
#include <catch2/catch.hpp>

#include <array>
#include <atomic>

#include "backup_fixture.hpp"
#include "bahi/projections/projections.hpp"
#include "bahi/schemas/batch_builder.hpp"
#include "bahi/workload/history.hpp"

namespace bahi {
namespace {

using test::BackedUpStore;

struct Kind {
  workload::Kind history;
  std::string name;   // of the tenant
  std::string model;  // made for such a history
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all{{workload::Kind::kChat, "community", "timelines"},
                                     {workload::Kind::kPharmacy, "pharmacies", "stock"},
                                     {workload::Kind::kPayments, "payers", "payments"},
                                     {workload::Kind::kAudit, "auditors", "audit"}};
  return all;
}

/// Appends made-up events of one kind to one tenant.
class History {
 public:
  History(Engine& engine, const Kind& kind) : engine_(engine) {
    const auto tenant = engine.create_tenant(kind.name);
    REQUIRE(tenant);
    tenant_ = *tenant;
    workload::HistoryOptions options;
    options.kind = kind.history;
    options.members = 50;
    options.shops = 2;
    options.items = 20;
    options.customers = 30;
    options.accounts = 30;
    history_ = workload::make_history(options);
  }
  [[nodiscard]] TenantId tenant() const { return tenant_; }
  void write(int batches) {
    for (int i = 0; i < batches; ++i) {
      BatchBuilder builder;
      NewEvent event;
      for (int k = 0; k < 40; ++k) {
        history_->next(event);
        REQUIRE(builder.add(event));
      }
      AppendRequest request;
      request.tenant = tenant_;
      auto body = builder.finish();
      REQUIRE(body);
      request.body = std::move(*body);
      REQUIRE(engine_.append(std::move(request)));
    }
  }

 private:
  Engine& engine_;
  TenantId tenant_;
  std::unique_ptr<workload::History> history_;
};

/// The state of a read model of the log below `end`.
Hash128 state_up_to(projections::Projections& projections, TenantId tenant, const std::string& model, Offset end) {
  REQUIRE(projections.start(tenant, model, "test"));
  REQUIRE(projections.replay(tenant, model, "x", {0}, end, "test"));
  std::atomic<bool> done{false};
  const auto cancel = projections.notify_at(tenant, model + "@x", end, [&done] {
    done = true;
    done.notify_all();
  });
  done.wait(false);
  for (const auto& status : projections.list(tenant)) {
    if (status.name == model + "@x") CHECK(status.next == end);
  }
  const auto fingerprint = projections.fingerprint(tenant, model + "@x");
  REQUIRE(fingerprint);
  return *fingerprint;
}

TEST_CASE("backup: every read model of what is restored equals the original's at the backup's offset", "[backup]") {
  BackedUpStore store;
  std::vector<std::unique_ptr<History>> histories;
  for (const Kind& kind : kinds()) histories.push_back(std::make_unique<History>(store.engine(), kind));
  const auto write = [&histories](int batches) {
    for (const auto& history : histories) history->write(batches);
  };
  write(8);
  store.back_up();
  write(7);
  store.back_up();
  write(5);  // which the backups do not hold

  const auto restored = store.restore("restored");
  auto original_views = projections::Projections::open(store.place("views"), store.engine(), {});
  auto restored_views = projections::Projections::open(store.place("restored-views"), *restored, {});
  REQUIRE(original_views);
  REQUIRE(restored_views);
  for (std::size_t i = 0; i < kinds().size(); ++i) {
    const TenantId tenant = histories[i]->tenant();
    const Offset end = restored->durable_offset(tenant);
    CHECK(end == Offset{15 * 40});
    for (const std::string& model : {kinds()[i].model, std::string("activity")}) {
      CAPTURE(kinds()[i].name, model);
      CHECK(state_up_to(**restored_views, tenant, model, end) == state_up_to(**original_views, tenant, model, end));
    }
  }
}

}  // namespace
}  // namespace bahi
