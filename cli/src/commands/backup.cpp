// Backups: taken of a directory or by a server, listed, verified, restored.
#include <algorithm>
#include <charconv>
#include <chrono>

#include <fmt/format.h>

#include "bahi/base/text.hpp"
#include "bahi/cli/console.hpp"
#include "bahi/cli/json_text.hpp"
#include "bahi/cli/output.hpp"
#include "bahi/cli/progress_bar.hpp"
#include "bahi/cli/stop_signal.hpp"
#include "bahi/snapshots/backup.hpp"
#include "commands.hpp"

#include <unistd.h>

namespace bahi::cli {
namespace {

constexpr std::uint64_t kMegabyte = 1'000'000;

/// How long something took, and how fast that was.
class Stopwatch {
 public:
  [[nodiscard]] std::string rate(std::uint64_t bytes, std::uint64_t events) const {
    const double seconds = std::max(std::chrono::duration<double>(Clock::now() - start_).count(), 1e-6);
    return fmt::format("{:.2f} s, {}/s, {} events/s", seconds,
                       human_bytes(static_cast<std::uint64_t>(static_cast<double>(bytes) / seconds)),
                       grouped(static_cast<std::uint64_t>(static_cast<double>(events) / seconds)));
  }

 private:
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start_ = Clock::now();
};

Progress shown_by(ProgressBar& bar) {
  return [&bar](std::uint64_t done, std::uint64_t total) { bar.update(done, total); };
}
std::function<bool()> on_stop_signal() {
  return [&signal = StopSignal::instance()] { return signal.requested(); };
}

std::string name_of(const BackupTenant& tenant) {
  return tenant.name.empty() ? fmt::format("(number {})", tenant.mark.tenant.value) : tenant.name;
}

void append_tenants(const std::vector<BackupTenant>& tenants, std::string& text) {
  std::size_t width = std::string_view("TENANT").size();
  for (const BackupTenant& tenant : tenants) width = std::max(width, name_of(tenant).size());
  text += fmt::format("{:<{}}  {:>20}  {}\n", "TENANT", width, "EVENTS", "CHAIN HASH");
  for (const BackupTenant& tenant : tenants) {
    text += fmt::format("{:<{}}  {:>20}  {}\n", name_of(tenant), width, grouped(tenant.mark.next_offset.value),
                        format_hash(tenant.mark.chain_hash));
  }
}

void append_tenants_json(const std::vector<BackupTenant>& tenants, std::string& text) {
  text += R"("tenants":[)";
  for (const BackupTenant& tenant : tenants) {
    if (&tenant != tenants.data()) text += ',';
    text += R"({"tenant":)";
    append_json_string(name_of(tenant), text);
    text += fmt::format(R"(,"id":{},"events":{},"chain_hash":"{}"}})", tenant.mark.tenant.value,
                        tenant.mark.next_offset.value, format_hash(tenant.mark.chain_hash));
  }
  text += ']';
}

// --- create

struct CreateArguments {
  std::string to;
  std::uint64_t megabytes_per_second = 0;
};

void print_outcome(bool news, std::uint64_t number, const std::string& place) {
  if (news) return;
  fmt::print("nothing is new since backup {} in {}; no files were written\n", number, place);
}

Result<ExitCode> create_remotely(const Context& context, const CreateArguments& arguments) {
  if (!arguments.to.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 "--to: a server writes to the directory that its setting backup_dir names; leave --to out"};
  }
  const Stopwatch watch;
  BAHI_ASSIGN(const auto client, connect(context));
  BAHI_ASSIGN(const wire::BackupCreated created, client->create_backup(arguments.megabytes_per_second * kMegabyte));
  print_outcome(created.news, created.number, created.directory);
  if (created.news) {
    fmt::print("backup {} in {}, on the server: {} events in {} batches, {} ({})\n", created.number, created.directory,
               grouped(created.events), grouped(created.batches), human_bytes(created.bytes),
               watch.rate(created.bytes, created.events));
  }
  return ExitCode::kOk;
}

Result<ExitCode> create_locally(const Context& context, const CreateArguments& arguments) {
  if (arguments.to.empty()) return Error{ErrorCode::kInvalidArgument, "--to: name the directory of the backups"};
  EngineOptions settings;
  const auto engine = open_engine(context, settings);
  if (!engine && engine.error().code() == ErrorCode::kDirectoryInUse) {
    return Error{ErrorCode::kDirectoryInUse,
                 fmt::format("{} is open in another process; if that is a server, have it take the backup: bahi backup "
                             "create --server HOST:PORT",
                             context.directory)};
  }
  if (!engine) return engine.error();
  BackupOptions options;
  ProgressBar bar("backing up", "B");
  options.progress = shown_by(bar);
  options.stop = on_stop_signal();
  options.bytes_per_second_max = arguments.megabytes_per_second * kMegabyte;
  const Stopwatch watch;
  BAHI_ASSIGN(const BackupOutcome outcome, create_backup(**engine, arguments.to, options));
  bar.wipe();
  const BackupInfo& info = outcome.info;
  print_outcome(outcome.news, info.number, arguments.to);
  if (outcome.news) {
    fmt::print("backup {} in {}: {} events in {} batches of {} tenants, {} in {} segments ({})\n", info.number,
               arguments.to, grouped(info.events), grouped(info.batches), info.tenants.size(), human_bytes(info.bytes),
               info.segments, watch.rate(info.bytes, info.events));
  }
  BAHI_TRY((*engine)->close());
  return ExitCode::kOk;
}

void add_create(CLI::App& backup, Context& context) {
  CLI::App* const create = backup.add_subcommand("create", "Back up what is new since the last backup");
  auto arguments = std::make_shared<CreateArguments>();
  create->add_option("--to", arguments->to, "Directory of the backups; made if it is missing");
  create->add_option("--rate-max", arguments->megabytes_per_second, "At most so many MB per second; 0: no limit")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1'000'000}));
  create->footer(
      "The first backup of a directory holds everything, each further one what was committed since. A server takes it\n"
      "while it serves, into the directory of its setting backup_dir.\n"
      "Examples:\n  bahi backup create --data /var/lib/bahi --to /mnt/backups/bahi\n"
      "  bahi backup create --server 127.0.0.1:7440");
  create->callback([&context, arguments] {
    context.action = [&context, arguments] {
      return context.remote() ? create_remotely(context, *arguments) : create_locally(context, *arguments);
    };
  });
}

// --- list and verify

struct ReadArguments {
  std::string directory;
  std::optional<std::uint64_t> backup;
  bool as_json = false;
};

Result<ExitCode> run_list(const ReadArguments& arguments) {
  BAHI_ASSIGN(const auto backups, list_backups(arguments.directory));
  const auto tenants = tenants_held(backups);
  Output output(STDOUT_FILENO);
  std::string& text = output.text();
  if (!arguments.as_json) {
    text += fmt::format("store {}\n{:>6}  {:<30}  {:>15}  {:>15}  {:>10}\n", format_uuid(backups.front().store_id),
                        "BACKUP", "TAKEN", "EVENTS", "BATCHES", "SIZE");
  }
  for (const BackupInfo& info : backups) {
    if (arguments.as_json) {
      text +=
          fmt::format(R"({{"backup":{},"store":"{}","taken":"{}","events":{},"batches":{},"bytes":{},"segments":{},)",
                      info.number, format_uuid(info.store_id), format_timestamp(info.taken_at), info.events,
                      info.batches, info.bytes, info.segments);
      append_tenants_json(info.tenants, text);
      text += "}\n";
    } else {
      text += fmt::format("{:>6}  {:<30}  {:>15}  {:>15}  {:>10}\n", info.number, format_timestamp(info.taken_at),
                          grouped(info.events), grouped(info.batches), human_bytes(info.bytes));
    }
  }
  if (!arguments.as_json) {
    text += "together they hold\n";
    append_tenants(tenants, text);
  }
  BAHI_TRY(output.flush());
  return ExitCode::kOk;
}

Result<ExitCode> run_verify_backup(const ReadArguments& arguments) {
  VerifyBackupOptions options;
  ProgressBar bar("verifying", "B");
  options.progress = shown_by(bar);
  options.stop = on_stop_signal();
  options.backup = arguments.backup;
  const Stopwatch watch;
  BAHI_ASSIGN(const BackupReport report, verify_backup(arguments.directory, options));
  bar.wipe();
  Output output(STDOUT_FILENO);
  std::string& text = output.text();
  if (arguments.as_json) {
    text += fmt::format(R"({{"ok":{},"backups":{},"segments":{},"batches":{},"events":{},"bytes":{},)", !report.damage,
                        report.backups, report.segments, report.batches, report.events, report.bytes);
    append_tenants_json(report.tenants, text);
    if (report.damage) {
      text += fmt::format(R"(,"error":"{}","message":)", report.damage->info().name);
      append_json_string(report.damage->message(), text);
    }
    text += "}\n";
  } else {
    if (report.damage) {
      text += fmt::format("DAMAGED  {}\n", report.damage->to_string());
      text += report.backups == 0 ? "         No backup before it is whole.\n"
                                  : fmt::format(
                                        "         What was backed up before is whole: bahi backup restore "
                                        "--backup {}\n",
                                        report.backups);
    }
    text += fmt::format("{} backups: {} events in {} batches of {} tenants, {} in {} segments: {} ({})\n",
                        report.backups, grouped(report.events), grouped(report.batches), report.tenants.size(),
                        human_bytes(report.bytes), report.segments, report.damage ? "these are whole" : "all is well",
                        watch.rate(report.bytes, report.events));
  }
  BAHI_TRY(output.flush());
  return report.damage ? ExitCode::kDamaged : ExitCode::kOk;
}

/// These work on a backup alone.
void needs_no_store(Context& context) {
  context.needs_directory = false;
  context.uses_profile = false;
}

void add_list_and_verify(CLI::App& backup, Context& context) {
  auto listed = std::make_shared<ReadArguments>();
  CLI::App* const list = backup.add_subcommand("list", "List the backups of a directory, and what they hold");
  list->add_option("DIR", listed->directory, "Directory of the backups")->required();
  list->add_flag("--json", listed->as_json, "One JSON object per backup, with the tenants that it has news of");
  list->footer("Example:\n  bahi backup list /mnt/backups/bahi");
  list->callback([&context, listed] {
    needs_no_store(context);
    context.action = [listed] { return run_list(*listed); };
  });

  auto verified = std::make_shared<ReadArguments>();
  CLI::App* const verify = backup.add_subcommand("verify", "Check every byte of the backups of a directory");
  verify->add_option("DIR", verified->directory, "Directory of the backups")->required();
  verify->add_option("--backup", verified->backup, "Only up to the backup of this number");
  verify->add_flag("--json", verified->as_json, "Print the report as one JSON object");
  verify->footer("Changes nothing.\nExample:\n  bahi backup verify /mnt/backups/bahi && echo sound");
  verify->callback([&context, verified] {
    needs_no_store(context);
    context.action = [verified] { return run_verify_backup(*verified); };
  });
}

// --- restore

struct RestoreArguments {
  std::string directory;
  std::string into;
  std::optional<std::uint64_t> backup;
  std::vector<std::string> ends;
};

Status parse_ends(const std::vector<std::string>& texts, std::map<std::string, Offset>& ends) {
  for (const std::string& text : texts) {
    const auto equals = text.find('=');
    Offset offset;
    const char* const end = text.data() + text.size();
    const char* const digits = text.data() + std::min(equals, text.size() - 1) + 1;
    const auto parsed = std::from_chars(digits, end, offset.value);
    if (equals == std::string::npos || equals == 0 || parsed.ec != std::errc{} || parsed.ptr != end) {
      return Error{ErrorCode::kInvalidArgument, fmt::format("--to-offset: '{}' is not TENANT=OFFSET", text)};
    }
    if (!ends.emplace(text.substr(0, equals), offset).second) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("--to-offset: '{}' is named twice", text.substr(0, equals))};
    }
  }
  return {};
}

/// A first opening, which builds the index, so that a server need not.
Status build_index(const std::string& directory) {
  Context context;
  context.directory = directory;
  BAHI_ASSIGN(const auto engine, open_engine(context, {}, "building the index"));
  return engine->close();
}

Result<ExitCode> run_restore(const RestoreArguments& arguments) {
  RestoreOptions options;
  BAHI_TRY(parse_ends(arguments.ends, options.ends));
  ProgressBar bar("restoring", "B");
  options.progress = shown_by(bar);
  options.stop = on_stop_signal();
  options.backup = arguments.backup;
  const Stopwatch watch;
  BAHI_ASSIGN(const RestoreReport report, restore_backup(arguments.directory, arguments.into, options));
  bar.wipe();
  Output output(STDOUT_FILENO);
  output.text() +=
      fmt::format("store {} as of backup {} ({}) is restored into {}: {} events in {} batches, {} ({})\n",
                  format_uuid(report.from.store_id), report.from.number, format_timestamp(report.from.taken_at),
                  arguments.into, grouped(report.events), grouped(report.batches), human_bytes(report.bytes),
                  watch.rate(report.bytes, report.events));
  append_tenants(report.tenants, output.text());
  BAHI_TRY(output.flush());
  BAHI_TRY(build_index(arguments.into));
  fmt::print("It is a store now: bahi serve --data {}\n", arguments.into);
  return ExitCode::kOk;
}

void add_restore(CLI::App& backup, Context& context) {
  auto arguments = std::make_shared<RestoreArguments>();
  CLI::App* const restore = backup.add_subcommand("restore", "Make a store of a backup, in a new or empty directory");
  restore->add_option("DIR", arguments->directory, "Directory of the backups")->required();
  restore->add_option("--into", arguments->into, "Directory of the new store")->required();
  restore->add_option("--backup", arguments->backup, "To the moment of the backup of this number [the newest]");
  restore
      ->add_option("--to-offset", arguments->ends,
                   "TENANT=OFFSET: the log of this tenant ends before the offset; may be given for several tenants")
      ->type_name("TENANT=OFFSET");
  restore->footer(
      "Everything is verified on the way, and the directory becomes a store at the very end. It keeps the identity of\n"
      "the store that was backed up: do not let both take appends. Its read models are built when a server opens it.\n"
      "Examples:\n  bahi backup restore /mnt/backups/bahi --into /var/lib/bahi\n"
      "  bahi backup restore /mnt/backups/bahi --into /tmp/before --to-offset shop=4000");
  restore->callback([&context, arguments] {
    needs_no_store(context);
    context.action = [arguments] { return run_restore(*arguments); };
  });
}

}  // namespace

void add_backup_commands(CLI::App& app, Context& context) {
  CLI::App* const backup = app.add_subcommand("backup", "Take, list, verify and restore backups");
  backup->require_subcommand(1);
  add_create(*backup, context);
  add_list_and_verify(*backup, context);
  add_restore(*backup, context);
}

}  // namespace bahi::cli
