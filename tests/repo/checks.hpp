// The project's conventions, as checks on the text of one file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bahi::repo {

/// Sentences that say what is wrong and where ("path:line: …"); empty = all is well.
using Problems = std::vector<std::string>;

/// No include that docs/architecture.md forbids: the direction between the folders, RocksDB
/// below the engine's headers, Asio outside server and client. `path` is relative to the root.
[[nodiscard]] Problems check_includes(std::string_view path, std::string_view text);

/// No tab, no blank at the end of a line, no left-over mark, a newline at the end of the
/// file, and at most `kLinesMax` lines.
[[nodiscard]] Problems check_style(std::string_view path, std::string_view text);
inline constexpr std::size_t kLinesMax = 600;

}  // namespace bahi::repo
