#include "fold_state.hpp"

#include <utility>

namespace bahi::projections {

FoldState::FoldState(const ViewStore& store, InstanceId instance, EventLookup history)
    : store_(&store), instance_(instance), history_(std::move(history)), changes_(instance) {
  const auto checkpoint = store.view(instance)->checkpoint();
  began_empty_ = checkpoint && checkpoint->next.value == 0;
}

Result<bool> FoldState::load(std::uint8_t table, std::string_view key, std::string& row) {
  BAHI_ASSIGN(const StateView* rows, view());
  return rows->get(table, key, row);
}

Result<bool> FoldState::load_ended(std::uint8_t table, std::string_view key, std::string& row) {
  if (!view_) view_ = store_->view(instance_);
  return view_->get(table, key, row);
}

Result<const StateView*> FoldState::view() {
  if (commit_.valid()) {
    BAHI_TRY(commit_.get());
    commit_ = {};
    view_.reset();
  }
  if (!view_) view_ = store_->view(instance_);
  return view_.get();
}

WriteSet FoldState::take_changes() {
  for (TableBase* table : tables_) table->collect();
  WriteSet taken = std::exchange(changes_, WriteSet(instance_));
  for (TableBase* table : tables_) table->taken();
  changed_bytes_ = 0;
  view_.reset();
  return taken;
}

std::size_t FoldState::held_bytes() const noexcept {
  std::size_t bytes = 0;
  for (const TableBase* table : tables_) bytes += table->held_bytes();
  return bytes;
}

}  // namespace bahi::projections
