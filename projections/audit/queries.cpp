#include "audit/queries.hpp"

#include <fmt/format.h>

#include "audit/search.hpp"

namespace bahi::projections::audit {
namespace {

Status records(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const Search search = Search::take(arguments);
  const PageRequest page = PageRequest::take(arguments);
  BAHI_TRY(arguments.check());
  return show_page(context, search, page, answer);
}

/// All that happened as part of one course of events, over all streams, in order.
Status story(const QueryContext& context, Arguments& arguments, Answer& answer) {
  Search search;
  search.correlation = arguments.text("correlation");
  search.at_offset = arguments.optional_number("at_offset", 0, INT64_MAX);
  search.order = Order::kOldest;
  const PageRequest page = PageRequest::take(arguments);
  BAHI_TRY(arguments.check());
  return show_page(context, search, page, answer);
}

Status record(const QueryContext& context, Arguments& arguments, Answer& answer) {
  const auto offset = static_cast<std::uint64_t>(arguments.number("offset", 0, INT64_MAX));
  BAHI_TRY(arguments.check());
  const auto all = term_list(context.state, TermKind::kAll, {}, Order::kOldest);
  BAHI_TRY(all->seek(offset));
  if (!all->valid() || all->offset() != offset) {
    return Error{ErrorCode::kNotFound, fmt::format("the trail has no record of offset {}", offset)};
  }
  RecordReader reader(context);
  BAHI_TRY(reader.read(offset));
  RecordShow show(context);
  BAHI_TRY(show.show(reader, answer));
  HiddenRow hiding;
  BAHI_ASSIGN(const bool hidden, show.hidden(offset, hiding));
  const std::string data = hidden ? std::string() : reader.data();
  if (!data.empty()) answer.raw("data", data);
  return {};
}

}  // namespace

std::vector<QueryEntry> queries() {
  return {{"records", records}, {"story", story}, {"record", record}};
}

}  // namespace bahi::projections::audit
