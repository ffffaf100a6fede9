// The one error catalogue of Bahi.
//
// Every error a caller can see has a stable number, a stable name, and one
// answer to "what should I do now?". Numbers go on the wire and are never
// reused; `docs/errors.md` is tested against this file.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <boost/assert/source_location.hpp>

namespace bahi {

/// What the caller should do next; the only classification that matters.
enum class Action : std::uint8_t {
  kNeverRetry,    ///< The same request fails again; change the request or the setup.
  kRetry,         ///< The same request may succeed later, unchanged.
  kRereadRetry,   ///< Re-read what changed, decide again, then send a new request.
  kRestoreStore,  ///< The store needs an operator: free it, repair it, or restore a backup.
};

// number, enumerator, name on the wire and in logs, action, one-line meaning
#define BAHI_ERROR_CATALOGUE(X)                                                                     \
  /* requests: 100-199 */                                                                           \
  X(100, kInvalidArgument, "invalid_argument", kNeverRetry,                                         \
    "A field of the request has a value that is not allowed; the message names it.")               \
  X(101, kMalformedJson, "malformed_json", kNeverRetry,                                             \
    "A line of input is not a JSON object of the expected form; the message names line and column.") \
  X(102, kInvalidStreamName, "invalid_stream_name", kNeverRetry,                                    \
    "A stream must be named category-id, 3 to 512 bytes of UTF-8 without control characters.")      \
  X(103, kEventTooLarge, "event_too_large", kNeverRetry,                                            \
    "One event is larger than the limit of 16 MiB.")                                                \
  X(104, kBatchTooLarge, "batch_too_large", kNeverRetry,                                            \
    "One append holds more than 16 MiB uncompressed or more than 65,535 events; split it.")         \
  X(105, kMalformedBatch, "malformed_batch", kNeverRetry,                                           \
    "The bytes of a batch are not a valid batch body; the writer's encoder is at fault.")           \
  X(106, kUnsupportedCodec, "unsupported_codec", kNeverRetry,                                       \
    "The batch names a compression codec that this build does not know.")                          \
  X(107, kOffsetOutOfRange, "offset_out_of_range", kNeverRetry,                                     \
    "The offset lies beyond the end of the log.")                                                  \
  X(108, kMalformedFrame, "malformed_frame", kNeverRetry,                                           \
    "The bytes received are not a frame of the protocol; the connection is closed.")               \
  X(109, kFrameTooLarge, "frame_too_large", kNeverRetry,                                            \
    "A frame is larger than the limit announced in the handshake; the connection is closed.")      \
  X(110, kUnsupportedProtocol, "unsupported_protocol", kNeverRetry,                                 \
    "The other side speaks another major version of the protocol, or another protocol.")           \
  X(111, kUnknownRequest, "unknown_request", kNeverRetry,                                           \
    "The server does not know this request; it may be older than the client.")                     \
  X(112, kMalformedEvent, "malformed_event", kNeverRetry,                                           \
    "The data of an event of a known type does not fit the type's schema; the message names the field.") \
  /* tenants: 200-219 */                                                                            \
  X(200, kUnknownTenant, "unknown_tenant", kNeverRetry,                                             \
    "No tenant has this name; create it first.")                                                   \
  X(201, kTenantExists, "tenant_exists", kNeverRetry, "A tenant of this name exists already.")      \
  X(202, kInvalidTenantName, "invalid_tenant_name", kNeverRetry,                                    \
    "A tenant name is 1 to 64 characters of a-z, 0-9, '_' and '-', starting with a letter.")        \
  X(203, kTenantFull, "tenant_full", kNeverRetry,                                                   \
    "The tenant may store no more bytes; nothing was stored. An administrator can raise the limit " \
    "with `bahi tenant limit`.")                                                                    \
  /* credentials: 220-239 */                                                                        \
  X(220, kUnauthenticated, "unauthenticated", kNeverRetry,                                          \
    "The credential is missing, unknown, expired or revoked.")                                      \
  X(221, kForbidden, "forbidden", kNeverRetry,                                                      \
    "The credential's role or tenant does not allow this request.")                                 \
  X(222, kUnknownToken, "unknown_token", kNeverRetry, "There is no live token of this id.")         \
  X(223, kCertificateRefused, "certificate_refused", kNeverRetry,                                   \
    "A TLS certificate is missing, expired, not trusted or of another name; the message says whose.") \
  X(224, kSignatureRefused, "signature_refused", kNeverRetry,                                       \
    "The signature of a webhook is malformed, matches no secret, or is too old; nothing was stored.") \
  /* conflicts: 300-319 */                                                                          \
  X(300, kWrongExpectedVersion, "wrong_expected_version", kRereadRetry,                             \
    "A stream is not at the version the append expected; the answer carries the actual one.")       \
  X(301, kConditionFailed, "condition_failed", kRereadRetry,                                        \
    "An event matching the append's condition exists after the given offset; the answer names it.") \
  /* load and time: 400-419 */                                                                      \
  X(400, kOverloaded, "overloaded", kRetry,                                                         \
    "A queue or another limit is full; nothing was done. Retry after a pause.")                    \
  X(401, kDeadlineExceeded, "deadline_exceeded", kRetry, "The time given for the wait has passed.") \
  X(402, kDiskFull, "disk_full", kRetry,                                                            \
    "Free space is below the reserve; nothing was stored. Free space, then retry.")                \
  X(403, kShuttingDown, "shutting_down", kRetry,                                                    \
    "The engine is closing; nothing of this request was stored.")                                  \
  X(404, kCancelled, "cancelled", kRetry, "The operation was cancelled by its caller.")             \
  X(405, kConnectionLost, "connection_lost", kRetry,                                                \
    "The connection to the server broke or cannot be made. The outcome of an append is unknown; "  \
    "retry it with the same producer sequence.")                                                    \
  /* store: 500-549 */                                                                              \
  X(500, kWriteFailed, "write_failed", kRestoreStore,                                               \
    "A write or sync failed; the outcome of this append is unknown. Reopen the store and retry "    \
    "with the same producer sequence.")                                                            \
  X(501, kReadOnly, "read_only", kRestoreStore,                                                     \
    "The store no longer accepts appends since a write failed, or was opened read-only; nothing "   \
    "was stored.")                                                                                 \
  X(502, kCorruptLog, "corrupt_log", kRestoreStore,                                                 \
    "Bytes of the log fail their checksum or contradict each other; restore from a backup.")        \
  X(503, kAcknowledgedDataMissing, "acknowledged_data_missing", kRestoreStore,                      \
    "The log is shorter than, or differs from, what was acknowledged; nothing was touched. Restore " \
    "a backup; without one, `bahi recover` shows what is missing and can accept the loss.")          \
  X(504, kAnchorDamaged, "anchor_damaged", kRestoreStore,                                           \
    "The head anchor is missing or fails its checksum, so the log cannot be vouched for. Restore a " \
    "backup; without one, `bahi recover` shows what the log holds and can accept it.")               \
  X(505, kIndexDamaged, "index_damaged", kRestoreStore,                                             \
    "The derived index is damaged; run `bahi index rebuild`.")                                     \
  X(506, kNotAStore, "not_a_store", kNeverRetry,                                                    \
    "The directory is not empty and holds no Bahi store; name another directory.")                 \
  X(507, kStoreMissing, "store_missing", kNeverRetry,                                               \
    "The directory holds no store yet; create one with `bahi tenant create`.")                     \
  X(508, kNewerFormat, "newer_format", kNeverRetry,                                                 \
    "The store was written by a newer version; use that version or a later one.")                  \
  X(509, kDirectoryInUse, "directory_in_use", kRetry,                                               \
    "Another process has the store open; stop it or use another directory.")                       \
  X(510, kPermissionDenied, "permission_denied", kNeverRetry,                                       \
    "The operating system denies access to a file of the store.")                                  \
  X(511, kIoError, "io_error", kRestoreStore, "The operating system reported an I/O error.")        \
  X(512, kTooManyOpenFiles, "too_many_open_files", kRetry,                                          \
    "The process has no file descriptor left; raise `ulimit -n`.")                                 \
  X(513, kOutOfMemory, "out_of_memory", kRetry, "Memory ran out; nothing was stored.")              \
  /* backups: 520-529 */                                                                            \
  X(520, kNotABackup, "not_a_backup", kNeverRetry,                                                  \
    "The directory holds no backup, or something else; name another directory.")                    \
  X(521, kBackupDamaged, "backup_damaged", kRestoreStore,                                           \
    "A file of the backup is missing, shortened or altered; the message says which and where. Earlier " \
    "backups in the directory may be whole: `bahi backup restore --backup N`.")                     \
  X(522, kBackupMismatch, "backup_mismatch", kNeverRetry,                                           \
    "The backup is of another store, or of another history of this one; back up into another directory.") \
  X(523, kDirectoryNotEmpty, "directory_not_empty", kNeverRetry,                                    \
    "A restore needs a directory that is new or empty; nothing was touched.")                       \
  X(524, kRestoreUnfinished, "restore_unfinished", kRestoreStore,                                   \
    "A restore into this directory did not come to its end; run `bahi backup restore` again.")      \
  /* read models: 600-619 */                                                                        \
  X(600, kUnknownProjection, "unknown_projection", kNeverRetry,                                     \
    "The tenant has no read model of this name; the message lists those there are.")                \
  X(601, kProjectionParked, "projection_parked", kRestoreStore,                                     \
    "The read model stands still at an event that it could not fold; skip the event, or retry it after a repair.") \
  X(602, kProjectionBehind, "projection_behind", kRetry,                                            \
    "The read model has not folded up to the offset asked for yet; retry after a pause.")           \
  X(603, kProjectionExists, "projection_exists", kNeverRetry,                                       \
    "The tenant has a read model of this name already.")                                            \
  X(604, kViewsDamaged, "views_damaged", kRestoreStore,                                             \
    "The state of the read models cannot be read; it is derived, so delete it and it is built anew.") \
  X(605, kUnknownQuery, "unknown_query", kNeverRetry,                                               \
    "The read model has no query or command of this name; the message lists those there are.")      \
  X(606, kNotFound, "not_found", kNeverRetry, "What the query or command asks about does not exist.") \
  X(607, kInvalidCursor, "invalid_cursor", kNeverRetry,                                             \
    "The page cursor is not one that this query of this tenant gave; begin without a cursor.")      \
  X(608, kRefused, "refused", kNeverRetry,                                                          \
    "A rule of the read model forbids the command as things stand; the message names the rule.")    \
  X(609, kUnknownSnapshot, "unknown_snapshot", kNeverRetry,                                         \
    "There is no snapshot of this number; `bahi snapshot list` shows those there are.")             \
  X(610, kSnapshotDamaged, "snapshot_damaged", kNeverRetry,                                         \
    "A file of the snapshot is missing or differs; it is passed over, and no answer changes without it.") \
  /* proofs: 800-819 */                                                                             \
  X(800, kNoCheckpointKey, "no_checkpoint_key", kNeverRetry,                                        \
    "The server has no key to sign checkpoints with; start it with --checkpoint-key.")              \
  X(801, kHistoryChanged, "history_changed", kRestoreStore,                                         \
    "The log does not extend a checkpoint that was given out before, or its own tree; the message says where. " \
    "Restore a backup.")                                                                            \
  X(802, kMalformedBundle, "malformed_bundle", kNeverRetry,                                         \
    "The file is not a bundle, checkpoint or key as Bahi writes it; it was damaged or altered.")    \
  X(803, kProofFailed, "proof_failed", kNeverRetry,                                                 \
    "An event, or the proof, does not lead to the root that was signed: something was altered.")    \
  X(804, kEventsLeftOut, "events_left_out", kNeverRetry,                                            \
    "Events are missing where the bundle claims to be complete; the message says between which.")   \
  X(805, kOtherLog, "other_log", kNeverRetry, "The checkpoint is of another log than expected.")    \
  X(806, kUntrustedKey, "untrusted_key", kNeverRetry,                                               \
    "The signature is not that of the key given, nor of one that it handed over to.")               \
  X(807, kForkedHistory, "forked_history", kNeverRetry,                                             \
    "The history signed now does not extend the one signed before: there are two of them.")         \
  /* ours: 900-999 */                                                                               \
  X(900, kInternal, "internal", kNeverRetry, "A defect in Bahi; please report it with the message.")

enum class ErrorCode : std::uint16_t {
#define BAHI_X(number, enumerator, name, action, text) enumerator = number,
  BAHI_ERROR_CATALOGUE(BAHI_X)
#undef BAHI_X
};

struct ErrorInfo {
  ErrorCode code;
  std::string_view name;
  Action action;
  std::string_view text;
};

/// The whole catalogue, ordered by number.
[[nodiscard]] std::span<const ErrorInfo> error_catalogue() noexcept;
/// The entry of `code`; unknown numbers (from a newer peer) map to kInternal's entry.
[[nodiscard]] const ErrorInfo& error_info(ErrorCode code) noexcept;
[[nodiscard]] std::string_view to_string(Action action) noexcept;

/// What a conflicting writer needs in order to catch up.
struct Conflict {
  std::string stream;              ///< kWrongExpectedVersion: the stream
  std::int64_t actual_version = 0; ///< kWrongExpectedVersion: its version, -1 = the stream does not exist
  std::uint64_t offset = 0;        ///< an event that matches the condition; the stream's last one
};

/// An error: a code from the catalogue and a sentence that names the field or
/// file at fault. Cheap to move; copying shares the conflict detail.
class [[nodiscard]] Error {
 public:
  Error() = default;  ///< a placeholder; Boost.System's result needs one
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}
  Error(ErrorCode code, std::string message, Conflict conflict)
      : code_(code),
        message_(std::move(message)),
        conflict_(std::make_shared<const Conflict>(std::move(conflict))) {}

  [[nodiscard]] ErrorCode code() const noexcept { return code_; }
  [[nodiscard]] const std::string& message() const noexcept { return message_; }
  [[nodiscard]] const ErrorInfo& info() const noexcept { return error_info(code_); }
  /// Null unless the code is a conflict.
  [[nodiscard]] const Conflict* conflict() const noexcept { return conflict_.get(); }
  /// kOverloaded by a rate: the pause after which the same request may go through. 0: not known.
  [[nodiscard]] std::uint32_t retry_after_ms() const noexcept { return retry_after_ms_; }
  Error& set_retry_after_ms(std::uint32_t pause_ms) noexcept {
    retry_after_ms_ = pause_ms;
    return *this;
  }
  /// "name (number): message"
  [[nodiscard]] std::string to_string() const;

 private:
  ErrorCode code_ = ErrorCode::kInternal;
  std::uint32_t retry_after_ms_ = 0;
  std::string message_;
  std::shared_ptr<const Conflict> conflict_;
};

/// Called by `Result::value()` on an error; ADL hook of Boost.System's result.
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& where);

}  // namespace bahi
