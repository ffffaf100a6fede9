#include "report.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>

#include <fmt/format.h>

// Boost.JSON without its library: Debian's libboost-json would be one more package for one file.
#include <boost/json/src.hpp>

#include "scratch.hpp"

namespace bahi::bench {

Spread Spread::of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  const double median = values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {median, values.front(), values.back()};
}

std::string Spread::to_string(double scale, int digits) const {
  return fmt::format("{:.{}f} ({:.{}f}-{:.{}f})", median * scale, digits, low * scale, digits, high * scale, digits);
}

boost::json::object Spread::to_json() const {
  return {{"median", median}, {"low", low}, {"high", high}};
}

Spread ratio_of(std::span<const double> a, std::span<const double> b) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (b[i] > 0) ratios.push_back(a[i] / b[i]);
  }
  return Spread::of(std::move(ratios));
}

std::string format_nanos(double nanos) {
  if (nanos < 1e4) return fmt::format("{:.0f} ns", nanos);
  if (nanos < 1e6) return fmt::format("{:.0f} us", nanos / 1e3);
  if (nanos < 1e9) return fmt::format("{:.2f} ms", nanos / 1e6);
  return fmt::format("{:.2f} s", nanos / 1e9);
}

std::string format_latency(const Histogram& histogram) {
  const auto at = [&](double percent) { return format_nanos(static_cast<double>(histogram.percentile(percent))); };
  return fmt::format("{} / {} / {} / {}", at(50), at(99), at(99.9), format_nanos(static_cast<double>(histogram.max())));
}

boost::json::object latency_json(const Histogram& histogram) {
  return {{"count", histogram.count()},
          {"p50_nanos", histogram.percentile(50)},
          {"p99_nanos", histogram.percentile(99)},
          {"p99_9_nanos", histogram.percentile(99.9)},
          {"max_nanos", histogram.max()}};
}

std::string Table::to_string() const {
  std::string text;
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += fmt::format("{:<{}}  ", row[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

void Table::print() const {
  fmt::print("{}", to_string());
  std::fflush(stdout);
}

Report::Report(std::string_view program) {
  root_["program"] = program;
}

void Report::target(std::string_view name, double measured, bool at_least, double limit, std::string_view unit,
                    int digits) {
  targets_.push_back({std::string(name), measured, at_least, limit, std::string(unit), digits});
}

bool Report::print_targets() const {
  bool all_met = true;
  for (const Target& target : targets_) {
    all_met = all_met && target.met();
    fmt::print("{}  {}: {:.{}f} {} (target {} {:.{}f})\n", target.met() ? "PASS" : "MISS", target.name, target.measured,
               target.digits, target.unit, target.at_least ? ">=" : "<=", target.limit, target.digits);
  }
  std::fflush(stdout);
  return all_met;
}

void Report::write_json(const std::string& path) {
  if (path.empty()) return;
  boost::json::array targets;
  for (const Target& target : targets_) {
    targets.push_back(boost::json::object{{"name", target.name},
                                          {"measured", target.measured},
                                          {"unit", target.unit},
                                          {"limit", target.limit},
                                          {"at_least", target.at_least},
                                          {"met", target.met()}});
  }
  root_["results"] = results_;
  root_["targets"] = std::move(targets);
  const std::string text = boost::json::serialize(root_);
  if (path == "-") {
    fmt::print("{}\n", text);
    return;
  }
  std::ofstream file(path);
  file << text << '\n';
  if (!file.flush()) fail(fmt::format("--json {}: cannot be written", path));
}

}  // namespace bahi::bench
