#include "bahi/proofs/checkpoint_directory.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "bahi/base/posix_file.hpp"

namespace bahi::proofs {
namespace {

constexpr std::size_t kKeptMax = 16;
constexpr std::string_view kExtension = ".checkpoint";

}  // namespace

Result<std::vector<std::filesystem::path>> CheckpointDirectory::files_of(std::string_view origin) const {
  const std::filesystem::path folder = directory_ / origin;
  std::vector<std::filesystem::path> files;
  std::error_code problem;
  if (!std::filesystem::exists(folder, problem)) return files;
  for (auto entry = std::filesystem::directory_iterator(folder, problem);
       !problem && entry != std::filesystem::directory_iterator(); entry.increment(problem)) {
    if (entry->path().extension() == kExtension) files.push_back(entry->path());
  }
  if (problem) return from_errno(problem.value(), "listing", folder);
  std::sort(files.rbegin(), files.rend());
  return files;
}

Status CheckpointDirectory::keep(const Checkpoint& checkpoint, std::string_view note) const {
  const std::filesystem::path folder = directory_ / checkpoint.origin;
  std::error_code problem;
  if (std::filesystem::create_directories(folder, problem); problem) {
    return from_errno(problem.value(), "creating", folder);
  }
  BAHI_TRY(write_file_atomically(folder / fmt::format("{:020}{}", checkpoint.tree.size, kExtension), note));
  BAHI_ASSIGN(const auto files, files_of(checkpoint.origin));
  for (std::size_t i = kKeptMax; i < files.size(); ++i) std::filesystem::remove(files[i], problem);
  return {};
}

Result<std::vector<CheckpointDirectory::Kept>> CheckpointDirectory::of_log(std::string_view origin) const {
  BAHI_ASSIGN(const auto files, files_of(origin));
  std::vector<Kept> kept;
  for (const std::filesystem::path& file : files) {
    BAHI_ASSIGN(std::string note, read_file(file));
    auto checkpoint = read_checkpoint(note);
    if (!checkpoint || checkpoint->origin != origin) {
      return Error{
          ErrorCode::kMalformedBundle,
          fmt::format("{}: {}", file.string(), checkpoint ? "it is of another log" : checkpoint.error().message())};
    }
    kept.push_back({std::move(*checkpoint), std::move(note)});
  }
  return kept;
}

}  // namespace bahi::proofs
