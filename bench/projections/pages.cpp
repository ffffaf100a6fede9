#include "pages.hpp"

#include <array>
#include <functional>

#include <fmt/format.h>
#include <boost/json/parse.hpp>

#include "machine.hpp"
#include "questions.hpp"
#include "scratch.hpp"

namespace bahi::bench {
namespace {

constexpr std::size_t kPageSize = 50;
constexpr std::uint64_t kWarmUp = 500;

struct PageCase {
  std::string_view name;
  std::string arguments;
};

/// The page in front of message 51 of a conversation is its first.
std::array<PageCase, 2> page_cases() {
  return {
      {{"newest", fmt::format(R"({{"conversation":"general","limit":{}}})", kPageSize)},
       {"deepest", fmt::format(R"({{"conversation":"general","limit":{},"position":{}}})", kPageSize, kPageSize + 1)}}};
}

using Ask = std::function<std::string(const std::string& arguments)>;

void check_page(const std::string& answer) {
  const auto parsed = boost::json::parse(answer);
  const std::size_t messages = parsed.as_object().at("messages").as_array().size();
  if (messages != kPageSize) {
    fail(fmt::format("a page of {} messages was asked for, {} came; the history is too short", kPageSize, messages));
  }
}

void measure_pages(std::string_view where, const Ask& ask, std::uint64_t reads, double limit_nanos, Report& report) {
  const auto cases = page_cases();
  std::array<Histogram, 2> latency;
  for (const PageCase& page : cases) check_page(ask(page.arguments));
  // In turns, so that a machine that becomes slower does so for both.
  for (std::uint64_t i = 0; i < reads + kWarmUp; ++i) {
    for (std::size_t at = 0; at < cases.size(); ++at) {
      const std::uint64_t start = now_nanos();
      static_cast<void>(ask(cases[at].arguments));
      if (i >= kWarmUp) latency[at].record(now_nanos() - start);
    }
  }
  for (std::size_t at = 0; at < cases.size(); ++at) {
    fmt::print("page of {} {}, {:7}  {}\n", kPageSize, where, cases[at].name, format_latency(latency[at]));
    report.add_result(
        {{"kind", "page"}, {"where", where}, {"page", cases[at].name}, {"latency", latency_json(latency[at])}});
    if (limit_nanos > 0) {
      report.target(fmt::format("page {} {}, p99", where, cases[at].name),
                    static_cast<double>(latency[at].percentile(99)) / 1e3, false, limit_nanos / 1e3, "us", 0);
    }
  }
  const double newest = static_cast<double>(latency[0].percentile(50));
  const double deepest = static_cast<double>(latency[1].percentile(50));
  report.target(fmt::format("page {}: deepest / newest, medians", where), deepest / newest, false, 1.2, "");
  std::fflush(stdout);
}

}  // namespace

void run_pages_in_process(Histories& histories, const AnswerSettings& settings, Report& report) {
  const TenantId tenant = histories.tenant(workload::Kind::kChat);
  const Ask ask = [&](const std::string& arguments) {
    return require(histories.projections().query({tenant, "timelines", "page", arguments, {}}), "a page").json;
  };
  measure_pages("in process", ask, settings.reads, 0, report);
}

void run_pages_over_tcp(client::Client& client, const AnswerSettings& settings, Report& report) {
  const Ask ask = [&](const std::string& arguments) {
    return require(client.query({"timelines", "page", arguments, {}, 60'000}), "a page").json;
  };
  measure_pages("over TCP", ask, settings.reads, 300'000, report);
}

void run_questions(client::Client& client, const ReadModelCase& read_model, const AnswerSettings& settings,
                   Report& report) {
  Table table({std::string(read_model.name), "arguments", "first", "p50", "p99", "bytes"});
  for (const Question& question : questions_of(read_model, settings.history)) {
    const wire::Query query{std::string(read_model.name), question.query, question.arguments, {}, 60'000};
    Histogram latency;
    std::uint64_t first_nanos = 0;
    std::size_t bytes = 0;
    for (std::uint64_t i = 0; i <= settings.questions; ++i) {
      const std::uint64_t start = now_nanos();
      const auto answer = require(client.query(query), fmt::format("{} {}", question.query, question.arguments));
      const std::uint64_t nanos = now_nanos() - start;
      if (i == 0) first_nanos = nanos;
      if (i != 0) latency.record(nanos);
      bytes = answer.json.size();
    }
    table.add({question.query, question.arguments.substr(0, 60), format_nanos(static_cast<double>(first_nanos)),
               format_nanos(static_cast<double>(latency.percentile(50))),
               format_nanos(static_cast<double>(latency.percentile(99))), std::to_string(bytes)});
    report.add_result({{"kind", "query"},
                       {"read_model", read_model.name},
                       {"query", question.query},
                       {"arguments", question.arguments},
                       {"first_nanos", first_nanos},
                       {"latency", latency_json(latency)},
                       {"bytes", bytes}});
  }
  fmt::print("\n");
  table.print();
  std::fflush(stdout);
}

}  // namespace bahi::bench
