#include "name_journal.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "workload.hpp"

namespace bahi::faults {
namespace {

namespace fs = std::filesystem;

/// One line of the journal: kind, paths, and the link that keeps what was destroyed.
struct Change {
  char kind = ' ';  // C create, R rename, D delete, S sync of a directory
  std::string path;
  std::string to;
  std::string kept = "-";
};

std::vector<Change> read_journal(const fs::path& path) {
  std::vector<Change> changes;
  std::ifstream in(path);
  std::string line;
  while (std::getline(in, line) && line.ends_with('.')) {  // a line cut short was never carried out
    std::istringstream words(line);
    Change change;
    words >> change.kind >> change.path >> change.to >> change.kept;
    changes.push_back(change);
  }
  return changes;
}

fs::path directory_of(const Change& change) {
  if (change.kind == 'S') return (fs::path(change.path) / "x").lexically_normal().parent_path();
  return fs::path(change.kind == 'R' ? change.to : change.path).lexically_normal().parent_path();
}

/// Changes in directories that were not synced afterwards, oldest first.
std::vector<Change> unsynced(const std::vector<Change>& changes) {
  std::vector<Change> open;
  for (const Change& change : changes) {
    if (change.kind != 'S') {
      open.push_back(change);
      continue;
    }
    std::erase_if(open, [&](const Change& earlier) { return directory_of(earlier) == directory_of(change); });
  }
  return open;
}

void take_back(const Change& change) {
  std::error_code ignored;  // the change itself may not have happened
  switch (change.kind) {
    case 'C': fs::remove(change.path, ignored); break;
    case 'R':
      fs::rename(change.to, change.path, ignored);
      if (change.kept != "-") fs::rename(change.kept, change.to, ignored);
      break;
    case 'D':
      if (change.kept != "-") fs::rename(change.kept, change.path, ignored);
      break;
    default: break;
  }
}

}  // namespace

NameJournal::NameJournal(fs::path directory) : directory_(std::move(directory)) {
  fs::create_directories(directory_);
  descriptor_ = ::open((directory_ / "journal").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (descriptor_ < 0) throw std::runtime_error("cannot write the journal of names in " + directory_.string());
}

NameJournal::~NameJournal() {
  ::close(descriptor_);
}

void NameJournal::write(const std::string& line) {
  const ssize_t written = ::write(descriptor_, line.data(), line.size());
  if (written != static_cast<ssize_t>(line.size())) throw std::runtime_error("the journal of names cannot be written");
}

std::string NameJournal::keep(const std::string& path) {
  const std::string link = (directory_ / std::to_string(++kept_)).string();
  std::error_code failed;
  fs::create_hard_link(path, link, failed);
  return failed ? "-" : link;
}

void NameJournal::creating(const std::string& path) {
  if (fs::exists(path)) return;
  const std::scoped_lock lock(mutex_);
  write("C " + path + " - - .\n");
}

void NameJournal::renaming(const std::string& from, const std::string& to) {
  const std::scoped_lock lock(mutex_);
  write("R " + from + ' ' + to + ' ' + keep(to) + " .\n");
}

void NameJournal::deleting(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  write("D " + path + " - " + keep(path) + " .\n");
}

void NameJournal::synced(const std::string& directory) {
  const std::scoped_lock lock(mutex_);
  write("S " + directory + " - - .\n");
}

std::size_t forget_unsynced_names(const fs::path& directory, std::uint64_t seed) {
  std::vector<Change> open = unsynced(read_journal(directory / "journal"));
  Random random(seed);
  const std::size_t count = random.below(open.size() + 1);
  for (std::size_t left = count; left > 0; --left) {
    take_back(open.back());
    open.pop_back();
  }
  fs::remove_all(directory);
  return count;
}

}  // namespace bahi::faults
