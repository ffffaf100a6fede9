// A batch of the log as a fold takes it: which events it wants, and their data checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "bahi/base/result.hpp"
#include "bahi/schemas/decoded_batch.hpp"
#include "bahi/schemas/domain_event.hpp"

namespace bahi::projections {

/// Which handler a projection has for a type of event. Immutable, so thread-safe.
class FoldTypes {
 public:
  static constexpr std::size_t kNone = SIZE_MAX;
  /// `types`: in the order of their handlers; empty: handler 0 for all.
  explicit FoldTypes(const std::vector<std::string_view>& types) {
    for (std::size_t i = 0; i < types.size(); ++i) handlers_.emplace(types[i], i);
  }
  [[nodiscard]] std::size_t handler_of(std::string_view type) const {
    if (handlers_.empty()) return 0;
    const auto found = handlers_.find(type);
    return found == handlers_.end() ? kNone : found->second;
  }

 private:
  std::map<std::string_view, std::size_t> handlers_;
};

/// Immutable, so thread-safe.
class FoldBatch {
 public:
  /// Reads the data of all events that have a handler and a type of schemas/domain. `scratch` is used meanwhile.
  FoldBatch(std::shared_ptr<const DecodedBatch> batch, const FoldTypes& types, DomainData& scratch);

  [[nodiscard]] const DecodedBatch& batch() const noexcept { return *batch_; }
  /// Whether there is a handler for any of the events.
  [[nodiscard]] bool wanted() const noexcept { return wanted_; }
  /// Of the event of this number in the batch; FoldTypes::kNone: the fold is not given it.
  [[nodiscard]] std::size_t handler(std::uint32_t index) const { return handlers_[batch_->body().type_ref(index)]; }
  /// The checked FlatBuffer; null: its type has no schema, or the data does not fit it.
  [[nodiscard]] const void* data(std::uint32_t index) const;
  /// Why the data does not fit its schema; null: it does, or there is none.
  [[nodiscard]] const Error* problem(std::uint32_t index) const;

 private:
  static constexpr std::size_t kNoData = SIZE_MAX;

  std::shared_ptr<const DecodedBatch> batch_;
  std::vector<std::size_t> handlers_;  // by type of the batch
  bool wanted_ = false;
  std::vector<std::uint64_t> bytes_;  // aligned as FlatBuffers want it
  std::vector<std::size_t> places_;   // in `bytes_`, by event; empty when no type has a schema
  std::vector<std::pair<std::uint32_t, Error>> problems_;
};

}  // namespace bahi::projections
