#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>

#include <catch2/catch.hpp>

#include "bahi_process.hpp"

using namespace bahi::test;

namespace {

/// What a filter must give: the numbers below `count` that `wanted` accepts.
template <class Wanted>
std::vector<std::size_t> expected(std::size_t count, Wanted wanted) {
  std::vector<std::size_t> numbers;
  for (std::size_t n = 0; n < count; ++n) {
    if (wanted(n)) numbers.push_back(n);
  }
  return numbers;
}

void import(const Store& store, std::size_t from, std::size_t to, const std::string& batch = "100") {
  const Outcome outcome = store.bahi(
      {"import", "-t", "shop", "--source", "s" + std::to_string(from), "--batch-events", batch}, event_lines(from, to));
  CAPTURE(outcome.err);
  REQUIRE(outcome.exit_code == 0);
}

}  // namespace

TEST_CASE("read: every filter, alone and together", "[cli][read]") {
  const Store store;
  import(store, 0, 1000);
  using Filter = std::function<bool(std::size_t)>;
  const auto [arguments, wanted] = GENERATE(table<Arguments, Filter>({
      {{"--stream", "even-7"}, [](std::size_t n) { return n / 10 == 7 && n % 2 == 0; }},
      {{"--stream", "even-999"}, [](std::size_t) { return false; }},
      {{"--category", "odd"}, [](std::size_t n) { return n % 2 == 1; }},
      {{"--type", "third"}, [](std::size_t n) { return n % 3 == 0; }},
      {{"--type", "third", "--type", "other"}, [](std::size_t) { return true; }},
      {{"--type", "none"}, [](std::size_t) { return false; }},
      {{"--tag", "mod:3"}, [](std::size_t n) { return n % 7 == 3; }},
      {{"--tag", "mod:3", "--tag", "all"}, [](std::size_t n) { return n % 7 == 3; }},
      {{"--tag", "mod:3", "--tag", "mod:4"}, [](std::size_t) { return false; }},
      {{"--tag", "mod:3", "--type", "third", "--category", "even"}, [](std::size_t n) { return n % 42 == 24; }},
      {{"--from", "150", "--to", "162"}, [](std::size_t n) { return n >= 150 && n < 162; }},
      {{"--from", "150", "--to", "700", "--tag", "mod:0"},
       [](std::size_t n) { return n >= 150 && n < 700 && n % 7 == 0; }},
      {{"--from", "990"}, [](std::size_t n) { return n >= 990; }},
      {{"--from", "1000"}, [](std::size_t) { return false; }},
      {{"--to", "0"}, [](std::size_t) { return false; }},
      {{"--to", "5000", "--from", "998"}, [](std::size_t n) { return n >= 998; }},
  }));
  CAPTURE(arguments);
  std::vector<std::size_t> numbers = expected(1000, wanted);
  CHECK(numbers_of(store.read(arguments)) == numbers);

  Arguments limited = arguments;
  limited.insert(limited.end(), {"--limit", "3"});
  std::vector<std::size_t> first = numbers;
  first.resize(std::min<std::size_t>(first.size(), 3));
  CHECK(numbers_of(store.read(limited)) == first);

  std::reverse(numbers.begin(), numbers.end());
  Arguments backward = arguments;
  backward.emplace_back("--backward");
  CHECK(numbers_of(store.read(backward)) == numbers);
  numbers.resize(std::min<std::size_t>(numbers.size(), 3));
  limited.emplace_back("--backward");
  CHECK(numbers_of(store.read(limited)) == numbers);
}

TEST_CASE("read: a closed pipe ends it quietly", "[cli][read]") {
  const Store store;
  import(store, 0, 20'000, "1000");
  const TempDirectory directory;
  const std::string err = (directory.path() / "err").string();
  const std::string command = "BAHI_DATA=" + store.path() + " bash -o pipefail -c '" BAHI_PROGRAM " read -t shop 2>" +
                              err + " | head -n 1 >/dev/null'";
  CHECK(std::system(command.c_str()) == 0);
  CHECK(std::filesystem::file_size(err) == 0);
}

TEST_CASE("read: follow gives what is there, and what another process appends", "[cli][read]") {
  const Store store;
  import(store, 0, 10);
  Process follower(store.command({"read", "-t", "shop", "--follow", "--from", "5"}), "");
  REQUIRE(follower.wait_for_lines(5));
  import(store, 10, 2010, "50");
  REQUIRE(follower.wait_for_lines(2005));
  for (std::size_t n = 2010; n < 2015; ++n) {
    import(store, n, n + 1);
    REQUIRE(follower.wait_for_lines(n - 4));
  }
  follower.signal(GENERATE(SIGINT, SIGTERM));
  const Outcome outcome = follower.wait();
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.err.empty());
  CHECK(numbers_of(split_lines(outcome.out)) == range(5, 2015));
}

TEST_CASE("read: follow while the writer goes on", "[cli][read]") {
  const Store store;
  const std::size_t total = 50'000;
  const std::string file = store.directory().file("events.ndjson", event_lines(0, total));
  Process follower(store.command({"read", "-t", "shop", "--follow", "--limit", std::to_string(total)}), "");
  Process writer(store.command({"import", "-t", "shop", "--batch-events", "100", file}), "");
  CHECK(writer.wait().exit_code == 0);
  REQUIRE(follower.wait_for_lines(total));
  const Outcome outcome = follower.wait();
  CAPTURE(outcome.err);
  CHECK(outcome.exit_code == 0);
  CHECK(numbers_of(split_lines(outcome.out)) == range(0, total));
}

TEST_CASE("read: follow with a filter, a limit and an end", "[cli][read]") {
  const Store store;
  import(store, 0, 5);
  Process limited(store.command({"read", "-t", "shop", "--follow", "--category", "odd", "--limit", "4"}), "");
  Process ended(store.command({"read", "-t", "shop", "--follow", "--to", "8", "--tag", "mod:6"}), "");
  Process ahead(store.command({"read", "-t", "shop", "--follow", "--from", "7", "--limit", "1"}), "");
  REQUIRE(limited.wait_for_lines(2));
  import(store, 5, 20);
  const Outcome first = limited.wait();
  CHECK(first.exit_code == 0);
  CHECK(numbers_of(split_lines(first.out)) == std::vector<std::size_t>{1, 3, 5, 7});
  const Outcome second = ended.wait();
  CHECK(second.exit_code == 0);
  CHECK(numbers_of(split_lines(second.out)) == std::vector<std::size_t>{6});
  CHECK(numbers_of(split_lines(ahead.wait().out)) == std::vector<std::size_t>{7});
}

TEST_CASE("read: beside a writer that holds the store", "[cli][read]") {
  const Store store;
  const std::string pipe = (store.directory().path() / "pipe").string();
  REQUIRE(std::system(("mkfifo " + pipe).c_str()) == 0);
  Process writer(store.command({"import", "-t", "shop", "--batch-events", "10", pipe}), "");
  FILE* const input = std::fopen(pipe.c_str(), "w");
  REQUIRE(input != nullptr);
  std::fputs(event_lines(0, 30).c_str(), input);
  std::fflush(input);
  while (store.read().size() < 30) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(numbers_of(store.read({"--tag", "mod:2"})) == std::vector<std::size_t>{2, 9, 16, 23});
  CHECK(store.bahi({"verify"}).exit_code == 0);
  CHECK(store.bahi({"stats"}).exit_code == 0);
  CHECK(store.bahi({"tenant", "list"}).exit_code == 0);
  std::fclose(input);
  CHECK(writer.wait().exit_code == 0);
}

TEST_CASE("read: what cannot be asked for together is refused", "[cli][read]") {
  const Store store;
  CHECK(store.bahi({"read", "-t", "shop", "--follow", "--backward"}).exit_code == 2);
  CHECK(store.bahi({"read", "-t", "shop", "--from", "x"}).exit_code == 2);
  CHECK(store.bahi({"read", "-t", "shop", "--from", "-1"}).exit_code == 2);
  CHECK(store.bahi({"read"}).exit_code == 2);
}
