#include "bahi/cli/exit_code.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace bahi::cli {
namespace {

using Entry = std::pair<ErrorCode, ExitCode>;

constexpr std::array kTable{
    Entry{ErrorCode::kInvalidArgument, ExitCode::kBadInput},
    Entry{ErrorCode::kMalformedJson, ExitCode::kBadInput},
    Entry{ErrorCode::kInvalidStreamName, ExitCode::kBadInput},
    Entry{ErrorCode::kEventTooLarge, ExitCode::kBadInput},
    Entry{ErrorCode::kBatchTooLarge, ExitCode::kBadInput},
    Entry{ErrorCode::kMalformedBatch, ExitCode::kBadInput},
    Entry{ErrorCode::kUnsupportedCodec, ExitCode::kBadInput},
    Entry{ErrorCode::kOffsetOutOfRange, ExitCode::kBadInput},
    Entry{ErrorCode::kMalformedFrame, ExitCode::kInternal},
    Entry{ErrorCode::kFrameTooLarge, ExitCode::kInternal},
    Entry{ErrorCode::kUnsupportedProtocol, ExitCode::kInternal},
    Entry{ErrorCode::kUnknownRequest, ExitCode::kInternal},
    Entry{ErrorCode::kMalformedEvent, ExitCode::kBadInput},
    Entry{ErrorCode::kUnknownTenant, ExitCode::kNotFound},
    Entry{ErrorCode::kTenantExists, ExitCode::kConflict},
    Entry{ErrorCode::kInvalidTenantName, ExitCode::kBadInput},
    Entry{ErrorCode::kTenantFull, ExitCode::kPermission},
    Entry{ErrorCode::kUnauthenticated, ExitCode::kPermission},
    Entry{ErrorCode::kForbidden, ExitCode::kPermission},
    Entry{ErrorCode::kUnknownToken, ExitCode::kNotFound},
    Entry{ErrorCode::kCertificateRefused, ExitCode::kPermission},
    Entry{ErrorCode::kSignatureRefused, ExitCode::kPermission},
    Entry{ErrorCode::kWrongExpectedVersion, ExitCode::kConflict},
    Entry{ErrorCode::kConditionFailed, ExitCode::kConflict},
    Entry{ErrorCode::kOverloaded, ExitCode::kRetry},
    Entry{ErrorCode::kDeadlineExceeded, ExitCode::kRetry},
    Entry{ErrorCode::kDiskFull, ExitCode::kRetry},
    Entry{ErrorCode::kShuttingDown, ExitCode::kRetry},
    Entry{ErrorCode::kCancelled, ExitCode::kInterrupted},
    Entry{ErrorCode::kConnectionLost, ExitCode::kRetry},
    Entry{ErrorCode::kWriteFailed, ExitCode::kDamaged},
    Entry{ErrorCode::kReadOnly, ExitCode::kDamaged},
    Entry{ErrorCode::kCorruptLog, ExitCode::kDamaged},
    Entry{ErrorCode::kAcknowledgedDataMissing, ExitCode::kDamaged},
    Entry{ErrorCode::kAnchorDamaged, ExitCode::kDamaged},
    Entry{ErrorCode::kIndexDamaged, ExitCode::kDamaged},
    Entry{ErrorCode::kNotAStore, ExitCode::kNotFound},
    Entry{ErrorCode::kStoreMissing, ExitCode::kNotFound},
    Entry{ErrorCode::kNewerFormat, ExitCode::kDamaged},
    Entry{ErrorCode::kDirectoryInUse, ExitCode::kRetry},
    Entry{ErrorCode::kPermissionDenied, ExitCode::kPermission},
    Entry{ErrorCode::kIoError, ExitCode::kDamaged},
    Entry{ErrorCode::kTooManyOpenFiles, ExitCode::kRetry},
    Entry{ErrorCode::kOutOfMemory, ExitCode::kRetry},
    Entry{ErrorCode::kNotABackup, ExitCode::kNotFound},
    Entry{ErrorCode::kBackupDamaged, ExitCode::kDamaged},
    Entry{ErrorCode::kBackupMismatch, ExitCode::kConflict},
    Entry{ErrorCode::kDirectoryNotEmpty, ExitCode::kBadInput},
    Entry{ErrorCode::kRestoreUnfinished, ExitCode::kDamaged},
    Entry{ErrorCode::kUnknownProjection, ExitCode::kNotFound},
    Entry{ErrorCode::kProjectionParked, ExitCode::kDamaged},
    Entry{ErrorCode::kProjectionBehind, ExitCode::kRetry},
    Entry{ErrorCode::kProjectionExists, ExitCode::kConflict},
    Entry{ErrorCode::kViewsDamaged, ExitCode::kDamaged},
    Entry{ErrorCode::kUnknownQuery, ExitCode::kBadInput},
    Entry{ErrorCode::kNotFound, ExitCode::kNotFound},
    Entry{ErrorCode::kInvalidCursor, ExitCode::kBadInput},
    Entry{ErrorCode::kRefused, ExitCode::kConflict},
    Entry{ErrorCode::kUnknownSnapshot, ExitCode::kNotFound},
    Entry{ErrorCode::kSnapshotDamaged, ExitCode::kDamaged},
    Entry{ErrorCode::kNoCheckpointKey, ExitCode::kConflict},
    Entry{ErrorCode::kHistoryChanged, ExitCode::kDamaged},
    Entry{ErrorCode::kMalformedBundle, ExitCode::kBadInput},
    Entry{ErrorCode::kProofFailed, ExitCode::kDamaged},
    Entry{ErrorCode::kEventsLeftOut, ExitCode::kDamaged},
    Entry{ErrorCode::kOtherLog, ExitCode::kDamaged},
    Entry{ErrorCode::kUntrustedKey, ExitCode::kDamaged},
    Entry{ErrorCode::kForkedHistory, ExitCode::kDamaged},
    Entry{ErrorCode::kInternal, ExitCode::kInternal},
};

using Help = std::pair<ExitCode, std::string_view>;

constexpr std::array kHelp{
    Help{ExitCode::kOk, "done"},
    Help{ExitCode::kInternal, "unexpected: a defect in bahi, or another program at the other end"},
    Help{ExitCode::kUsage, "the command line is wrong"},
    Help{ExitCode::kBadInput, "the data given is wrong; the message names line and column, or the field"},
    Help{ExitCode::kConflict, "conflict: a stream's version or a condition is not as expected, a rule forbids it, or a name is taken"},
    Help{ExitCode::kNotFound, "no such tenant, token, read model or snapshot, or no store in the directory"},
    Help{ExitCode::kDamaged, "the store is damaged or needs an operator before it can be used, or a proof does not hold"},
    Help{ExitCode::kRetry, "in use, overloaded, unreachable or disk full: the same command may succeed later"},
    Help{ExitCode::kPermission, "the operating system or the server denies access"},
    Help{ExitCode::kInterrupted, "stopped by Ctrl-C or SIGTERM before the end"},
};

}  // namespace

ExitCode exit_code_of(ErrorCode code) noexcept {
  const auto* entry = std::find_if(kTable.begin(), kTable.end(), [code](const Entry& e) { return e.first == code; });
  return entry == kTable.end() ? ExitCode::kInternal : entry->second;
}

std::string exit_code_help() {
  std::string text = "Exit codes:\n";
  for (const auto& [code, meaning] : kHelp) text += fmt::format("  {:>3}  {}\n", static_cast<int>(code), meaning);
  return text;
}

}  // namespace bahi::cli
