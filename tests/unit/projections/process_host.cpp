#include "process_host.hpp"

#include <atomic>
#include <future>
#include <thread>

namespace bahi::test {

using projections::CommandAnswer;
using projections::QueryAnswer;

ProcessHost::ProcessHost(std::string projection) : projection_(std::move(projection)) {
  restart();
  REQUIRE(projections->start(tenant, projection_, "admin"));
}

void ProcessHost::restart() {
  projections.reset();
  auto opened = projections::Projections::open(directory.path() / "views", *engine, {});
  REQUIRE(opened);
  projections = std::move(*opened);
}

void ProcessHost::start_over() {
  projections.reset();
  std::filesystem::remove_all(directory.path() / "views");
  restart();
}

void ProcessHost::rebuild() const {
  REQUIRE(projections->rebuild(tenant, projection_, "admin"));
  while (status().rebuilt_to) std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

void ProcessHost::settle() const {
  settle(tenant);
}

void ProcessHost::settle(TenantId of) const {
  std::atomic<bool> done{false};
  const auto cancel = projections->notify_at(of, projection_, engine->durable_offset(of), [&done] {
    done = true;
    done.notify_all();
  });
  done.wait(false);
}

Hash128 ProcessHost::fingerprint() const {
  settle();
  const auto hash = projections->fingerprint(tenant, projection_);
  REQUIRE(hash);
  return *hash;
}

projections::ProjectionStatus ProcessHost::status() const {
  const auto all = projections->list(tenant);
  REQUIRE(all.size() == 1);
  return all[0];
}

Result<AppendResult> ProcessHost::try_append(const std::vector<Fact>& facts) const {
  return append_to(tenant, facts);
}

Result<AppendResult> ProcessHost::append_to(TenantId to, const std::vector<Fact>& facts) const {
  if (facts.empty()) return AppendResult{};
  AppendRequest request;
  request.tenant = to;
  request.body = body_of(facts);
  return engine->append(std::move(request));
}

Result<QueryAnswer> ProcessHost::try_ask(const std::string& query, const std::string& arguments) const {
  settle();
  return projections->query({tenant, projection_, query, arguments, end()});
}

Result<QueryAnswer> ProcessHost::try_ask_neighbour(const std::vector<Fact>& facts, const std::string& query,
                                                   const std::string& arguments) const {
  BAHI_ASSIGN(const TenantId other, engine->create_tenant("neighbour"));
  BAHI_TRY(append_to(other, facts));
  BAHI_TRY(projections->start(other, projection_, "admin"));
  settle(other);
  return projections->query({other, projection_, query, arguments, engine->durable_offset(other)});
}

Result<CommandAnswer> ProcessHost::try_run(const std::string& command, const std::string& arguments,
                                           std::optional<ProducerPosition> producer) const {
  std::promise<Result<CommandAnswer>> promise;
  auto answer = promise.get_future();
  projections->command({tenant, projection_, command, arguments, "asha", producer,
                        std::chrono::steady_clock::now() + std::chrono::minutes(2)},
                       [&promise](Result<CommandAnswer> result) { promise.set_value(std::move(result)); });
  return answer.get();
}

std::unique_ptr<ReadModelHost> read_model_host(const std::string& projection) {
  return std::make_unique<ProcessHost>(projection);
}

}  // namespace bahi::test
