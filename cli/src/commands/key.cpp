// Keys that sign checkpoints.
#include <fcntl.h>
#include <sys/stat.h>

#include <fmt/format.h>

#include "bahi/base/posix_file.hpp"
#include "bahi/cli/private_file.hpp"
#include "bahi/proofs/checkpoint.hpp"
#include "commands.hpp"
#include "key_file.hpp"

namespace bahi::cli {
namespace {

struct Arguments {
  std::string file;
  std::string out;
  std::string name = "bahi";
};

Status write_key(const proofs::KeyFile& key, const std::string& path) {
  const ::mode_t before = ::umask(0077);
  auto file = PosixFile::open(path, O_WRONLY | O_CREAT | O_EXCL);
  ::umask(before);
  std::error_code ignored;
  if (!file && std::filesystem::exists(path, ignored)) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("out: {} exists already; a key is never overwritten", path)};
  }
  if (!file) return file.error();
  BAHI_TRY(file->write_at(0, key.text()));
  BAHI_TRY(file->sync());
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  return sync_directory(folder.empty() ? "." : folder);
}

Result<ExitCode> generate(const Arguments& arguments) {
  BAHI_ASSIGN(proofs::SigningKey key, proofs::SigningKey::generate(arguments.name));
  BAHI_TRY(write_key({key, {}}, arguments.out));
  fmt::print(stderr, "{} holds the signing key; auditors verify with:\n", arguments.out);
  fmt::print("{}\n", key.verifier().text());
  return ExitCode::kOk;
}

Result<ExitCode> show(const Arguments& arguments) {
  BAHI_ASSIGN(const proofs::KeyFile key, read_key_file(arguments.file));
  fmt::print("{}\n", key.key.verifier().text());
  return ExitCode::kOk;
}

Result<ExitCode> rotate(const Arguments& arguments, bool renamed) {
  BAHI_ASSIGN(const proofs::KeyFile old, read_key_file(arguments.file));
  const std::string name = renamed ? arguments.name : old.key.verifier().name();
  BAHI_ASSIGN(proofs::SigningKey key, proofs::SigningKey::generate(name));
  proofs::KeyFile next{key, old.hand_overs};
  BAHI_ASSIGN(next.hand_overs.emplace_back(), proofs::sign_hand_over(old.key, key.verifier()));
  BAHI_TRY(write_key(next, arguments.out));
  fmt::print(
      stderr,
      "{} holds the next key and the hand-over from {}; auditors may go on with the old verifier key, or take:\n",
      arguments.out, old.key.verifier().label());
  fmt::print("{}\n", key.verifier().text());
  return ExitCode::kOk;
}

}  // namespace

Result<proofs::KeyFile> read_key_file(const std::string& path) {
  BAHI_TRY(check_private(path, "a signing key"));
  BAHI_ASSIGN(const std::string text, read_file(path));
  auto key = proofs::KeyFile::parse(text);
  if (!key) return Error{key.error().code(), fmt::format("{}: {}", path, key.error().message())};
  return key;
}

void add_key_commands(CLI::App& app, Context& context) {
  CLI::App* const key = app.add_subcommand("key", "Make, show and replace keys that sign checkpoints of logs");
  key->require_subcommand(1);
  const auto add = [&](const char* name, const char* help, bool takes_old, bool makes_new) {
    CLI::App* const command = key->add_subcommand(name, help);
    auto arguments = std::make_shared<Arguments>();
    if (takes_old) command->add_option("FILE", arguments->file, "File with a signing key")->required();
    CLI::Option* renamed = nullptr;
    if (makes_new) {
      command->add_option("--out", arguments->out, "New file for the key; keep it away from the store's directory")
          ->required();
      renamed = command->add_option("--name", arguments->name, "Name of the key, without spaces and '+'");
      if (!takes_old) renamed->capture_default_str();
    }
    command->callback([&context, arguments, takes_old, makes_new, renamed] {
      context.needs_directory = context.uses_profile = false;
      context.action = [arguments, takes_old, makes_new, renamed]() -> Result<ExitCode> {
        if (!makes_new) return show(*arguments);
        return takes_old ? rotate(*arguments, renamed->count() > 0) : generate(*arguments);
      };
    });
    return command;
  };
  add("generate", "Make a key, and print what auditors verify its signatures with", false, true)
      ->footer("Example:\n  bahi key generate --out /etc/bahi/checkpoint.key --name bahi.example.org");
  add("show", "Print what auditors verify a key's signatures with", true, false);
  add("rotate", "Make the next key, with a statement signed by the old one that it follows", true, true)
      ->footer(
          "Start the server with the new file; the old one is not needed any more.\n"
          "Example:\n  bahi key rotate /etc/bahi/checkpoint.key --out /etc/bahi/checkpoint-2.key");
}

}  // namespace bahi::cli
