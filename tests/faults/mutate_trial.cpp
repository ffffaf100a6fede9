#include "mutate_trial.hpp"

#include <algorithm>
#include <fstream>
#include <map>

#include <fmt/format.h>

#include "bahi/schemas/bytes.hpp"

namespace bahi::faults {
namespace {

namespace fs = std::filesystem;

Mutation choose_mutation(Random& random) {
  const std::uint64_t dice = random.below(100);
  if (dice < 55) return Mutation::kFlippedBit;
  if (dice < 75) return Mutation::kTruncated;
  if (dice < 88) return Mutation::kZeroedSector;
  if (dice < 93) return Mutation::kMissing;
  return dice < 98 ? Mutation::kOlderFile : Mutation::kOlderLog;
}

const FileState& choose_file(const std::vector<FileState>& files, Random& random) {
  if (random.one_in(2)) return files[random.below(files.size())];
  std::uint64_t total = 0;
  for (const FileState& file : files) total += file.size;
  std::uint64_t place = random.below(total);
  for (const FileState& file : files) {
    if (place < file.size) return file;
    place -= file.size;
  }
  return files.back();
}

void overwrite(const fs::path& path, std::uint64_t place, std::string_view bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(place));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

void mutate(const Specimen& specimen, const TrialPlan& plan, const fs::path& store) {
  const fs::path path = store / plan.file;
  switch (plan.mutation) {
    case Mutation::kFlippedBit: {
      std::ifstream in(path, std::ios::binary);
      in.seekg(static_cast<std::streamoff>(plan.place));
      const char flipped = static_cast<char>(in.get() ^ (1 << plan.bit));
      overwrite(path, plan.place, {&flipped, 1});
      break;
    }
    case Mutation::kTruncated: fs::resize_file(path, plan.place); break;
    case Mutation::kZeroedSector: {
      const std::uint64_t begin = plan.place / 512 * 512;
      overwrite(path, begin, std::string(std::min<std::uint64_t>(512, fs::file_size(path) - begin), '\0'));
      break;
    }
    case Mutation::kMissing: fs::remove(path); break;
    case Mutation::kOlderFile:
      fs::copy_file(specimen.directory / plan.older / plan.file, path, fs::copy_options::overwrite_existing);
      break;
    case Mutation::kOlderLog:
      fs::remove_all(path);
      fs::copy(specimen.directory / plan.older / plan.file, path, fs::copy_options::recursive);
      break;
  }
}

/// RocksDB's text log says what happened; it is not part of the store. The lock file may be made anew.
bool is_incidental(const std::string& path) {
  const std::string name = fs::path(path).filename().string();
  return name == "LOCK" || name == "LOG" || name.starts_with("LOG.old.");
}

/// The first file that was changed, deleted or added; empty = none.
std::string touched_file(const std::vector<FileState>& before, const std::vector<FileState>& after) {
  std::map<std::string, FileState> left;
  for (const FileState& file : after) left[file.path] = file;
  for (const FileState& file : before) {
    if (is_incidental(file.path)) continue;
    const auto now = left.find(file.path);
    if (now == left.end()) return file.path + " was deleted";
    if (now->second != file) return file.path + " was changed";
  }
  for (const FileState& file : before) left.erase(file.path);
  for (const auto& [path, file] : left) {
    if (!is_incidental(path)) return path + " was added";
  }
  return {};
}

/// Sorted files of the log that are gone: the truth, which compaction only ever renames to other levels.
std::string lost_log_file(const std::vector<FileState>& before, const std::vector<FileState>& after) {
  for (const FileState& file : before) {
    if (file_kind(file.path) != "log/sorted file") continue;
    const auto same = [&](const FileState& now) { return now.path == file.path; };
    if (std::none_of(after.begin(), after.end(), same)) return file.path + " was deleted";
  }
  return {};
}

/// Where the properties of a sorted file begin; behind them only metaindex and footer follow. Layout:
/// engine/src/sst_check.hpp.
std::uint64_t table_end(const fs::path& path) {
  constexpr std::size_t kFooterBytes = 53;
  constexpr std::string_view kProperties = "rocksdb.properties";
  std::ifstream in(path, std::ios::binary);
  const std::string content((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::string_view metaindex_handle = std::string_view(content).substr(content.size() - kFooterBytes + 1);
  std::uint64_t metaindex = 0;
  (void)bytes::take_varint(metaindex_handle, metaindex);
  std::string_view handle = std::string_view(content).substr(content.find(kProperties, metaindex) + kProperties.size());
  std::uint64_t begin = 0;
  (void)bytes::take_varint(handle, begin);
  return begin;
}

bool is_store_error(ErrorCode code) {
  const auto number = static_cast<unsigned>(code);
  return number >= 502 && number <= 511 && code != ErrorCode::kDirectoryInUse;
}

std::string first_difference(const Content& expected, const Content& found) {
  if (expected.size() != found.size()) return fmt::format("{} of {} tenants", found.size(), expected.size());
  for (std::size_t number = 0; number < expected.size(); ++number) {
    const TenantContent& want = expected[number];
    const TenantContent& have = found[number];
    if (want == have) continue;
    if (want.events.size() != have.events.size()) {
      return fmt::format("{}: {} of {} events", want.name, have.events.size(), want.events.size());
    }
    if (want.events != have.events) {
      const auto place = std::mismatch(want.events.begin(), want.events.end(), have.events.begin()).first;
      return fmt::format("{}: offset {} differs", want.name, place - want.events.begin());
    }
    for (const auto& [stream, hash] : want.streams) {
      if (have.streams.at(stream) != hash) return fmt::format("{}: stream {} differs", want.name, stream);
    }
    return want.name + ": a tag differs";
  }
  return {};
}

Verdict judge_open_store(const Engine& engine, const Content& expected) {
  const auto content = collect_content(engine, &expected);
  const auto report = engine.verify();
  if (!content) return {Outcome::kReadError, content.error().to_string()};
  if (!report) return {Outcome::kVerifyOnly, report.error().to_string()};
  const std::string different = first_difference(expected, *content);
  if (!report->findings.empty()) {
    return {Outcome::kVerifyOnly,
            report->findings.front().error.to_string() + (different.empty() ? "" : "; " + different)};
  }
  return different.empty() ? Verdict{Outcome::kHarmless, {}} : Verdict{Outcome::kSilent, different};
}

/// A store that was refused is as it was before. Damage that only shows while the log is replayed into the index is
/// found after RocksDB has opened the log; then nothing of the log may be lost, and the next opening must meet it too.
Verdict judge_refusal(const Specimen& specimen, const std::vector<FileState>& before, const fs::path& copy,
                      const Error& error) {
  const std::string text = error.to_string();
  if (!is_store_error(error.code())) return {Outcome::kBroken, "an error of another kind: " + text};
  const std::vector<FileState> after = list_files(copy);
  const std::string touched = touched_file(before, after);
  if (touched.empty()) return {Outcome::kRefused, text};
  if (error.code() != ErrorCode::kCorruptLog) {
    return {Outcome::kBroken, fmt::format("refused ({}), but {}", text, touched)};
  }
  if (const std::string lost = lost_log_file(before, after); !lost.empty()) {
    return {Outcome::kBroken, fmt::format("refused ({}), but {}", text, lost)};
  }
  auto again = Engine::open(copy, small_engine_options());
  if (!again) return {Outcome::kRefusedLate, text + "; " + touched};
  const Verdict verdict = judge_open_store(**again, specimen.content);
  if (verdict.outcome != Outcome::kSilent) return {Outcome::kRefusedLate, text + "; " + touched};
  return {Outcome::kBroken, fmt::format("refused ({}), then opened: {}", text, verdict.text)};
}

}  // namespace

std::string TrialPlan::text() const {
  const std::string_view name = kMutationNames[static_cast<std::size_t>(mutation)];
  switch (mutation) {
    case Mutation::kFlippedBit: return fmt::format("{}: {} byte {} bit {}", name, file, place, bit);
    case Mutation::kTruncated:
    case Mutation::kZeroedSector: return fmt::format("{}: {} byte {}", name, file, place);
    case Mutation::kMissing: return fmt::format("{}: {}", name, file);
    case Mutation::kOlderFile:
    case Mutation::kOlderLog: return fmt::format("{}: {} from {}", name, file, older);
  }
  return {};
}

std::string file_kind(const std::string& path) {
  const fs::path whole(path);
  const std::string name = whole.filename().string();
  const std::string prefix = whole.has_parent_path() ? whole.parent_path().string() + "/" : "";
  if (name.ends_with(".log")) return prefix + "wal";
  if (name.ends_with(".sst")) return prefix + "sorted file";
  for (const std::string_view kind : {"MANIFEST", "OPTIONS", "LOG"}) {
    if (name.starts_with(kind)) return prefix + std::string(kind);
  }
  return prefix + name;
}

TrialPlan plan_trial(const std::vector<Specimen>& specimens, std::uint64_t seed, std::uint64_t number) {
  Random random(seed * 1'000'003 + number);
  TrialPlan plan;
  plan.specimen = random.below(specimens.size());
  const Specimen& specimen = specimens[plan.specimen];
  plan.mutation = choose_mutation(random);
  plan.older = random.one_in(2) ? "old0" : "old1";
  if (plan.mutation == Mutation::kOlderLog) {
    plan.file = "log";
    return plan;
  }
  while (true) {
    const FileState& file = choose_file(specimen.files, random);
    plan.file = file.path;
    if (plan.mutation == Mutation::kMissing) return plan;
    if (plan.mutation == Mutation::kOlderFile) {
      const fs::path older = specimen.directory / plan.older / file.path;
      if (fs::exists(older) && hash_file(older) != file.hash) return plan;
      continue;
    }
    if (file.size == 0) continue;
    plan.place = random.below(file.size);
    plan.bit = static_cast<unsigned>(random.below(8));
    return plan;
  }
}

std::vector<TrialPlan> plan_table_ends(const std::vector<Specimen>& specimens, std::uint64_t count_max) {
  std::vector<TrialPlan> plans;
  for (const std::string_view kind : {"log/sorted file", "idx/sorted file"}) {
    const FileState* smallest = nullptr;
    for (const FileState& file : specimens.front().files) {
      if (file_kind(file.path) == kind && (smallest == nullptr || file.size < smallest->size)) smallest = &file;
    }
    if (smallest == nullptr) continue;
    for (std::uint64_t place = table_end(specimens.front().directory / "now" / smallest->path); place < smallest->size;
         ++place) {
      for (unsigned bit = 0; bit < 8; ++bit)
        plans.push_back({0, Mutation::kFlippedBit, smallest->path, {}, place, bit});
    }
  }
  if (plans.size() <= count_max) return plans;
  std::vector<TrialPlan> chosen;
  for (std::uint64_t number = 0; number < count_max; ++number)
    chosen.push_back(plans[number * plans.size() / count_max]);
  return chosen;
}

Verdict run_trial(const Specimen& specimen, const TrialPlan& plan, const fs::path& copy) {
  fs::copy(specimen.directory / "now", copy, fs::copy_options::recursive);
  mutate(specimen, plan, copy);
  const std::vector<FileState> before = list_files(copy);
  auto engine = Engine::open(copy, small_engine_options());
  if (!engine) return judge_refusal(specimen, before, copy, engine.error());
  Verdict verdict = judge_open_store(**engine, specimen.content);
  engine->reset();
  if (const std::string lost = lost_log_file(before, list_files(copy)); !lost.empty()) {
    return {Outcome::kBroken, fmt::format("{} ({}), but {}", kOutcomeNames[static_cast<std::size_t>(verdict.outcome)],
                                          verdict.text, lost)};
  }
  return verdict;
}

}  // namespace bahi::faults
