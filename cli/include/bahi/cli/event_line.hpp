// One event as one line of NDJSON; the form is described in docs/cli.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "bahi/base/clock.hpp"
#include "bahi/base/result.hpp"
#include "bahi/cli/json_text.hpp"
#include "bahi/schemas/event.hpp"

namespace bahi::cli {

/// What a line says. Views point into the line and the reader.
struct EventLine {
  NewEvent event;
  bool has_occurred_at = false;  ///< otherwise the event carries the reader's clock
};

/// Reads lines. Not thread-safe.
class EventLineReader {
 public:
  explicit EventLineReader(const Clock& clock = SystemClock::instance());
  ~EventLineReader();
  EventLineReader(const EventLineReader&) = delete;
  EventLineReader& operator=(const EventLineReader&) = delete;

  /// The event of `line`, good until the next call and as long as the line's bytes. `data` is a view of the
  /// line: the value's bytes verbatim. Errors name line and column (bytes, from 1):
  /// kMalformedJson for the line's form, kInvalidArgument for a field's value.
  [[nodiscard]] Result<const EventLine*> parse(std::string_view line, std::uint64_t line_number);

  /// Puts line and column in front of an error that the batch builder gave for the
  /// event parsed last ("field: what is wrong").
  [[nodiscard]] Error locate(const Error& error) const;

 private:
  class Handler;
  std::unique_ptr<Handler> handler_;
};

/// Writes lines. Reusable; not thread-safe.
class EventLineWriter {
 public:
  /// Appends the event and a line feed to `out`.
  void append(const EventView& event, std::string& out);

 private:
  /// The text of the time last asked for; neighbours in a log often share it.
  struct TimeText {
    Timestamp time;
    std::string text;  ///< as JSON; empty at first
  };
  static void append_time(Timestamp time, TimeText& last, std::string& out);
  void append_data(const EventView& event, std::string& out);

  JsonChecker checker_;
  TimeText recorded_;
  TimeText occurred_;
};

}  // namespace bahi::cli
