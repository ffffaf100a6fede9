#include "audit/action_table.hpp"

namespace bahi::projections::audit {
namespace {

// clang-format off
constexpr ActionLine kLines[] = {
    // --- explicit records
    {.type = "audit.Recorded", .action = "$action", .target_type = "$target_type", .target_id = {"$target_id"},
     .outcome = "$outcome", .reason = "$reason", .content = {"$details"}, .lists_changes = true},

    // --- conversations
    {.type = "chat.ConversationCreated", .action = "conversation.created",
     .target_type = "conversation", .target_id = {"$conversation"},
     .changes = {{{"kind", "$kind"}, {"title", "$title"}}}, .content = {"$title"}},
    {.type = "chat.MemberJoined", .action = "member.joined",
     .target_type = "member", .target_id = {"$conversation", "$user"}, .actor = "$user",
     .changes = {{{"member", "true"}, {"role", "$role"}}}},
    {.type = "chat.MemberLeft", .action = "member.left",
     .target_type = "member", .target_id = {"$conversation", "$user"}, .actor = "$user",
     .changes = {{{"member", "false"}, {"role", ""}}}},
    {.type = "chat.MemberRoleChanged", .action = "member.role-changed",
     .target_type = "member", .target_id = {"$conversation", "$user"}, .changes = {{{"role", "$role"}}}},
    {.type = "chat.MessageSent", .action = "message.sent",
     .target_type = "message", .target_id = {"$conversation", "$message"}, .actor = "$sender",
     .changes = {{{"text", "$text"}}}, .content = {"$text"}, .redactable = true},
    {.type = "chat.MessageEdited", .action = "message.edited",
     .target_type = "message", .target_id = {"$conversation", "$message"}, .actor = "$sender",
     .changes = {{{"text", "$text"}}}, .content = {"$text"}, .redactable = true},
    {.type = "chat.MessageRedacted", .action = "message.redacted",
     .target_type = "message", .target_id = {"$conversation", "$message"}, .actor = "$by",
     .changes = {{{"text", ""}}}, .redacts = true},
    {.type = "chat.ReactionAdded", .action = "reaction.added",
     .target_type = "message", .target_id = {"$conversation", "$message"}, .actor = "$user"},
    {.type = "chat.ReactionRemoved", .action = "reaction.removed",
     .target_type = "message", .target_id = {"$conversation", "$message"}, .actor = "$user"},
    {.type = "chat.MessagePinned", .action = "message.pinned",
     .target_type = "message", .target_id = {"$conversation", "$message"}, .actor = "$by",
     .changes = {{{"pinned", "true"}}}},
    {.type = "chat.MessageUnpinned", .action = "message.unpinned",
     .target_type = "message", .target_id = {"$conversation", "$message"}, .actor = "$by",
     .changes = {{{"pinned", "false"}}}},
    {.type = "chat.ReceiptSet", .action = "receipt.set",
     .target_type = "message", .target_id = {"$conversation", "$message"}, .actor = "$user"},
    {.type = "chat.PresenceSet", .action = "presence.set",
     .target_type = "user", .target_id = {"$user"}, .actor = "$user", .changes = {{{"status", "$status"}}}},

    // --- stock
    {.type = "stock.ItemDefined", .action = "item.defined", .target_type = "item", .target_id = {"$item"},
     .changes = {{{"name", "$name"}, {"unit", "$unit"}}}, .content = {"$name"}},
    {.type = "stock.BatchReceived", .action = "batch.received",
     .target_type = "batch", .target_id = {"$item", "$batch"},
     .changes = {{{"received_quantity", "$quantity"}, {"cost_paise", "$cost_paise"}, {"expires_on", "$expires_on"}}},
     .content = {"$reference"}},
    {.type = "stock.Reserved", .action = "stock.reserved",
     .target_type = "reservation", .target_id = {"$reservation"}, .changes = {{{"state", "reserved"}}}},
    {.type = "stock.Released", .action = "stock.released",
     .target_type = "reservation", .target_id = {"$reservation"}, .changes = {{{"state", "released"}}}},
    {.type = "stock.ReservationExpired", .action = "stock.reservation-expired",
     .target_type = "reservation", .target_id = {"$reservation"}, .changes = {{{"state", "expired"}}}},
    {.type = "stock.Sold", .action = "stock.sold", .target_type = "sale", .target_id = {"$sale"},
     .changes = {{{"state", "sold"}, {"total_paise", "$total_paise"}}}},
    {.type = "stock.Returned", .action = "stock.returned", .target_type = "sale", .target_id = {"$sale"},
     .reason = "$reason", .changes = {{{"state", "returned"}}}},
    {.type = "stock.Transferred", .action = "stock.transferred",
     .target_type = "transfer", .target_id = {"$transfer"}, .changes = {{{"from", "$from"}, {"to", "$to"}}}},
    {.type = "stock.WrittenOff", .action = "stock.written-off", .target_type = "location", .target_id = {"$location"},
     .reason = "$reason"},
    {.type = "stock.Recalled", .action = "batch.recalled", .target_type = "batch", .target_id = {"$item", "$batch"},
     .reason = "$reason", .changes = {{{"recalled", "true"}}}},
    {.type = "stock.RecallLifted", .action = "batch.recall-lifted",
     .target_type = "batch", .target_id = {"$item", "$batch"}, .changes = {{{"recalled", "false"}}}},
    {.type = "stock.BatchHeld", .action = "batch.held", .target_type = "batch", .target_id = {"$item", "$batch"},
     .reason = "$reason", .changes = {{{"held", "true"}}}},
    {.type = "stock.HoldLifted", .action = "batch.hold-lifted",
     .target_type = "batch", .target_id = {"$item", "$batch"}, .changes = {{{"held", "false"}}}},
    {.type = "stock.Counted", .action = "stock.counted", .target_type = "batch", .target_id = {"$item", "$batch"},
     .reason = "$reason", .changes = {{{"counted_quantity", "$quantity"}, {"counted_at", "$location"}}}},
    {.type = "stock.TaxRateSet", .action = "item.tax-rate-set", .target_type = "item", .target_id = {"$item"},
     .changes = {{{"tax_rate_basis_points", "$rate_basis_points"}}}},
    {.type = "stock.MrpSet", .action = "item.mrp-set", .target_type = "item", .target_id = {"$item", "$batch"},
     .changes = {{{"mrp_paise", "$mrp_paise"}}}},
    {.type = "stock.TimeZoneSet", .action = "stock.time-zone-set",
     .changes = {{{"utc_offset_minutes", "$utc_offset_minutes"}}}},

    // --- what the server records in the log of the tenant 'system'
    {.type = "bahi.request-denied", .action = "request.denied", .target_type = "request", .target_id = {"$request"},
     .actor = "$peer", .outcome = "denied", .reason = "$reason"},
    {.type = "bahi.denials-left-out", .action = "request.denials-left-out",
     .target_type = "source", .target_id = {"$source"}, .outcome = "denied",
     .changes = {{{"not_recorded", "$not_recorded"}}}},
    {.type = "bahi.administered", .action = "administered", .target_type = "$request", .target_id = {"$target"},
     .outcome = "done"},
    {.type = "bahi.tenant-created", .action = "tenant.created", .outcome = "done"},
    {.type = "bahi.tenant-limits-set", .action = "tenant.limits-set", .outcome = "done"},
    {.type = "bahi.token-created", .action = "token.created", .outcome = "done"},
    {.type = "bahi.token-revoked", .action = "token.revoked", .outcome = "done"},
    {.type = "bahi.loss-accepted", .action = "loss.accepted", .outcome = "done"},
    {.type = "bahi.projection-started", .action = "projection.started",
     .target_type = "projection", .target_id = {"$tenant", "$projection"}, .outcome = "done"},
    {.type = "bahi.projection-dropped", .action = "projection.dropped",
     .target_type = "projection", .target_id = {"$tenant", "$projection"}, .outcome = "done"},
    {.type = "bahi.projection-rebuilt", .action = "projection.rebuilt",
     .target_type = "projection", .target_id = {"$tenant", "$projection"}, .outcome = "done"},
    {.type = "bahi.projection-replayed", .action = "projection.replayed",
     .target_type = "projection", .target_id = {"$tenant", "$projection"}, .outcome = "done"},
    {.type = "bahi.projection-skipped", .action = "projection.skipped",
     .target_type = "projection", .target_id = {"$tenant", "$projection"}, .outcome = "done"},
    {.type = "bahi.projection-retried", .action = "projection.retried",
     .target_type = "projection", .target_id = {"$tenant", "$projection"}, .outcome = "done"},
};
// clang-format on

}  // namespace

std::span<const ActionLine> action_lines() {
  return kLines;
}

}  // namespace bahi::projections::audit
