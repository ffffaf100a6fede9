#include "as_of_fixture.hpp"

#include <algorithm>
#include <atomic>
#include <fstream>

#include "arguments.hpp"
#include "bahi/schemas/batch_builder.hpp"

namespace bahi::test {
namespace {

using projections::Instance;
using projections::InstanceFact;
using projections::ViewStore;

workload::HistoryOptions history_of(workload::Kind kind, std::uint64_t seed) {
  workload::HistoryOptions options;
  options.kind = kind;
  options.seed = seed;
  options.members = 60;
  options.rooms = 4;
  options.shops = 3;
  options.items = 12;
  options.customers = 40;
  options.administrators = 6;
  options.accounts = 40;
  options.events_per_day = 60;
  return options;
}

/// Up to so many events a fresh fold begins at nothing each time; beyond, it goes on from the offset asked for last.
constexpr std::uint64_t kAlwaysFreshMax = 5'000;

}  // namespace

const std::vector<Subject>& subjects() {
  static const std::vector<Subject> all{
      {"activity", workload::Kind::kChat, {{"types", "{}"}, {"type", R"({"type":"chat.MessageSent"})"}}},
      {"audit",
       workload::Kind::kAudit,
       {{"records", R"({"limit":20})"},
        {"records", R"({"order":"oldest","limit":20})"},
        {"records", R"({"target_type":"account","target_id":"{account}"})"},
        {"records", R"({"text":"sus* account","limit":5})"},
        {"record", R"({"offset":3})"}}},
      {"payments",
       workload::Kind::kPayments,
       {{"payment", R"({"payment":"{payment}"})"},
        {"order", R"({"order":"{order}"})"},
        {"captures", R"({"payment":"{payment}"})"},
        {"refunds", R"({"payment":"{payment}"})"},
        {"release_queue", R"({"at":"2026-06-01T00:00:00Z"})"},
        {"payout_queue", "{}"},
        {"totals", "{}"},
        {"reconciliation", "{}"}}},
      {"stock",
       workload::Kind::kPharmacy,
       {{"availability", R"({"item":"{stock}","date":"2026-03-01"})"},
        {"availability", R"({"date":"2026-03-01","limit":1000})"},
        {"valuation", "{}"},
        {"item", R"({"item":"{stock}","at":"2026-03-01T00:00:00Z"})"},
        {"sale", R"({"sale":"{sale}"})"},
        {"reservation", R"({"reservation":"{reservation}"})"},
        {"due_reservations", R"({"at":"2026-02-01T00:00:00Z"})"},
        {"discrepancies", "{}"}}},
      {"timelines",
       workload::Kind::kChat,
       {{"page", R"({"conversation":"{conversation}","limit":30})"},
        {"message", R"({"conversation":"{conversation}","message":"{message}"})"},
        {"versions", R"({"conversation":"{conversation}","message":"{message}"})"},
        {"reactions", R"({"conversation":"{conversation}","message":"{message}"})"},
        {"receipts", R"({"conversation":"{conversation}","message":"{message}"})"},
        {"threads", R"({"conversation":"{conversation}","user":"{user}"})"},
        {"conversations", R"({"user":"{user}"})"},
        {"pins", R"({"conversation":"{conversation}"})"}}},
  };
  return all;
}

PastFixture::PastFixture(const Subject& subject, std::uint64_t seed)
    : subject_(subject), history_(workload::make_history(history_of(subject.kind, seed))) {
  options.snapshot_events = 0;
  options.snapshot_interval = {};
  options.log = [this](LogLevel, std::string_view line) {
    const std::scoped_lock lock(mutex_);
    warnings_.emplace_back(line);
  };
  open();
  REQUIRE(projections->start(tenant, subject_.projection, "admin"));
  ViewStore::Options scratch;
  scratch.durable = false;
  auto fresh = ViewStore::open(directory.path() / "fresh", scratch);
  REQUIRE(fresh);
  fresh_ = std::move(*fresh);
}

void PastFixture::open() {
  projections.reset();
  auto opened = projections::Projections::open(views(), *engine, options);
  REQUIRE(opened);
  projections = std::move(*opened);
}

void PastFixture::append(std::uint64_t events) {
  constexpr std::uint32_t kBatchEvents = 37;  // offsets asked for fall into batches
  BatchBuilder builder;
  NewEvent event;
  for (std::uint64_t i = 0; i < events; ++i) {
    history_->next(event);
    if (samples_.size() < 5'000) {
      auto& sample = samples_.emplace_back();
      for (const std::string_view tag : event.tags) {
        const std::size_t colon = tag.find(':');
        if (colon != std::string_view::npos) sample.emplace(tag.substr(0, colon), tag.substr(colon + 1));
      }
    }
    REQUIRE(builder.add(event));
    if (builder.event_count() < kBatchEvents && i + 1 < events) continue;
    AppendRequest request;
    request.tenant = tenant;
    request.body = *builder.finish();
    REQUIRE(engine->append(std::move(request)));
  }
}

void PastFixture::settle() const {
  std::atomic<bool> done{false};
  const auto cancel = projections->notify_at(tenant, subject_.projection, end(), [&done] {
    done = true;
    done.notify_all();
  });
  done.wait(false);
}

Question PastFixture::draw(std::mt19937_64& random) const {
  Question question = subject_.questions[random() % subject_.questions.size()];
  for (;;) {
    const auto& sample = samples_[random() % samples_.size()];
    std::string arguments = question.arguments;
    for (const auto& [key, value] : sample) {
      const std::string name = "{" + key + "}";
      const std::size_t place = arguments.find(name);
      if (place != std::string::npos) arguments.replace(place, name.size(), value);
    }
    // Braces within the outermost ones: a tag that this event lacks.
    if (arguments.find('{', 1) != std::string::npos) continue;
    question.arguments = arguments;
    return question;
  }
}

Reply PastFixture::ask(const Question& question, std::optional<Offset> at_offset) const {
  projections::QueryRequest request{tenant, subject_.projection, question.query, question.arguments, {}};
  request.at_offset = at_offset;
  const auto answer = projections->query(request);
  if (!answer) return {answer.error().message(), answer.error().code()};
  if (at_offset) CHECK(answer->offset == *at_offset);
  return {answer->json, {}};
}

Reply PastFixture::fold_and_ask(const Question& question, Offset at) {
  const projections::Projection& projection = *projections::find_projection(subject_.projection);
  auto& [last, fact] = last_fold_;
  const bool goes_on = fact.id.value != 0 && last <= at && end().value > kAlwaysFreshMax;
  if (!goes_on && (last != at || fact.id.value == 0)) {
    fact = {};
    fact.id = fresh_->add_instance();
    fact.tenant = tenant;
    fact.name = fact.projection = subject_.projection;
  }
  if (last != at || !goes_on) {
    fact.to = at;
    projections::FoldMemory memory(std::size_t{64} << 20U);
    Instance instance(*engine, *fresh_, memory, projection, fact, {});
    REQUIRE(instance.resume());
    while (at.value != 0 && instance.run_slice(std::chrono::seconds(10), true) == Instance::Next::kMore) {
    }
    REQUIRE(instance.next() == at);
    last = at;
  }
  const auto view = fresh_->view(fact.id);
  const auto entry = std::find_if(projection.queries.begin(), projection.queries.end(),
                                  [&](const auto& each) { return each.name == question.query; });
  REQUIRE(entry != projection.queries.end());
  auto arguments = projections::Arguments::parse(question.arguments);
  REQUIRE(arguments);
  projections::Answer answer;
  const Status done = entry->run({*engine, tenant, *view, at}, *arguments, answer);
  if (!done) return {done.error().message(), done.error().code()};
  return {answer.finish(), {}};
}

std::size_t PastFixture::warnings(const std::string& text) const {
  const std::scoped_lock lock(mutex_);
  return static_cast<std::size_t>(std::count_if(
      warnings_.begin(), warnings_.end(), [&](const auto& line) { return line.find(text) != std::string::npos; }));
}

void damage_file(const std::filesystem::path& file) {
  std::string content = contents_of(file);
  REQUIRE_FALSE(content.empty());
  content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 1);
  std::filesystem::remove(file);
  std::ofstream out(file, std::ios::binary);
  out << content;
  REQUIRE(out);
}

}  // namespace bahi::test
