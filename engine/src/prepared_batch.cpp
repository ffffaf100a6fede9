#include "prepared_batch.hpp"

#include <fmt/format.h>

#include "bahi/base/text.hpp"
#include "bahi/schemas/hash.hpp"
#include "bahi/schemas/name_table.hpp"
#include "bahi/schemas/names.hpp"
#include "keys.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace bahi {

Hash128 head_identity(TenantId tenant, std::string_view kind, std::string_view name) noexcept {
  static const std::uint64_t seed = random_uuid().low;
  const XXH128_hash_t hash =
      XXH3_128bits_withSeed(name.data(), name.size(), seed + tenant.value * 0x9E3779B97F4A7C15ULL + kind.front());
  return {hash.high64, hash.low64};
}
Hash128 stream_identity(TenantId tenant, std::string_view stream) noexcept {
  return head_identity(tenant, "s", stream);
}
Hash128 producer_identity(TenantId tenant, const Uuid& id) noexcept {
  std::string bytes;
  bytes::put_be64(bytes, id.high);
  bytes::put_be64(bytes, id.low);
  return head_identity(tenant, "p", bytes);
}

std::size_t PreparedBatch::memory_bytes() const {
  return sizeof(*this) + encoded.bytes.size() + raw.size() + streams.capacity() * sizeof(StreamUse) +
         other_terms.capacity() * sizeof(TermUse);
}

void collect_terms(TenantId tenant, const BatchBody& body, bool with_identities, std::vector<StreamUse>& streams,
                   std::vector<TermUse>& other_terms) {
  const std::uint32_t count = body.event_count();
  streams.assign(body.stream_count(), {});
  std::vector<std::uint32_t> last_of_type(body.type_count());
  std::vector<std::uint32_t> last_of_tag(body.tag_count());
  std::uint32_t tag_place = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    StreamUse& use = streams[body.stream_ref(i)];
    ++use.count;
    use.last_index = i;
    last_of_type[body.type_ref(i)] = i;
    for (const std::uint32_t end = tag_place + body.event_tag_count(i); tag_place < end; ++tag_place) {
      last_of_tag[body.tag_ref(tag_place)] = i;
    }
  }
  NameTable categories;
  std::vector<std::uint32_t> last_of_category;
  for (std::uint32_t ref = 0; ref < streams.size(); ++ref) {
    const std::string_view name = body.stream_name(ref);
    StreamUse& use = streams[ref];
    use.hash = term_hash(TermKind::kStream, name);
    if (with_identities) use.identity = stream_identity(tenant, name);
    bool inserted = false;
    const std::uint32_t category = categories.intern(category_of(name), inserted);
    if (inserted) last_of_category.push_back(0);
    last_of_category[category] = std::max(last_of_category[category], use.last_index);
  }
  other_terms.clear();
  other_terms.reserve(last_of_category.size() + last_of_type.size() + last_of_tag.size());
  for (std::uint32_t i = 0; i < last_of_category.size(); ++i) {
    other_terms.push_back({term_hash(TermKind::kCategory, categories.names()[i]), last_of_category[i]});
  }
  for (std::uint32_t ref = 0; ref < last_of_type.size(); ++ref) {
    other_terms.push_back({term_hash(TermKind::kType, body.type_name(ref)), last_of_type[ref]});
  }
  for (std::uint32_t ref = 0; ref < last_of_tag.size(); ++ref) {
    other_terms.push_back({term_hash(TermKind::kTag, body.tag_name(ref)), last_of_tag[ref]});
  }
}

Result<PreparedBatch> prepare_batch(TenantId tenant, EncodedBody encoded) {
  PreparedBatch batch;
  batch.tenant = tenant;
  batch.encoded = std::move(encoded);
  BAHI_ASSIGN(batch.raw, decompress(batch.encoded.codec, batch.encoded.bytes, batch.encoded.raw_size));
  BAHI_ASSIGN(batch.body, BatchBody::parse(batch.raw.view()));
  if (batch.body.event_count() != batch.encoded.event_count) {
    return Error{ErrorCode::kMalformedBatch, fmt::format("event_count: the request says {}, the body holds {}",
                                                         batch.encoded.event_count, batch.body.event_count())};
  }
  batch.body_hash = xxh3_128(batch.encoded.bytes);
  collect_terms(tenant, batch.body, true, batch.streams, batch.other_terms);
  return batch;
}

}  // namespace bahi
