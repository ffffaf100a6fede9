// Commands: decide on the read model, append under a condition, decide again on a conflict.

#include <algorithm>

#include <fmt/format.h>

#include "answer.hpp"
#include "bahi/base/clock.hpp"
#include "bahi/schemas/batch_builder.hpp"
#include "bahi/schemas/domain_event.hpp"
#include "projections_impl.hpp"

namespace bahi::projections {
namespace {

/// The stored events, as the answer to their command shows them.
class EventList {
 public:
  EventList() { answer_.begin_list("events"); }
  void add(Offset offset, std::string_view stream, std::string_view type, std::string_view content_type,
           std::string_view data) {
    answer_.begin_element()
        .number("offset", static_cast<std::int64_t>(offset.value))
        .text("stream", stream)
        .text("type", type);
    const DomainType* known = find_domain_type(type);
    if (known != nullptr && known->read(content_type, data, scratch_)) answer_.raw("data", known->to_json(scratch_));
    answer_.end_object();
  }
  /// `result`: what the command says besides; left out when empty.
  [[nodiscard]] std::string finish(std::string_view result = {}) {
    answer_.end_list();
    if (!result.empty()) answer_.raw("result", result);
    return answer_.finish();
  }

 private:
  Answer answer_;
  DomainData scratch_;
};

}  // namespace

/// One command, from its first look to its answer. Lives by the references that its callbacks hold.
class CommandRun : public std::enable_shared_from_this<CommandRun> {
 public:
  CommandRun(Projections::Impl& projections, CommandRequest request, CommandCallback done)
      : projections_(projections),
        request_(std::move(request)),
        done_(std::move(done)),
        head_(projections.engine_.durable_offset(request_.tenant)) {}

  void decide() {
    if (projections_.closing_)
      return finish(Error{ErrorCode::kShuttingDown, "the server is stopping; nothing was stored"});
    if (std::chrono::steady_clock::now() > request_.deadline) {
      return finish(Error{ErrorCode::kDeadlineExceeded,
                          fmt::format("the command met {} conflicts in its time; nothing was stored", conflicts_)});
    }
    auto appended = try_decide();
    if (!appended) return finish(appended.error());
  }

 private:
  /// An append is under way, or the command is finished; an error: nothing was stored.
  Status try_decide() {
    if (request_.producer && conflicts_ == 0) {
      BAHI_ASSIGN(const auto earlier, projections_.engine_.find_append(request_.tenant, *request_.producer));
      if (earlier) return answer_repeat(*earlier);
    }
    BAHI_ASSIGN(instance_, projections_.serving(request_.tenant, request_.projection));
    const auto& commands = instance_->projection().commands;
    const auto entry = std::find_if(commands.begin(), commands.end(),
                                    [&](const CommandEntry& each) { return each.name == request_.command; });
    if (entry == commands.end()) {
      std::string names;
      for (const CommandEntry& each : commands) names += fmt::format("{}{}", names.empty() ? "" : ", ", each.name);
      return Error{ErrorCode::kUnknownQuery, fmt::format("'{}' has no command '{}'; it has: {}", request_.projection,
                                                         request_.command, names.empty() ? "none" : names)};
    }
    BAHI_ASSIGN(Arguments arguments, Arguments::parse(request_.arguments));
    const auto view = projections_.store_->view(instance_->fact().id);
    BAHI_ASSIGN(const Checkpoint checkpoint, view->checkpoint());
    const QueryContext query{projections_.engine_, request_.tenant, *view, checkpoint.next};
    const Timestamp now = SystemClock::instance().now();
    auto decided = entry->run({query, now, request_.actor}, arguments);
    if ((!decided || decided->events.empty()) && checkpoint.next < head_) {
      // What it was refused for, or found done already, may have changed before the command was given: an append is
      // guarded, an answer without one is not.
      decide_behind(head_);
      return {};
    }
    BAHI_ASSIGN(decision_, std::move(decided));
    return append(checkpoint.next, now);
  }

  Status append(Offset decided_at, Timestamp now) {
    if (decision_.events.empty()) {
      finish(CommandAnswer{{}, EventList().finish(decision_.answer)});
      return {};
    }
    BatchBuilder builder({Codec::kNone, 0});
    for (const DecidedEvent& decided : decision_.events) {
      NewEvent event;
      event.stream = decided.stream;
      event.type = decided.type;
      event.data = decided.data;
      event.content_type = decided.content_type;
      event.tags.assign(decided.tags.begin(), decided.tags.end());
      event.occurred_at = decided.occurred_at.value_or(now);
      event.metadata.actor = request_.actor;
      BAHI_TRY(builder.add(event));
    }
    AppendRequest append;
    append.tenant = request_.tenant;
    BAHI_ASSIGN(append.body, builder.finish());
    append.producer = request_.producer;
    if (!decision_.boundary.items.empty()) append.condition = AppendCondition{decision_.boundary, decided_at};
    projections_.engine_.submit(std::move(append), [self = shared_from_this()](Result<AppendResult> result) {
      self->appended(std::move(result));
    });
    return {};
  }

  void appended(Result<AppendResult> result) {
    if (!result && result.error().code() == ErrorCode::kConditionFailed) {
      ++conflicts_;
      return decide_behind(Offset{result.error().conflict()->offset + 1});
    }
    if (!result) return finish(result.error());
    if (result->duplicate) {
      // Two of the same were under way at once, and the other one won.
      projections_.workers_->post([self = shared_from_this(), earlier = std::move(*result)] {
        if (const Status answered = self->answer_repeat(earlier); !answered) self->finish(answered.error());
      });
      return;
    }
    EventList events;
    Offset offset = result->first_offset;
    for (const DecidedEvent& decided : decision_.events) {
      events.add(offset, decided.stream, decided.type, decided.content_type, decided.data);
      ++offset;
    }
    finish(CommandAnswer{std::move(*result), events.finish(decision_.answer)});
  }

  /// Decides again when everything below `missed` is folded in.
  void decide_behind(Offset missed) {
    // Not cancelled: it is called at the latest when the instance rests.
    (void)instance_->notify_at(missed, [self = shared_from_this(), missed] {
      self->projections_.workers_->post([self, missed] { self->decide_again(missed); });
    });
  }

  void decide_again(Offset missed) {
    const ProjectionStatus status = instance_->status();
    if (status.next < missed && status.parked_at) {
      return finish(Error{ErrorCode::kProjectionParked, fmt::format("'{}' stands at offset {}: {}", request_.projection,
                                                                    status.parked_at->value, status.parked_because)});
    }
    decide();
  }

  Status answer_repeat(const AppendResult& earlier) {
    ReadRequest read;
    read.tenant = request_.tenant;
    read.from = earlier.first_offset;
    read.to = earlier.first_offset + earlier.event_count;
    BAHI_ASSIGN(const auto cursor, projections_.engine_.read(std::move(read)));
    EventList events;
    EventView event;
    for (;;) {
      BAHI_ASSIGN(const bool more, cursor->next(event));
      if (!more) break;
      events.add(event.offset, event.stream, event.type, event.content_type, event.data);
    }
    finish(CommandAnswer{earlier, events.finish()});
    return {};
  }

  void finish(Result<CommandAnswer> answer) {
    done_(std::move(answer));
    instance_.reset();
    if (projections_.commands_.fetch_sub(1) == 1) projections_.commands_.notify_all();
  }

  Projections::Impl& projections_;
  const CommandRequest request_;
  const CommandCallback done_;
  const Offset head_;  // the log's end when the command was given; no refusal is decided on less
  std::shared_ptr<Instance> instance_;
  Decision decision_;
  std::uint32_t conflicts_ = 0;
};

void Projections::Impl::command(CommandRequest request, CommandCallback done) {
  if (closing_) return done(Error{ErrorCode::kShuttingDown, "the server is stopping; nothing was stored"});
  if (commands_.fetch_add(1) >= options_.commands_max) {
    if (commands_.fetch_sub(1) == 1) commands_.notify_all();
    return done(Error{ErrorCode::kOverloaded,
                      fmt::format("{} commands wait already; retry after a pause", options_.commands_max)});
  }
  const auto run = std::make_shared<CommandRun>(*this, std::move(request), std::move(done));
  workers_->post([run] { run->decide(); });
}

}  // namespace bahi::projections
