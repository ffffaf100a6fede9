#include "bahi/base/failpoint.hpp"

#ifdef BAHI_FAILPOINTS

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

namespace bahi::failpoint {
namespace {

enum class Kind { kKill, kError, kSleep };

struct Point {
  std::string name;
  Kind kind = Kind::kError;
  unsigned sleep_ms = 0;
  unsigned trigger_pass = 0;  // 0 = every pass
  unsigned passes = 0;
};

struct Table {
  std::mutex mutex;
  std::vector<Point> points;  // protected by mutex
};

bool parse_number(std::string_view text, unsigned& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

Result<Point> parse_point(std::string_view text) {
  const Error bad{ErrorCode::kInvalidArgument,
                  fmt::format("failpoint '{}' is not name=kill|error|sleep:MS[@N]", text)};
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) return bad;
  Point point;
  point.name = std::string(text.substr(0, equals));
  std::string_view action = text.substr(equals + 1);
  if (const auto at = action.find('@'); at != std::string_view::npos) {
    if (!parse_number(action.substr(at + 1), point.trigger_pass)) return bad;
    action = action.substr(0, at);
  }
  if (action == "kill") {
    point.kind = Kind::kKill;
  } else if (action == "error") {
    point.kind = Kind::kError;
  } else if (action.starts_with("sleep:") && parse_number(action.substr(6), point.sleep_ms)) {
    point.kind = Kind::kSleep;
  } else {
    return bad;
  }
  return point;
}

Status arm_table(Table& table, std::string_view specification) {
  std::vector<Point> points;
  while (!specification.empty()) {
    const auto end = std::min(specification.find(';'), specification.size());
    if (end > 0) {
      BAHI_ASSIGN(Point point, parse_point(specification.substr(0, end)));
      points.push_back(std::move(point));
    }
    specification.remove_prefix(std::min(end + 1, specification.size()));
  }
  const std::scoped_lock lock(table.mutex);
  table.points = std::move(points);
  return {};
}

Table& table() {
  static Table instance;
  static const bool armed = [] {
    const char* specification = std::getenv("BAHI_FAILPOINTS");
    if (specification == nullptr) return true;
    if (const Status status = arm_table(instance, specification); !status) {
      fmt::print(stderr, "{}\n", status.error().message());
      std::abort();
    }
    return true;
  }();
  (void)armed;
  return instance;
}

}  // namespace

Status arm(std::string_view specification) { return arm_table(table(), specification); }

bool hit(std::string_view name) {
  Table& points = table();
  Kind kind = Kind::kError;
  unsigned sleep_ms = 0;
  {
    const std::scoped_lock lock(points.mutex);
    bool triggered = false;
    for (Point& point : points.points) {
      if (point.name != name) continue;
      ++point.passes;
      if (point.trigger_pass != 0 && point.passes != point.trigger_pass) continue;
      triggered = true;
      kind = point.kind;
      sleep_ms = point.sleep_ms;
    }
    if (!triggered) return false;
  }
  switch (kind) {
    case Kind::kKill: ::kill(::getpid(), SIGKILL); return true;
    case Kind::kSleep: std::this_thread::sleep_for(std::chrono::milliseconds(sleep_ms)); return false;
    case Kind::kError: return true;
  }
  return false;
}

}  // namespace bahi::failpoint

#endif
