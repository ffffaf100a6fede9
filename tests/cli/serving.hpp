// `bahi serve` for the length of a test.
#pragma once

#include <csignal>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include "bahi_process.hpp"

namespace bahi::test {

/// A server on the store, for as long as it lives.
class Serving {
 public:
  explicit Serving(const Store& store, const Arguments& more = {}) : process_(words(store, more), "") {
    REQUIRE(process_.wait_for_lines(1));
    const std::string line = split_lines(process_.out()).front();
    REQUIRE(line.starts_with("ready on "));
    address_ = line.substr(9);
  }
  [[nodiscard]] Outcome bahi(const Arguments& arguments, const std::string& token = "",
                             std::string_view input = "") const {
    return run(arguments, input, {"BAHI_SERVER=" + address_, "BAHI_TOKEN=" + token});
  }
  [[nodiscard]] const std::string& address() const { return address_; }
  void signal(int number) const { process_.signal(number); }
  Outcome stop() {
    process_.signal(SIGTERM);
    return process_.wait();
  }

 private:
  static Arguments words(const Store& store, const Arguments& more) {
    Arguments all{"--data", store.path(), "serve", "--listen", "127.0.0.1:0"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Process process_;
  std::string address_;
};

}  // namespace bahi::test
