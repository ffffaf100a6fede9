// Tables for people, JSON for programs, PASS or MISS for the targets.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "histogram.hpp"

namespace bahi::bench {

/// Median, and the smallest and largest value, of repeated measurements.
struct Spread {
  double median = 0;
  double low = 0;
  double high = 0;

  [[nodiscard]] static Spread of(std::vector<double> values);
  /// "1.23 (1.20-1.31)", each multiplied by `scale`.
  [[nodiscard]] std::string to_string(double scale = 1, int digits = 2) const;
  [[nodiscard]] boost::json::object to_json() const;
};

/// Median of a / b, pair by pair.
[[nodiscard]] Spread ratio_of(std::span<const double> a, std::span<const double> b);

/// "850 ns", "123 us", "4.56 ms", "1.23 s"
[[nodiscard]] std::string format_nanos(double nanos);
/// p50, p99, p99.9 and largest, separated by " / ".
[[nodiscard]] std::string format_latency(const Histogram& histogram);
[[nodiscard]] boost::json::object latency_json(const Histogram& histogram);

class Table {
 public:
  explicit Table(std::vector<std::string> head) : rows_{std::move(head)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] std::string to_string() const;
  void print() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// Collects what one program measured.
class Report {
 public:
  explicit Report(std::string_view program);

  boost::json::object& root() noexcept { return root_; }
  void add_result(boost::json::object result) { results_.push_back(std::move(result)); }
  /// `measured` must be at least (`at_least`) or at most `limit`.
  void target(std::string_view name, double measured, bool at_least, double limit, std::string_view unit,
              int digits = 2);
  /// Prints one line per target; true when none was missed.
  bool print_targets() const;
  /// Writes everything to `path` ("-": standard output); does nothing when it is empty.
  void write_json(const std::string& path);

 private:
  struct Target {
    std::string name;
    double measured;
    bool at_least;
    double limit;
    std::string unit;
    int digits;
    [[nodiscard]] bool met() const { return at_least ? measured >= limit : measured <= limit; }
  };
  boost::json::object root_;
  boost::json::array results_;
  std::vector<Target> targets_;
};

}  // namespace bahi::bench
