#include <cstdlib>
#include <fstream>
#include <thread>

#include <unistd.h>

#include <catch2/catch.hpp>

#include "bahi_process.hpp"

using namespace bahi::test;

namespace {

void flip_byte(const std::filesystem::path& path, std::uintmax_t position) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(position));
  const auto byte = static_cast<char>(file.get() ^ 0x10);
  file.seekp(static_cast<std::streamoff>(position));
  file.put(byte);
}

/// All files of the store that hold the log's batches.
std::vector<std::filesystem::path> log_files(const std::string& store) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(std::filesystem::path(store) / "log")) {
    const auto extension = entry.path().extension();
    if (extension == ".sst" || (extension == ".log" && entry.file_size() > 0)) files.push_back(entry.path());
  }
  return files;
}

}  // namespace

TEST_CASE("tenant: created, listed, not twice", "[cli][tenant]") {
  const Store store;
  CHECK(store.bahi({"tenant", "create", "other-1"}).exit_code == 0);
  REQUIRE(store.bahi({"import", "-t", "shop"}, event_lines(0, 1234)).exit_code == 0);
  const Outcome again = store.bahi({"tenant", "create", "shop"});
  CHECK(again.exit_code == 4);
  CHECK_THAT(again.err, Catch::Contains("tenant_exists (201)"));
  CHECK(store.bahi({"tenant", "create", "Not Good"}).exit_code == 3);
  const std::string json = store.bahi({"tenant", "list", "--json"}).out;
  CHECK_THAT(json, Catch::StartsWith(R"({"tenant":"shop","id":1,"events":1234,"stored_bytes":)") &&
                       Catch::Contains("\n"
                                       R"({"tenant":"other-1","id":2,"events":0,"stored_bytes":0,)"));
  CHECK_THAT(store.bahi({"tenant", "list"}).out,
             Catch::StartsWith("TENANT                 EVENTS          STORED BYTES\nshop                    1,234 ") &&
                 Catch::Contains("\nother-1                     0                     0\n"));
}

TEST_CASE("tenant: an unknown one is named by every command", "[cli][tenant]") {
  const Store store;
  const auto arguments = GENERATE(values<Arguments>({{"import", "-t", "ghost"},
                                                     {"read", "-t", "ghost"},
                                                     {"read", "-t", "ghost", "--follow"},
                                                     {"verify", "-t", "ghost"},
                                                     {"append", "-t", "ghost", "--stream", "a-1", "--type", "t"}}));
  const Outcome outcome = store.bahi(arguments);
  CHECK(outcome.exit_code == 5);
  CHECK_THAT(outcome.err, Catch::StartsWith("bahi: unknown_tenant (200): ") && Catch::Contains("ghost") &&
                              Catch::Contains("create it first"));
}

TEST_CASE("store: a directory without one, or with something else, is left alone", "[cli][store]") {
  const TempDirectory directory;
  const auto arguments = GENERATE(values<Arguments>({{"import", "-t", "shop"},
                                                     {"read", "-t", "shop"},
                                                     {"tenant", "list"},
                                                     {"verify"},
                                                     {"stats"},
                                                     {"index", "rebuild"},
                                                     {"recover"},
                                                     {"append", "-t", "shop", "--stream", "a-1", "--type", "t"}}));
  CAPTURE(arguments);
  const auto at = [&arguments](const std::filesystem::path& path) {
    Arguments words{"--data", path.string()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return run(words);
  };
  const Outcome missing = at(directory.path() / "none");
  CHECK(missing.exit_code == 5);
  CHECK_THAT(missing.err, Catch::StartsWith("bahi: store_missing (507): ") && Catch::Contains("bahi tenant create"));
  CHECK_FALSE(std::filesystem::exists(directory.path() / "none"));
  const std::string foreign = directory.file("notes.txt", "mine");
  const Outcome other = at(directory.path());
  CHECK(other.exit_code == 5);
  CHECK_THAT(other.err, Catch::StartsWith("bahi: not_a_store (506): "));
  CHECK(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 1);
  const Outcome create = run({"--data", directory.path().string(), "tenant", "create", "shop"});
  CHECK(create.exit_code == 5);
  CHECK(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 1);
}

TEST_CASE("store: a second writer is refused while the first goes on", "[cli][store]") {
  const Store store;
  const std::string pipe = (store.directory().path() / "pipe").string();
  REQUIRE(std::system(("mkfifo " + pipe).c_str()) == 0);
  Process writer(store.command({"import", "-t", "shop", "--batch-events", "1", pipe}), "");
  std::ofstream input(pipe);
  input << event_lines(0, 2) << std::flush;
  while (store.read().size() < 2) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const auto arguments = GENERATE(values<Arguments>({{"tenant", "create", "two"},
                                                     {"import", "-t", "shop"},
                                                     {"index", "rebuild"},
                                                     {"recover"},
                                                     {"recover", "--accept-loss"},
                                                     {"append", "-t", "shop", "--stream", "a-1", "--type", "t"}}));
  const Outcome outcome = store.bahi(arguments);
  CHECK(outcome.exit_code == 7);
  CHECK_THAT(outcome.err, Catch::StartsWith("bahi: directory_in_use (509): "));
  input << event_lines(2, 4);
  input.close();
  CHECK(writer.wait().exit_code == 0);
  CHECK(numbers_of(store.read()) == range(0, 4));
}

TEST_CASE("store: missing permission has its own exit code", "[cli][store]") {
  if (::geteuid() == 0) return;  // root may do everything
  const Store store;
  std::filesystem::permissions(store.path(), std::filesystem::perms::none);
  const Outcome outcome = store.bahi({"tenant", "create", "two"});
  std::filesystem::permissions(store.path(), std::filesystem::perms::owner_all);
  CHECK(outcome.exit_code == 8);
}

TEST_CASE("verify: a sound store, as text and as JSON", "[cli][verify]") {
  const Store store;
  REQUIRE(store.bahi({"import", "-t", "shop"}, event_lines(0, 5000)).exit_code == 0);
  const Outcome text = store.bahi({"verify"});
  CAPTURE(text.err);
  CHECK(text.exit_code == 0);
  CHECK_THAT(text.out, Catch::EndsWith("all is well\n"));
  CHECK(text.err.empty());
  const Outcome json = store.bahi({"verify", "--json", "-t", "shop"});
  CHECK(json.exit_code == 0);
  CHECK(member(json.out, "ok") == "true");
  CHECK(member(json.out, "tenants") == "1");
  CHECK(member(json.out, "events") == "5000");
  CHECK(member(store.bahi({"verify", "--json"}).out, "events") == "5001");
  CHECK_THAT(json.out, Catch::EndsWith("\"findings\":[]}\n"));
}

TEST_CASE("verify: every damaged file of the log of a copy is noticed", "[cli][verify]") {
  const Store store;
  REQUIRE(store.bahi({"import", "-t", "shop", "--codec", "none"}, event_lines(0, 20'000)).exit_code == 0);
  REQUIRE(store.bahi({"verify"}).exit_code == 0);
  std::size_t damaged = 0;
  for (const std::filesystem::path& file : log_files(store.path())) {
    const std::string copy = (store.directory().path() / "copy").string();
    std::filesystem::remove_all(copy);
    std::filesystem::copy(store.path(), copy, std::filesystem::copy_options::recursive);
    flip_byte(copy / std::filesystem::relative(file, store.path()), std::filesystem::file_size(file) / 3);
    const Outcome outcome = run({"--data", copy, "verify", "--json"});
    CAPTURE(file, outcome.out, outcome.err);
    CHECK(outcome.exit_code == 6);
    const bool in_report = member(outcome.out, "ok") == "false" && outcome.out.find("\"offset\":") != std::string::npos;
    const bool refused = outcome.err.starts_with("bahi: ");
    CHECK((in_report || refused));
    ++damaged;
  }
  CHECK(damaged > 0);
}

TEST_CASE("stats: counts and sizes", "[cli][stats]") {
  const Store store;
  REQUIRE(store.bahi({"import", "-t", "shop"}, event_lines(0, 5000)).exit_code == 0);
  const Outcome json = store.bahi({"stats", "--json"});
  CAPTURE(json.err);
  CHECK(json.exit_code == 0);
  CHECK(member(json.out, "events") == "5000");
  CHECK(std::stoull(member(json.out, "log_bytes")) + std::stoull(member(json.out, "wal_bytes")) > 10'000);
  CHECK(std::stoull(member(json.out, "free_bytes")) > 0);
  CHECK_THAT(json.out, Catch::Contains(R"("tenants":[{"tenant":"shop","id":1,"events":5000}])"));
  CHECK_THAT(store.bahi({"stats"}).out, Catch::Contains("events                           5,000\n"));
}

TEST_CASE("index: rebuilt, it gives the same answers", "[cli][index]") {
  const Store store;
  REQUIRE(store.bahi({"import", "-t", "shop"}, event_lines(0, 5000)).exit_code == 0);
  const auto before = store.read({"--tag", "mod:3", "--type", "third"});
  CHECK(before.size() == 238);
  const Outcome outcome = store.bahi({"index", "rebuild"});
  CAPTURE(outcome.err);
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.out, Catch::StartsWith("index of 5,000 events rebuilt in "));
  CHECK(store.read({"--tag", "mod:3", "--type", "third"}) == before);
  CHECK(store.bahi({"verify"}).exit_code == 0);
}

TEST_CASE("recover: a lost anchor is reported, and accepted only when told to", "[cli][recover]") {
  const Store store;
  REQUIRE(store.bahi({"import", "-t", "shop"}, event_lines(0, 1000)).exit_code == 0);
  const Outcome sound = store.bahi({"recover"});
  CHECK(sound.exit_code == 0);
  CHECK_THAT(sound.out, Catch::Contains("nothing to recover"));
  CHECK(store.bahi({"recover", "--accept-loss"}).exit_code == 0);
  CHECK_FALSE(std::filesystem::exists(store.path() + "/lost"));

  std::filesystem::remove(store.path() + "/ANCHOR");
  const Outcome refused = store.bahi({"append", "-t", "shop", "--stream", "a-1", "--type", "t"});
  CHECK(refused.exit_code == 6);
  CHECK_THAT(refused.err, Catch::Contains("anchor_damaged (504)") && Catch::Contains("`bahi recover`"));
  const Outcome report = store.bahi({"recover"});
  CHECK(report.exit_code == 6);
  CHECK_THAT(report.out, Catch::Contains("not known") && Catch::Contains("1,000") &&
                             Catch::Contains("Nothing was changed") && Catch::Contains("bahi recover --accept-loss"));
  CHECK_FALSE(std::filesystem::exists(store.path() + "/ANCHOR"));

  const Outcome accepted = store.bahi({"recover", "--accept-loss", "--by", "A. Rao, ticket \"4711\""});
  CAPTURE(accepted.out, accepted.err);
  CHECK(accepted.exit_code == 0);
  CHECK_THAT(accepted.out, Catch::Contains("The loss is accepted and recorded"));
  CHECK(numbers_of(store.read()) == range(0, 1000));
  const auto record = store.read({"--stream", "recovery-store"}, "system");
  REQUIRE(record.size() == 1);
  CHECK(member(record[0], "type") == "\"bahi.loss-accepted\"");
  CHECK_THAT(record[0], Catch::Contains(R"("actor":"A. Rao, ticket \"4711\"")") &&
                            Catch::Contains(R"("refused_as":"anchor_damaged")") && Catch::Contains(R"("held":1000)"));
  CHECK(store.bahi({"append", "-t", "shop", "--stream", "a-1", "--type", "t"}).exit_code == 0);
  CHECK(store.bahi({"verify"}).exit_code == 0);
}

TEST_CASE("help: everywhere, with an example, and the exit codes", "[cli][help]") {
  const auto arguments = GENERATE(values<Arguments>({{"tenant", "create"},
                                                     {"tenant", "list"},
                                                     {"import"},
                                                     {"append"},
                                                     {"read"},
                                                     {"verify"},
                                                     {"stats"},
                                                     {"recover"},
                                                     {"index", "rebuild"}}));
  Arguments words = arguments;
  words.emplace_back("--help");
  const Outcome outcome = run(words);
  CHECK(outcome.exit_code == 0);
  CHECK_THAT(outcome.out, Catch::Contains("Example") && Catch::Contains("bahi " + arguments.front()));
  const Outcome all = run({"--help"});
  CHECK(all.exit_code == 0);
  CHECK_THAT(all.out, Catch::Contains("Exit codes:") && Catch::Contains("  130  stopped by Ctrl-C"));
}

TEST_CASE("usage: a wrong command line exits with 2 and says what is wrong", "[cli][help]") {
  CHECK(run({}).exit_code == 2);
  CHECK(run({"nonsense"}).exit_code == 2);
  CHECK(run({"tenant"}).exit_code == 2);
  const Outcome nowhere = run({"tenant", "list"});
  CHECK(nowhere.exit_code == 2);
  CHECK_THAT(nowhere.err, Catch::Contains("BAHI_DATA"));
  CHECK(run({"--version"}).exit_code == 0);
}

TEST_CASE("store: the directory comes from the environment, or stands behind the command", "[cli][store]") {
  const Store store;
  CHECK(run({"tenant", "list", "--json"}, "", {"BAHI_DATA=" + store.path()}).exit_code == 0);
  CHECK(run({"tenant", "list", "--json", "--data", store.path()}).exit_code == 0);
  CHECK(run({"append", "-t", "shop", "--stream", "a-1", "--type", "t", "--data", "1", "--data-dir", store.path()})
            .exit_code == 0);
  CHECK(
      run({"append", "-t", "shop", "--stream", "a-1", "--type", "t", "--data", "2"}, "", {"BAHI_DATA=" + store.path()})
          .exit_code == 0);
  CHECK(store.read().size() == 2);
}
