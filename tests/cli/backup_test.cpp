#include <csignal>
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

#include "bahi_process.hpp"
#include "serving.hpp"

using namespace bahi::test;

TEST_CASE("backup: created, listed, verified, restored", "[cli][backup]") {
  const Store store;
  const std::string backups = (store.directory().path() / "backups").string();
  const std::string restored = (store.directory().path() / "restored").string();
  REQUIRE(store.bahi({"import", "-t", "shop", "--batch-events", "100"}, event_lines(0, 500)).exit_code == 0);
  const Outcome first = store.bahi({"backup", "create", "--to", backups});
  REQUIRE(first.exit_code == 0);
  CHECK_THAT(first.out, Catch::StartsWith("backup 1 in " + backups + ": 501 events in 6 batches of 2 tenants, "));
  CHECK_THAT(first.out, Catch::Contains(" events/s)\n"));
  CHECK_THAT(store.bahi({"backup", "create", "--to", backups}).out,
             Catch::Equals("nothing is new since backup 1 in " + backups + "; no files were written\n"));
  REQUIRE(store.bahi({"import", "-t", "shop"}, event_lines(500, 550)).exit_code == 0);
  REQUIRE(store.bahi({"backup", "create", "--to", backups, "--rate-max", "100"}).exit_code == 0);

  const auto listed = split_lines(run({"backup", "list", backups, "--json"}).out);
  REQUIRE(listed.size() == 2);
  CHECK(member(listed[1], "backup") == "2");
  CHECK(member(listed[1], "events") == "50");
  const std::string table = run({"backup", "list", backups}).out;
  CHECK_THAT(table, Catch::StartsWith("store ") && Catch::Contains("\nshop                     550  "));

  CHECK_THAT(
      run({"backup", "verify", backups}).out,
      Catch::StartsWith("2 backups: 551 events in 7 batches of 2 tenants, ") && Catch::Contains(": all is well ("));
  const Outcome done = run({"backup", "restore", backups, "--into", restored});
  REQUIRE(done.exit_code == 0);
  CHECK_THAT(done.out, Catch::Contains(" is restored into " + restored + ": 551 events in 7 batches, ") &&
                           Catch::Contains("It is a store now: bahi serve --data " + restored));
  CHECK(run({"--data", restored, "verify"}).exit_code == 0);
  CHECK(run({"--data", restored, "read", "-t", "shop"}).out == store.bahi({"read", "-t", "shop"}).out);

  const std::string earlier = (store.directory().path() / "earlier").string();
  REQUIRE(run({"backup", "restore", backups, "--into", earlier, "--to-offset", "shop=300"}).exit_code == 0);
  CHECK(split_lines(run({"--data", earlier, "read", "-t", "shop"}).out).size() == 300);
}

TEST_CASE("backup: what cannot be done is told, with its exit code", "[cli][backup]") {
  const Store store;
  const std::string backups = (store.directory().path() / "backups").string();
  const std::string target = (store.directory().path() / "target").string();
  REQUIRE(store.bahi({"import", "-t", "shop", "--batch-events", "10"}, event_lines(0, 50)).exit_code == 0);
  REQUIRE(store.bahi({"backup", "create", "--to", backups}).exit_code == 0);
  const auto refused = [](const Arguments& arguments, int exit_code, const std::string& text) {
    const Outcome outcome = run(arguments);
    CHECK(outcome.exit_code == exit_code);
    CHECK_THAT(outcome.err, Catch::Contains(text));
  };
  refused({"backup", "restore", backups, "--into", store.path()}, 3, "directory_not_empty (523)");
  refused({"backup", "restore", backups, "--into", target, "--to-offset", "shop=51"}, 3, "up to offset 50, not 51");
  refused({"backup", "restore", backups, "--into", target, "--to-offset", "shop=45"}, 3,
          "choose 40 (without the batch)");
  refused({"backup", "restore", backups, "--into", target, "--to-offset", "shop"}, 3, "is not TENANT=OFFSET");
  refused({"backup", "restore", backups, "--into", target, "--to-offset", "shed=1"}, 5, "unknown_tenant (200)");
  refused({"backup", "restore", backups, "--into", target, "--backup", "2"}, 3, "holds backups 1 to 1, not 2");
  refused({"backup", "list", store.path()}, 5, "not_a_backup (520)");
  refused({"backup", "create", "--data", store.path()}, 3, "--to");
  refused({"backup", "create", "--data", store.path(), "--to", store.path()}, 5, "is not empty and holds no backup");
  const Store other;
  refused({"backup", "create", "--data", other.path(), "--to", backups}, 4, "holds backups of store");

  const std::string segment = backups + "/backup-000001-0001.seg";
  std::filesystem::resize_file(segment, std::filesystem::file_size(segment) - 1);
  const Outcome damaged = run({"backup", "verify", backups});
  CHECK(damaged.exit_code == 6);
  CHECK_THAT(damaged.out, Catch::Contains("DAMAGED  backup_damaged (521): " + segment) &&
                              Catch::Contains("No backup before it is whole"));
  refused({"backup", "restore", backups, "--into", target}, 6, segment);
  CHECK(std::filesystem::is_empty(target));

  std::filesystem::create_directories(target);
  std::ofstream(target + "/BAHI.restoring") << "";
  refused({"--data", target, "verify"}, 6, "restore_unfinished (524)");
}

TEST_CASE("backup: a server takes it; beside a server the directory is refused", "[cli][backup]") {
  const Store store;
  const std::string backups = (store.directory().path() / "backups").string();
  REQUIRE(store.bahi({"import", "-t", "shop"}, event_lines(0, 30)).exit_code == 0);
  const Serving serving(store, {"--backup-dir", backups});
  const Outcome taken = run({"backup", "create", "--server", serving.address()});
  REQUIRE(taken.exit_code == 0);
  CHECK_THAT(taken.out, Catch::StartsWith("backup 1 in " + backups + ", on the server: "));
  const Outcome beside = store.bahi({"backup", "create", "--to", backups});
  CHECK(beside.exit_code == 7);
  CHECK_THAT(beside.err, Catch::Contains("have it take the backup: bahi backup create --server HOST:PORT"));
  const Outcome elsewhere = run({"backup", "create", "--server", serving.address(), "--to", backups});
  CHECK(elsewhere.exit_code == 3);
  CHECK_THAT(elsewhere.err, Catch::Contains("backup_dir"));
  CHECK_THAT(run({"backup", "verify", backups}).out, Catch::Contains("all is well"));
}
