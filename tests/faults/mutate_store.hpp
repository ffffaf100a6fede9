// The stores that bahi_mutate damages, and what a reader must find in them.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "bahi/engine/engine.hpp"

namespace bahi::faults {

struct TenantContent {
  std::string name;
  std::uint32_t id = 0;
  std::vector<Hash128> events;             ///< by offset, over every field
  std::map<std::string, Hash128> streams;  ///< over what a read by stream gives
  std::map<std::string, Hash128> tags;
  bool operator==(const TenantContent&) const = default;
};
using Content = std::vector<TenantContent>;

/// Small buffers, so that a small store has many files.
[[nodiscard]] EngineOptions small_engine_options();

/// Everything that scans give, and what reads by the streams and tags of `known` give; when `known` is null, by those
/// that the scan shows.
[[nodiscard]] Result<Content> collect_content(const Engine& engine, const Content* known);
void save_content(const Content& content, const std::filesystem::path& path);
[[nodiscard]] Content load_content(const std::filesystem::path& path);

/// How the last process that wrote the store ended.
enum class Ending : std::uint8_t { kClosed, kKilled };

/// Makes `now`, `old0` and `old1` (the same store earlier) and `content` below `directory`. Runs the engine in
/// child processes only, so that the caller may fork afterwards.
Status build_store(const std::filesystem::path& directory, Ending ending, std::uint64_t seed);

}  // namespace bahi::faults
