#include "activity/activity.hpp"

#include <fmt/format.h>

namespace bahi::projections::activity {
namespace {

constexpr std::uint8_t kTypes = 1;  // text type -> TypeRow

struct TypeRow {
  std::uint64_t count = 0;
  std::uint64_t first_offset = 0;
  std::uint64_t last_offset = 0;
  std::int64_t last_recorded_at = 0;
  void fields(auto& row) { row(count, first_offset, last_offset, last_recorded_at); }
};

class ActivityFold final : public Fold {
 public:
  explicit ActivityFold(FoldState& state) : types_(state, kTypes) {}

  Status apply(const FoldEvent& event) override {
    key_ = Key().text(event.view.type);
    BAHI_ASSIGN(TypeRow * row, types_.edit_or_add(key_));
    if (row->count++ == 0) row->first_offset = event.view.offset.value;
    row->last_offset = event.view.offset.value;
    row->last_recorded_at = event.view.recorded_at.nanos;
    return {};
  }

 private:
  Table<TypeRow> types_;
  Key key_;
};

void write(Answer& answer, std::string_view type, const TypeRow& row) {
  answer.text("type", type)
      .number("count", static_cast<std::int64_t>(row.count))
      .number("first_offset", static_cast<std::int64_t>(row.first_offset))
      .number("last_offset", static_cast<std::int64_t>(row.last_offset))
      .time("last_recorded_at", {row.last_recorded_at});
}

Status list_types(const QueryContext& context, Arguments& arguments, Answer& answer) {
  std::int64_t left = arguments.number_or("limit", 100, 1, 1000);
  const auto after = arguments.optional_text("after");
  BAHI_TRY(arguments.check());
  RowScan scan = context.state.scan(kTypes);
  if (after) {
    const Key key = Key().text(*after);
    scan.seek(key);
    if (scan.valid() && scan.key() == key.bytes()) scan.next();
  } else {
    scan.seek_first();
  }
  std::string last;
  answer.begin_list("types");
  for (; scan.valid() && left > 0; scan.next(), --left) {
    TypeRow row;
    if (!decode_row(scan.value(), row)) return Error{ErrorCode::kViewsDamaged, "activity: a row is malformed"};
    last = KeyReader(scan.key()).text();
    answer.begin_element();
    write(answer, last, row);
    answer.end_object();
  }
  answer.end_list();
  BAHI_TRY(scan.status());
  if (scan.valid()) answer.text("next", last);
  return {};
}

Status find_type(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const std::string type = arguments.text("type");
  BAHI_TRY(arguments.check());
  TypeRow row;
  BAHI_ASSIGN(const bool found, get_row(context.state, kTypes, Key().text(type), row));
  if (!found) return Error{ErrorCode::kNotFound, fmt::format("the tenant has no event of type '{}'", type)};
  write(answer, type, row);
  return {};
}

std::unique_ptr<Fold> make_fold(FoldState& state) {
  return std::make_unique<ActivityFold>(state);
}

}  // namespace

Projection projection() {
  return {"activity", 1, "events of each type, counted", {}, &make_fold, {{"types", list_types}, {"type", find_type}},
          {}};
}

}  // namespace bahi::projections::activity
