#include "fold_state.hpp"

namespace bahi::projections {

Result<bool> FoldState::load(std::uint8_t table, std::string_view key, std::string& row) {
  if (!view_) view_ = store_->view(instance_);
  return view_->get(table, key, row);
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
