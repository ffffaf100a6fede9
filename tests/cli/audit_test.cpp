// Keys, audit bundles, and a server that signs.
#include <filesystem>
#include <fstream>
#include <iterator>

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "serving.hpp"

namespace bahi::test {
namespace {

namespace fs = std::filesystem;

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// A store, a key beside it, and a place for witnesses.
struct Audited {
  Store store;
  std::string key = path("key");
  std::string witness = path("witness");
  std::string bundle = path("bundle");
  std::string verifier = split_lines(run({"key", "generate", "--out", key, "--name", "log"}).out).front();

  [[nodiscard]] std::string path(const std::string& name) const { return (store.directory().path() / name).string(); }
  [[nodiscard]] Arguments settings() const { return {"--checkpoint-key", key, "--witness-dir", witness}; }
  [[nodiscard]] Outcome verify(const Arguments& more = {}) const {
    Arguments words{"audit", "verify", bundle, "--key", verifier};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
  void append(std::size_t from, std::size_t to) const {
    REQUIRE(store.bahi({"import", "-t", "shop"}, event_lines(from, to)).exit_code == 0);
  }
};

TEST_CASE("key: generated for its owner only, shown, rotated, never overwritten", "[cli][audit]") {
  const Audited audited;
  struct stat state {};
  REQUIRE(::stat(audited.key.c_str(), &state) == 0);
  CHECK((state.st_mode & 0777) == 0600);
  CHECK(audited.verifier.starts_with("log+"));
  CHECK(run({"key", "show", audited.key}).out == audited.verifier + "\n");
  const Outcome again = run({"key", "generate", "--out", audited.key});
  CHECK(again.exit_code == 3);
  CHECK(again.err.find("exists already") != std::string::npos);
  CHECK(run({"key", "generate", "--out", audited.path("x"), "--name", "two words"}).exit_code == 3);
  const Outcome next = run({"key", "rotate", audited.key, "--out", audited.path("next")});
  CHECK(next.exit_code == 0);
  CHECK(next.out.starts_with("log+"));
  CHECK(next.out != audited.verifier + "\n");
  CHECK(run({"key", "show", audited.path("next")}).out == next.out);
  fs::permissions(audited.key, fs::perms::others_read, fs::perm_options::add);
  CHECK(run({"key", "show", audited.key}).exit_code == 8);
}

TEST_CASE("audit: a bundle from a server verifies offline, and one flipped byte does not", "[cli][audit]") {
  const Audited audited;
  audited.append(0, 600);
  Serving server(audited.store, audited.settings());
  const auto export_to = [&](const Arguments& more) {
    Arguments words{"audit", "export", "-t", "shop", "--out", audited.bundle};
    words.insert(words.end(), more.begin(), more.end());
    return server.bahi(words);
  };
  const Outcome made = export_to({"--from", "100", "--to", "200"});
  CAPTURE(made.err);
  REQUIRE(made.exit_code == 0);
  const std::string last = audited.path("last");
  const Outcome good = audited.verify({"--save-checkpoint", last});
  CAPTURE(good.err);
  CHECK(good.exit_code == 0);
  CHECK(good.out.find("all 100 events from offset 100 to 199") != std::string::npos);
  CHECK(split_lines(audited.verify({"--events"}).out).size() == 100);

  std::string bytes = contents(audited.bundle);
  const std::size_t place = bytes.find("event 150 ") + 150;
  bytes[place] = static_cast<char>(bytes[place] ^ 1);
  std::ofstream(audited.bundle, std::ios::binary) << bytes;
  const Outcome bad = audited.verify();
  CHECK(bad.exit_code == 6);
  CHECK(bad.err.find("the event at offset 150 does not match") != std::string::npos);

  // Next time, from what was kept; and of one stream.
  REQUIRE(server.bahi({"import", "-t", "shop"}, "", event_lines(600, 700)).exit_code == 0);
  REQUIRE(export_to({"--stream", "even-0", "--previous", last}).exit_code == 0);
  const Outcome next = audited.verify({"--previous", last});
  CAPTURE(next.err);
  CHECK(next.exit_code == 0);
  CHECK(next.out.find("none is missing between them or before") != std::string::npos);
  CHECK(next.out.find("extends     the checkpoint of") != std::string::npos);
  CHECK(audited.verify({"--origin", "bahi/other/shop"}).exit_code == 6);
  CHECK(export_to({"--to", "701"}).exit_code == 3);
  CHECK(export_to({"--correlation", "nobody"}).exit_code == 5);
  CHECK(server.stop().exit_code == 0);

  // Without the server, from the directory: what it signed last, or with the key.
  const Arguments offline{"audit", "export", "-t", "shop", "--out", audited.bundle};
  CHECK(audited.store.bahi(offline).exit_code == 4);
  Arguments with_key = offline;
  with_key.insert(with_key.end(), {"--checkpoint-key", audited.key, "--previous", last});
  const Outcome local = audited.store.bahi(with_key);
  CAPTURE(local.err);
  CHECK(local.exit_code == 0);
  CHECK(audited.verify({"--previous", last}).exit_code == 0);
}

TEST_CASE("audit: the key may change hands", "[cli][audit]") {
  const Audited audited;
  audited.append(0, 50);
  REQUIRE(run({"key", "rotate", audited.key, "--out", audited.path("next")}).exit_code == 0);
  REQUIRE(
      audited.store
          .bahi({"audit", "export", "-t", "shop", "--out", audited.bundle, "--checkpoint-key", audited.path("next")})
          .exit_code == 0);
  const Outcome good = audited.verify();
  CAPTURE(good.err);
  CHECK(good.exit_code == 0);
  CHECK(good.out.find("handed over to") == std::string::npos);
  CHECK(good.out.find("handed over") != std::string::npos);
  const std::string other = split_lines(run({"key", "generate", "--out", audited.path("other")}).out).front();
  const Outcome bad = run({"audit", "verify", audited.bundle, "--key", other});
  CHECK(bad.exit_code == 6);
  CHECK(bad.err.find("untrusted_key") != std::string::npos);
}

TEST_CASE("audit: a server does not serve a log that its witness contradicts", "[cli][audit]") {
  const Audited audited;
  audited.append(0, 100);
  const std::string store = audited.store.path();
  const std::string copy = audited.path("copy");
  fs::copy(store, copy, fs::copy_options::recursive);
  audited.append(100, 200);
  {
    Serving server(audited.store, audited.settings());
    REQUIRE(server.bahi({"audit", "export", "-t", "shop", "--out", audited.bundle}).exit_code == 0);
  }
  Arguments serve{"serve", "--listen", "127.0.0.1:0"};
  const Arguments settings = audited.settings();
  serve.insert(serve.end(), settings.begin(), settings.end());
  fs::remove_all(store);
  fs::copy(copy, store, fs::copy_options::recursive);
  const Outcome shorter = audited.store.bahi(serve);
  CHECK(shorter.exit_code == 6);
  CHECK(shorter.err.find("the log ends at offset 100, but a checkpoint of 200 events was signed") != std::string::npos);
  audited.append(500, 700);
  const Outcome other = audited.store.bahi(serve);
  CHECK(other.exit_code == 6);
  CHECK(other.err.find("differ") != std::string::npos);
}

TEST_CASE("audit: a key inside the store's directory is warned of", "[cli][audit]") {
  const Audited audited;
  audited.append(0, 5);
  const std::string inside = audited.store.path() + "/key";
  REQUIRE(run({"key", "generate", "--out", inside}).exit_code == 0);
  Serving server(audited.store, {"--checkpoint-key", inside});
  const Outcome stopped = server.stop();
  CHECK(stopped.exit_code == 0);
  CHECK(stopped.err.find("lies in the store's directory") != std::string::npos);
}

TEST_CASE("audit: queries of the audit trail are still asked", "[cli][audit]") {
  CHECK(run({"audit", "--server", "127.0.0.1:1"}).exit_code == 2);
  const Audited audited;
  audited.append(0, 5);
  Serving server(audited.store);
  REQUIRE(server.bahi({"projection", "start", "audit", "--tenant", "shop"}).exit_code == 0);
  const Outcome asked = server.bahi({"audit", "story", "correlation=x", "--tenant", "shop"});
  CAPTURE(asked.err);
  CHECK(asked.err.find("usage") == std::string::npos);
}

}  // namespace
}  // namespace bahi::test
