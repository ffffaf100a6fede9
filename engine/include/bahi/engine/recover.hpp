// What `Engine::recover` is told, and what it found: the way out when the anchor is lost or acknowledged data is
// missing.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "bahi/base/error.hpp"
#include "bahi/base/types.hpp"
#include "bahi/engine/options.hpp"

namespace bahi {

struct RecoverOptions {
  /// False: look and report, change nothing.
  bool accept_loss = false;
  /// Who accepts it; recorded as the event's actor.
  std::string accepted_by;
  /// As for `Engine::open`; what concerns opening modes is ignored.
  EngineOptions engine;
};

/// What one tenant was promised, and what there is.
struct TenantRecovery {
  TenantId tenant;
  std::string name;                  ///< empty: the log does not know it
  std::optional<Offset> promised;    ///< number of events acknowledged, as the anchor says; none: no anchor
  Hash128 promised_hash;             ///< chain hash of the batch that ends there
  Offset held;                       ///< number of events in the log
  Hash128 held_hash;                 ///< chain hash of the last batch
  std::optional<Offset> first_lost;  ///< none: everything promised is there
};

struct RecoverReport {
  bool anchor_usable = false;
  std::optional<Error> refusal;         ///< why `Engine::open` refuses the store; none: there is nothing to recover
  std::vector<TenantRecovery> tenants;  ///< by identifier, the system tenant first
  bool accepted = false;
  std::filesystem::path kept;  ///< accepted: where the files that no longer count are
};

}  // namespace bahi
