#include "fold_state.hpp"

namespace bahi::projections {

FoldState::FoldState(const ViewStore& store, InstanceId instance, EventLookup history)
    : store_(&store), instance_(instance), history_(std::move(history)), changes_(instance) {
  const auto checkpoint = store.view(instance)->checkpoint();
  began_empty_ = checkpoint && checkpoint->next.value == 0;
}

Result<bool> FoldState::load(std::uint8_t table, std::string_view key, std::string& row) {
  return view().get(table, key, row);
}

const StateView& FoldState::view() {
  if (!view_) view_ = store_->view(instance_);
  return *view_;
}

WriteSet& FoldState::collect() {
  for (TableBase* table : tables_) table->collect();
  return changes_;
}

void FoldState::committed() {
  for (TableBase* table : tables_) table->committed();
  changed_bytes_ = 0;
  view_.reset();
}

}  // namespace bahi::projections
