// `bahi profile`, and where the server and its token come from.
#include <fstream>

#include <catch2/catch.hpp>

#include "bahi_process.hpp"
#include "serving.hpp"

namespace bahi::test {
namespace {

namespace fs = std::filesystem;

/// A home of its own, with the profiles in it.
struct Home {
  TempDirectory directory;
  [[nodiscard]] fs::path file() const { return directory.path() / "bahi" / "profile.toml"; }
  [[nodiscard]] Outcome bahi(const Arguments& words, Arguments more = {}) const {
    more.push_back("XDG_CONFIG_HOME=" + directory.path().string());
    return run(words, "", more);
  }
};

TEST_CASE("profile: a saved server is used without being named", "[cli][profile]") {
  const Store store;
  Serving server(store);
  const Home home;
  REQUIRE(home.bahi({"profile", "set", "here", "--server", server.address()}).exit_code == 0);
  CHECK(fs::status(home.file()).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  CHECK(home.bahi({"ping", "--count", "1"}).exit_code == 0);
  REQUIRE(home.bahi({"profile", "set", "gone", "--server", "127.0.0.1:1"}).exit_code == 0);
  const auto listed = split_lines(home.bahi({"profile", "list"}).out);
  REQUIRE(listed.size() == 2);
  CHECK(listed[0].starts_with("  gone"));
  CHECK(listed[1].starts_with("* here"));
  REQUIRE(home.bahi({"profile", "use", "gone"}).exit_code == 0);
  CHECK(home.bahi({"tenant", "list", "--profile", "here"}).exit_code == 0);
  CHECK(home.bahi({"tenant", "list"}, {"BAHI_PROFILE=here"}).exit_code == 0);
  CHECK(home.bahi({"tenant", "list", "--server", server.address()}).exit_code == 0);
  CHECK(home.bahi({"tenant", "list", "--profile", "gone", "--server", server.address()}).exit_code == 0);
  REQUIRE(home.bahi({"profile", "remove", "gone"}).exit_code == 0);
  CHECK(home.bahi({"tenant", "list"}).exit_code == 2);
  CHECK(home.bahi({"tenant", "list", "--profile", "gone"}).err.find("there are here") != std::string::npos);
}

TEST_CASE("profile: a directory that is named wins over the default", "[cli][profile]") {
  const Store store;
  const Home home;
  REQUIRE(home.bahi({"profile", "set", "gone", "--server", "127.0.0.1:1"}).exit_code == 0);
  CHECK(home.bahi({"tenant", "list", "--data", store.path()}).exit_code == 0);
}

TEST_CASE("profile: its token opens its server, and is told to no other", "[cli][profile]") {
  const Store store;
  const Outcome made = store.bahi({"token", "create", "--tenant", "system", "--role", "admin"});
  REQUIRE(made.exit_code == 0);
  const std::string token = split_lines(made.out).front();
  Serving server(store);
  const Home home;
  CHECK(home.bahi({"tenant", "list", "--server", server.address()}).exit_code == 8);
  REQUIRE(home.bahi({"profile", "set", "here", "--server", server.address()}, {"BAHI_TOKEN=" + token}).exit_code == 0);
  CHECK(home.bahi({"tenant", "list"}).exit_code == 0);
  CHECK(home.bahi({"profile", "list"}).out.find(token) == std::string::npos);
  CHECK(home.bahi({"tenant", "list"}, {"BAHI_TOKEN=bahi_wrong"}).exit_code == 8);
  // The same server under another name is another server, as far as anyone can tell.
  const std::string port = server.address().substr(server.address().rfind(':'));
  CHECK(home.bahi({"tenant", "list", "--profile", "here", "--server", "localhost" + port}).exit_code == 8);

  const std::string secret = home.directory.file("secret", token + "\n");
  fs::permissions(secret, fs::perms::owner_read);
  REQUIRE(home.bahi({"profile", "set", "filed", "--server", server.address(), "--token-file", secret}).exit_code == 0);
  CHECK(home.bahi({"tenant", "list", "--profile", "filed"}).exit_code == 0);
  fs::permissions(secret, fs::perms::others_read, fs::perm_options::add);
  CHECK(home.bahi({"tenant", "list", "--profile", "filed"}).err.find("chmod 600") != std::string::npos);
}

TEST_CASE("profile: what is set for TLS comes back", "[cli][profile]") {
  const Home home;
  REQUIRE(
      home.bahi({"profile", "set", "far", "--server", "127.0.0.1:1", "--tls", "--ca", "/nowhere/ca.pem"}).exit_code ==
      0);
  const Outcome refused = home.bahi({"ping"});
  CHECK(refused.exit_code != 0);
  CHECK(refused.err.find("/nowhere/ca.pem") != std::string::npos);
}

TEST_CASE("profile: a token that others may read is refused", "[cli][profile]") {
  const Home home;
  REQUIRE(home.bahi({"profile", "set", "a", "--server", "127.0.0.1:1", "--token", "bahi_x"}).exit_code == 0);
  fs::permissions(home.file(), fs::perms::group_read, fs::perm_options::add);
  const Outcome refused = home.bahi({"ping"});
  CHECK(refused.exit_code == 8);
  CHECK(refused.err.find("chmod 600") != std::string::npos);
}

TEST_CASE("profile: a wrong file is explained, with its place", "[cli][profile]") {
  const Home home;
  fs::create_directories(home.file().parent_path());
  const auto complaint = [&](std::string_view text) {
    std::ofstream(home.file(), std::ios::trunc) << text;
    const Outcome outcome = home.bahi({"ping"});
    CHECK(outcome.exit_code == 3);
    return outcome.err;
  };
  CHECK(complaint("default = \n").find("line 1") != std::string::npos);
  CHECK(complaint("[profile.a]\nserver = \"x:1\"\nport = 3\n").find("line 3: profile.a.port") != std::string::npos);
  CHECK(complaint("[profile.a]\nserver = 3\n").find("must be a text") != std::string::npos);
  CHECK(complaint("[profile.a]\ntoken_file = \"f\"\n").find("server is missing") != std::string::npos);
  CHECK(complaint("[profile.a]\nserver = \"x:1\"\ntoken = \"t\"\ntoken_file = \"f\"\n").find("not both") !=
        std::string::npos);
  CHECK(complaint("speed = 1\n").find("line 1: speed") != std::string::npos);
  CHECK(complaint("default = \"b\"\n").find("none called 'b'") != std::string::npos);
  CHECK(home.bahi({"profile", "set", "a b", "--server", "x:1"}).exit_code == 3);
  CHECK(home.bahi({"profile", "set", "a"}).exit_code == 3);
}

}  // namespace
}  // namespace bahi::test
