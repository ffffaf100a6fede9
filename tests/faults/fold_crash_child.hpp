// The process of bahi_fold_crash that folds read models and is killed.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string_view>

#include "bahi/workload/history.hpp"

namespace bahi::faults {

/// Each tenant's log is one history; it has a read model of its own kind, besides those of all tenants.
struct FoldTenant {
  std::string_view name;
  workload::Kind kind;
  std::string_view projection;
};
inline constexpr std::array<FoldTenant, 4> kFoldTenants{{
    {"community", workload::Kind::kChat, "timelines"},
    {"pharmacies", workload::Kind::kPharmacy, "stock"},
    {"shop", workload::Kind::kPayments, "payments"},
    {"office", workload::Kind::kAudit, "audit"},
}};
/// Events per tenant, behind which a log grows no more.
inline constexpr std::uint64_t kFoldEventsMax = 6'000;

struct FolderOptions {
  std::filesystem::path directory;  ///< of the store, and of the views
  std::uint64_t seed = 0;
  std::uint32_t run_ms = 0;  ///< then it closes everything and ends; 0 = never
};
[[nodiscard]] std::filesystem::path log_of(const std::filesystem::path& directory);
[[nodiscard]] std::filesystem::path views_of(const std::filesystem::path& directory);
[[nodiscard]] std::filesystem::path snapshots_of(const std::filesystem::path& directory);
[[nodiscard]] std::filesystem::path past_of(const std::filesystem::path& directory);

/// Opens store and views, goes on with the histories where the logs end, folds them into all read models, and has now
/// and then one of them built anew, takes, uses and deletes snapshots, until it is killed or its time is up. The exit
/// code of the process.
int run_folder(const FolderOptions& options);

}  // namespace bahi::faults
