// The bytes of an event that its leaf in the Merkle tree is the hash of. They do not depend on how the event was
// batched or compressed; docs/on_disk_format.md gives them byte for byte, and says what they leave out.
//
//   offset size   integers big-endian
//        0    1   form, now 1
//        1    8   offset
//        9    8   version
//       17   16   id
//       33    8   occurred_at, UTC nanoseconds, two's complement
//       41    8   recorded_at, likewise
//       49        eleven texts, each be32 length and bytes: stream, type, content type, data, actor, on_behalf_of,
//                 correlation_id, causation_id, reason, target type, target id
//                 be32 number of tags, each be32 length and bytes, in the order of the event
#pragma once

#include <string>
#include <string_view>

#include "bahi/base/result.hpp"
#include "bahi/proofs/merkle.hpp"
#include "bahi/schemas/event.hpp"

namespace bahi::proofs {

/// Appends the event's bytes to `out`. The tenant is not among them: the name of the log stands in the checkpoint.
void append_canonical_event(const EventView& event, std::string& out);
/// The event whose bytes these are; its views are into `bytes`, its tenant stays as it was. Exactly one byte string
/// stands for an event. kMalformedBundle.
Status parse_canonical_event(std::string_view bytes, EventView& event);

}  // namespace bahi::proofs
