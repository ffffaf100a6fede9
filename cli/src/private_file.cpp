#include "bahi/cli/private_file.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <sys/stat.h>

#include <fmt/format.h>

namespace bahi::cli {
namespace {

Error io_error(const std::filesystem::path& path, std::string_view what) {
  return {ErrorCode::kIoError, fmt::format("{}: {}: {}", path.string(), what, std::strerror(errno))};
}

}  // namespace

Status check_private(const std::filesystem::path& path, std::string_view holds) {
  struct stat state {};
  if (::stat(path.c_str(), &state) != 0) return io_error(path, "looking at it");
  if ((state.st_mode & (S_IRWXG | S_IRWXO)) == 0) return {};
  return Error{ErrorCode::kPermissionDenied, fmt::format("{} holds {}, and others may read or change it: chmod 600 {}",
                                                         path.string(), holds, path.string())};
}

Result<std::vector<std::string>> read_secrets(const std::filesystem::path& path) {
  BAHI_TRY(check_private(path, "a secret"));
  std::ifstream file(path);
  std::vector<std::string> secrets;
  for (std::string line; std::getline(file, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.empty()) secrets.push_back(line);
  }
  if (file.bad() || (!file.eof() && file.fail())) return io_error(path, "reading it");
  if (secrets.empty()) return Error{ErrorCode::kInvalidArgument, fmt::format("{} holds no secret", path.string())};
  return secrets;
}

}  // namespace bahi::cli
