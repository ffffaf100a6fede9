#include "audit/search.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "audit/words.hpp"

namespace bahi::projections::audit {
namespace {

/// Terms that a prefix stands for, at most: each is a list to walk.
constexpr std::size_t kPrefixTermsMax = 256;
/// Records that one query looks at, at most: one that finds little among many ends its page there.
constexpr int kExaminedMax = 5'000;

/// About what lies between two rows of kTimes.
constexpr std::size_t kTimeBytesWanted = std::size_t{128} << 10U;

using Lists = std::vector<std::unique_ptr<OffsetList>>;

/// Offsets [begin, end).
struct Range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// The first offset at which something was recorded at or after `time`. The clock of a machine may be set back; here it
/// stands still until it is where it was.
Result<std::uint64_t> find_time(const QueryContext& context, Timestamp time) {
  RowScan scan = context.state.scan(kTimes);
  scan.seek_backward(Key().signed_number(time.nanos));
  BAHI_TRY(scan.status());
  if (!scan.valid()) return 0;
  KeyReader key(scan.key());
  std::int64_t latest = key.signed_number();
  const Offset from{key.number()};
  BAHI_ASSIGN(const auto batches,
              context.engine.read_batches(context.tenant, from, context.offset, Direction::kForward, kTimeBytesWanted));
  for (;;) {
    BAHI_ASSIGN(const bool more, batches->next());
    if (!more) return context.offset.value;
    const BatchHeader& header = batches->header();
    latest = std::max(latest, header.recorded_at.nanos);
    if (latest >= time.nanos) return std::max(header.first_offset, from).value;
  }
}

Result<Range> find_range(const QueryContext& context, const Search& search) {
  Range range{0, context.offset.value};
  if (search.at_offset) range.end = std::min(range.end, static_cast<std::uint64_t>(*search.at_offset));
  if (search.from) {
    BAHI_ASSIGN(range.begin, find_time(context, *search.from));
  }
  if (search.to) {
    BAHI_ASSIGN(const std::uint64_t end, find_time(context, *search.to));
    range.end = std::min(range.end, end);
  }
  return range;
}

/// Puts the lists of a query together.
class Plan {
 public:
  Plan(const QueryContext& context, Order order) : state_(context.state), order_(order) {}

  void add(TermKind kind, const std::optional<std::string>& term) {
    if (term) lists_.push_back(term_list(state_, kind, *term, order_));
  }
  Status add_prefix(TermKind kind, std::string_view prefix, std::string_view what) {
    BAHI_ASSIGN(const auto terms, terms_with_prefix(state_, kind, prefix, kPrefixTermsMax, what));
    Lists lists;
    for (const std::string& term : terms) lists.push_back(term_list(state_, kind, term, order_));
    lists_.push_back(union_list(std::move(lists), order_));
    return {};
  }
  void add_target(std::string_view type, std::string_view id) {
    std::string term;
    target_term(type, id, term);
    Lists lists;
    for (const TermKind kind : {TermKind::kTargetChange, TermKind::kTarget}) {
      lists.push_back(term_list(state_, kind, term, order_));
    }
    lists_.push_back(union_list(std::move(lists), order_));
  }
  Status add_text(const std::string& text);
  /// Hours that overlap [from, to); the edges are looked at record by record.
  void add_hours(std::int64_t from, std::int64_t to);
  [[nodiscard]] std::unique_ptr<OffsetList> finish() {
    if (lists_.empty()) add(TermKind::kAll, std::string());
    return intersection_list(std::move(lists_));
  }

 private:
  const StateView& state_;
  const Order order_;
  Lists lists_;
};

Status Plan::add_text(const std::string& text) {
  Words words;
  bool found = false;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    std::string_view part = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    const bool is_prefix = part.ends_with('*');
    if (is_prefix) part.remove_suffix(1);
    words.clear();
    words.add(part);
    for (std::size_t i = 0; i < words.size(); ++i) {
      found = true;
      if (is_prefix && i + 1 == words.size()) {
        BAHI_TRY(add_prefix(TermKind::kWord, words[i], "argument 'text': the beginning"));
      } else {
        add(TermKind::kWord, std::string(words[i]));
      }
    }
  }
  if (found) return {};
  return Error{ErrorCode::kInvalidArgument, "argument 'text': holds no word; a word has a letter or a digit in it"};
}

void Plan::add_hours(std::int64_t from, std::int64_t to) {
  Lists lists;
  std::string term;
  const auto add_one = [&](TermKind kind, std::int64_t number) {
    number_term(number, term);
    lists.push_back(term_list(state_, kind, term, order_));
  };
  const auto fits = [&](std::int64_t hours) { return from % hours == 0 && to - from >= hours; };
  while (from < to) {
    if (fits(kHoursPerMonth)) {
      add_one(TermKind::kMonths, from / kHoursPerMonth);
      from += kHoursPerMonth;
    } else if (fits(kHoursPerDay)) {
      add_one(TermKind::kDays, from / kHoursPerDay);
      from += kHoursPerDay;
    } else {
      add_one(TermKind::kHours, from);
      ++from;
    }
  }
  lists_.push_back(union_list(std::move(lists), order_));
}

Result<std::unique_ptr<OffsetList>> plan(const QueryContext& context, const Search& search) {
  Plan plan(context, search.order);
  plan.add(TermKind::kCorrelation, search.correlation);
  plan.add(TermKind::kActor, search.actor);
  plan.add(TermKind::kOnBehalfOf, search.on_behalf_of);
  plan.add(TermKind::kAction, search.action);
  plan.add(TermKind::kOutcome, search.outcome);
  if (search.target_id) {
    plan.add_target(*search.target_type, *search.target_id);
  } else {
    plan.add(TermKind::kTargetType, search.target_type);
  }
  if (search.text) BAHI_TRY(plan.add_text(*search.text));
  if (search.action_prefix) {
    BAHI_TRY(plan.add_prefix(TermKind::kAction, *search.action_prefix, "argument 'action_prefix':"));
  }
  if (search.occurred_from) {
    plan.add_hours(floor_div(search.occurred_from->nanos, kNanosPerHour),
                   floor_div(search.occurred_to->nanos - 1, kNanosPerHour) + 1);
  }
  return plan.finish();
}

bool took_effect_within(const Search& search, const EventView& event) {
  if (!search.occurred_from) return true;
  const Timestamp at = effective_time(event);
  return at.nanos >= search.occurred_from->nanos && at.nanos < search.occurred_to->nanos;
}

}  // namespace

Search Search::take(Arguments& arguments) {
  Search search;
  search.actor = arguments.optional_text("actor");
  search.on_behalf_of = arguments.optional_text("on_behalf_of");
  search.action = arguments.optional_text("action");
  search.action_prefix = arguments.optional_text("action_prefix");
  search.target_type = arguments.optional_text("target_type");
  search.target_id = arguments.optional_text("target_id");
  search.correlation = arguments.optional_text("correlation");
  search.outcome = arguments.optional_text("outcome");
  search.text = arguments.optional_text("text");
  search.from = arguments.optional_time("from");
  search.to = arguments.optional_time("to");
  search.occurred_from = arguments.optional_time("occurred_from");
  search.occurred_to = arguments.optional_time("occurred_to");
  search.at_offset = arguments.optional_number("at_offset", 0, INT64_MAX);
  search.order = arguments.choice("order", {"newest", "oldest"}) == 0 ? Order::kNewest : Order::kOldest;
  return search;
}

Status Search::check() const {
  if (target_id && !target_type) {
    return Error{ErrorCode::kInvalidArgument, "argument 'target_id': needs 'target_type' beside it"};
  }
  if (occurred_from.has_value() != occurred_to.has_value()) {
    return Error{ErrorCode::kInvalidArgument, "arguments 'occurred_from' and 'occurred_to': give both or none"};
  }
  if (occurred_from && *occurred_from >= *occurred_to) {
    return Error{ErrorCode::kInvalidArgument, "argument 'occurred_to': must be later than 'occurred_from'"};
  }
  if (from && to && *from >= *to) {
    return Error{ErrorCode::kInvalidArgument, "argument 'to': must be later than 'from'"};
  }
  return {};
}

PageCursor Search::cursor(TenantId tenant) const {
  const auto time = [](const std::optional<Timestamp>& at) { return at ? std::to_string(at->nanos) : std::string(); };
  const auto text = [](const std::optional<std::string>& given) {
    return given ? std::string_view(*given) : std::string_view();
  };
  const std::string at = at_offset ? std::to_string(*at_offset) : std::string();
  return {tenant,
          {"audit", text(actor), text(on_behalf_of), text(action), text(action_prefix), text(target_type),
           text(target_id), text(correlation), text(outcome), text(this->text), time(from), time(to),
           time(occurred_from), time(occurred_to), at, order == Order::kNewest ? "newest" : "oldest"}};
}

Status show_page(const QueryContext& context, const Search& search, const PageRequest& page, Answer& answer) {
  BAHI_TRY(search.check());
  const PageCursor cursor = search.cursor(context.tenant);
  BAHI_ASSIGN(Range range, find_range(context, search));
  const bool newest = search.order == Order::kNewest;
  if (page.cursor) {
    BAHI_ASSIGN(const std::string key, cursor.decode(*page.cursor));
    const std::uint64_t last = KeyReader(key).number();
    newest ? range.end = std::min(range.end, last) : range.begin = std::max(range.begin, last + 1);
  }
  BAHI_ASSIGN(const auto list, plan(context, search));
  RecordReader reader(context);
  RecordShow show(context);
  std::int64_t left = page.limit;
  std::uint64_t last = 0;
  const auto within = [&] { return list->valid() && list->offset() >= range.begin && list->offset() < range.end; };
  if (range.begin < range.end) BAHI_TRY(list->seek(newest ? range.end - 1 : range.begin));
  answer.begin_list("records");
  for (int examined = 0; within() && left > 0 && examined < kExaminedMax; ++examined) {
    last = list->offset();
    BAHI_ASSIGN(const bool there, reader.read(last));
    if (there && took_effect_within(search, reader.event())) {
      answer.begin_element();
      BAHI_TRY(show.show(reader, answer));
      answer.end_object();
      --left;
    }
    newest ? range.end = last : range.begin = last + 1;
    if (range.begin == range.end) break;
    BAHI_TRY(list->seek(newest ? last - 1 : last + 1));
  }
  answer.end_list();
  if (within()) answer.text("next", cursor.encode(Key().number(last)));
  return {};
}

}  // namespace bahi::projections::audit
