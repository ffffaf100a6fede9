// How the answer of a query changed with the events of a range, page by page from a server.
#pragma once

#include <deque>
#include <string>

#include "bahi/client/client.hpp"

namespace bahi::cli {

/// Not thread-safe; must not outlive the client.
class TraceReader {
 public:
  struct Change {
    Offset offset;      ///< of the event that made it
    std::string after;  ///< JSON; "null": what is asked about is not there
  };
  /// `query.at_offset` or `query.at_time`, and `query.trace_to`, say where it begins and ends.
  TraceReader(client::Client& client, wire::Query query) : client_(client), query_(std::move(query)) {}

  /// To be called first. Errors: those of the query.
  Status begin();
  /// The answer where the trace begins.
  [[nodiscard]] const std::string& before() const noexcept { return before_; }
  /// False: there are no more.
  [[nodiscard]] Result<bool> next(Change& change);

 private:
  Status fetch();

  client::Client& client_;
  wire::Query query_;
  std::string before_;
  std::deque<Change> changes_;
  bool is_first_ = true;
  bool is_over_ = false;
};

}  // namespace bahi::cli
