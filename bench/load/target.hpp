// The server that a load is put on: its tenant, its own figures, and what is needed to repeat a run.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include <boost/json/object.hpp>

#include "bahi/client/client.hpp"
#include "load.hpp"

namespace bahi::bench {

/// Makes sure that the tenant exists, creating it when the credential allows that; gives what the server says about
/// itself. Errors: those of Client.
[[nodiscard]] Result<wire::Welcome> prepare(const LoadOptions& options);

/// One behind the last event of the tenant's log. Errors: those of Client::read.
[[nodiscard]] Result<Offset> end_of_log(const LoadOptions& options);

/// The counters of a server, if the credential may ask for them. Not thread-safe.
class StatusWatch {
 public:
  explicit StatusWatch(const LoadOptions& options);
  using Counters = std::map<std::string, std::uint64_t>;
  /// Empty when they may not be seen.
  [[nodiscard]] Counters read() const;

 private:
  std::unique_ptr<client::Client> client_;
};

/// What the server and this process did from one moment to another, for a report.
class Meter {
 public:
  explicit Meter(const LoadOptions& options) : watch_(options) {}
  void begin();
  void end();
  /// Adds it as "used", and a line or two of it for people.
  void add_to(LoadReport& report, std::uint64_t events) const;

 private:
  struct Moment;
  [[nodiscard]] std::uint64_t change(const std::string& counter) const;

  StatusWatch watch_;
  std::shared_ptr<const Moment> begin_;
  std::shared_ptr<const Moment> end_;
};

/// Settings, machine and versions; without the credential.
[[nodiscard]] boost::json::object conditions(std::string_view what, const LoadOptions& options,
                                             const wire::Welcome& welcome);

}  // namespace bahi::bench
