#include "bahi/schemas/domain_event.hpp"

#include <cstring>
#include <unordered_map>

#include <fmt/format.h>

#include "audit_bfbs_generated.h"
#include "bahi/schemas/batch_body.hpp"
#include "bahi/schemas/event.hpp"
#include "chat_bfbs_generated.h"
#include "domain_layout.hpp"
#include "domain_scratch.hpp"
#include "payment_bfbs_generated.h"
#include "stock_bfbs_generated.h"

namespace bahi {
namespace {

struct Catalogue {
  std::vector<std::unique_ptr<DomainType::Layout>> layouts;
  std::vector<DomainType> types;
  std::unordered_map<std::string_view, const DomainType*> by_name;

  Catalogue() {
    // One line for each schema.
    add_domain_types("audit", audit::fb::EventsBinarySchema::data(), layouts, types);
    add_domain_types("chat", chat::fb::EventsBinarySchema::data(), layouts, types);
    add_domain_types("payment", payment::fb::EventsBinarySchema::data(), layouts, types);
    add_domain_types("stock", stock::fb::EventsBinarySchema::data(), layouts, types);
    for (const DomainType& type : types) by_name[type.name()] = &type;
  }
};

const Catalogue& catalogue() {
  static const Catalogue built;
  return built;
}

}  // namespace

std::span<const DomainType> domain_types() {
  return catalogue().types;
}

const DomainType* find_domain_type(std::string_view name) noexcept {
  const auto found = catalogue().by_name.find(name);
  return found == catalogue().by_name.end() ? nullptr : found->second;
}

DomainData::DomainData() : scratch_(std::make_unique<Scratch>()) {}
DomainData::~DomainData() = default;
DomainData::DomainData(DomainData&&) noexcept = default;
DomainData& DomainData::operator=(DomainData&&) noexcept = default;

const DomainField* DomainType::field(std::string_view name) const noexcept {
  return layout_->find(name);
}

Status DomainType::read(std::string_view content_type, std::string_view data, DomainData& out) const {
  if (content_type == kFlatBufferContentType) return read_flatbuffer(data, out);
  if (content_type == kJsonContentType) return read_json(data, out);
  return Error{ErrorCode::kMalformedEvent, fmt::format("{}: the content type must be {} or {}, is '{}'", name_,
                                                       kJsonContentType, kFlatBufferContentType, content_type)};
}

Status DomainType::read_flatbuffer(std::string_view data, DomainData& out) const {
  // In its batch an event's data lies at any address; a table must not.
  std::vector<std::uint64_t>& aligned = out.scratch_->aligned;
  if (aligned.size() * sizeof(std::uint64_t) < data.size()) aligned.resize(data.size() / sizeof(std::uint64_t) + 1);
  if (!data.empty()) std::memcpy(aligned.data(), data.data(), data.size());
  out.bytes_ = {reinterpret_cast<const char*>(aligned.data()), data.size()};
  return check_domain_table(*layout_, out.bytes_);
}

Status check_domain_events(const BatchBody& body) {
  std::vector<const DomainType*> types(body.type_count());
  bool any = false;
  for (std::uint32_t ref = 0; ref < types.size(); ++ref) {
    types[ref] = find_domain_type(body.type_name(ref));
    any = any || types[ref] != nullptr;
  }
  if (!any) return {};
  thread_local DomainData scratch;
  EventView event;
  for (EventPlace place; place.index < body.event_count(); body.advance(place)) {
    const DomainType* type = types[body.type_ref(place.index)];
    if (type == nullptr) continue;
    body.read(place, event);
    if (const Status checked = type->read(event.content_type, event.data, scratch); !checked) {
      return Error{checked.error().code(),
                   fmt::format("event {} of the append: {}", place.index, checked.error().message())};
    }
  }
  return {};
}

}  // namespace bahi
