// Directory entries that a power loss would forget.
//
// `kill -9` keeps every file name. A journal of the names that RocksDB made, renamed and deleted, and of the
// directory syncs, lets the surviving process take back afterwards what was never synced. Like the journal of a
// real file system it forgets from the end: a later change never outlives an earlier one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>

namespace bahi::faults {

/// The writing side; thread-safe. Call each function before the operation it names, except `synced`.
class NameJournal {
 public:
  /// `directory` holds the journal, and links to what a deletion or a rename would destroy.
  explicit NameJournal(std::filesystem::path directory);
  ~NameJournal();
  NameJournal(const NameJournal&) = delete;
  NameJournal& operator=(const NameJournal&) = delete;

  void creating(const std::string& path);
  void renaming(const std::string& from, const std::string& to);
  void deleting(const std::string& path);
  void synced(const std::string& directory);

 private:
  /// A link to the file as it is now; "-" when there is none.
  std::string keep(const std::string& path);
  void write(const std::string& line);

  std::filesystem::path directory_;
  std::mutex mutex_;
  std::uint64_t kept_ = 0;  // protected by mutex_
  int descriptor_ = -1;
};

/// After the writer's death: takes back a random number of the latest unsynced changes, and removes the journal.
/// Returns how many it took back.
std::size_t forget_unsynced_names(const std::filesystem::path& directory, std::uint64_t seed);

}  // namespace bahi::faults
