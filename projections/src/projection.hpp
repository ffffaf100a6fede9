// What a projection is: a fold, the queries on what it built, and the commands that decide on it.
//
// docs/write_a_projection.md shows how to write one.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <flatbuffers/flatbuffers.h>

#include "answer.hpp"
#include "arguments.hpp"
#include "bahi/engine/engine.hpp"
#include "bahi/schemas/append_request.hpp"
#include "bahi/schemas/event.hpp"
#include "fold_state.hpp"
#include "key.hpp"

namespace bahi::projections {

/// One event as a fold gets it. Views hold until `apply` returns.
struct FoldEvent {
  const EventView& view;
  std::size_t handler = 0;     ///< which of the projection's handlers
  const void* data = nullptr;  ///< the checked FlatBuffer of a type of schemas/domain; null for other types

  /// The table of the event's type.
  template <class T>
  [[nodiscard]] const T& as() const {
    return *flatbuffers::GetRoot<T>(data);
  }
};

/// When an event took effect: when its writer says that it occurred, otherwise when it was recorded.
[[nodiscard]] inline Timestamp effective_time(const EventView& event) {
  return event.occurred_at.nanos != 0 ? event.occurred_at : event.recorded_at;
}

/// Folds the events of one tenant, in the order of their offsets, into the tables of its state. It must be
/// deterministic: it looks at nothing but the event and its tables, neither at a clock nor at where a commit falls.
class Fold {
 public:
  Fold() = default;
  Fold(const Fold&) = delete;
  Fold& operator=(const Fold&) = delete;
  virtual ~Fold() = default;
  /// An error parks the projection in front of this event; what the event had changed by then is taken back.
  virtual Status apply(const FoldEvent& event) = 0;
};

/// What a query may look at.
struct QueryContext {
  const Engine& engine;
  TenantId tenant;
  const StateView& state;
  Offset offset;  ///< the state is that of all events below it
};
using QueryFunction = Status (*)(const QueryContext& context, Arguments& arguments, Answer& answer);

struct QueryEntry {
  std::string_view name;
  QueryFunction run;
};

/// An event that a command decided on. Owns its texts.
struct DecidedEvent {
  std::string stream;
  std::string type;
  std::string data;
  std::string_view content_type;
  std::vector<std::string> tags;
  /// Absent: the `now` of the command's context.
  std::optional<Timestamp> occurred_at;
};

/// What a command decided. It is stored only if, since the state that it was decided on, nothing was appended that
/// `boundary` matches; otherwise it is decided again.
struct Decision {
  std::vector<DecidedEvent> events;
  EventQuery boundary;
  /// What the answer says besides the events, as its member `result`: a JSON object, made by Answer. A repeat of the
  /// same command id is answered without it.
  std::string answer;
};

struct CommandContext {
  QueryContext query;
  Timestamp now;
  std::string_view actor;
};
/// Errors: kRefused when a rule forbids it, and those of Arguments.
using CommandFunction = Result<Decision> (*)(const CommandContext& context, Arguments& arguments);

struct CommandEntry {
  std::string_view name;
  CommandFunction run;
};

/// One kind of read model.
struct Projection {
  std::string_view name;
  /// To be raised when the fold or its rows change; instances of another version are built anew.
  std::uint32_t version = 1;
  std::string_view summary;
  /// Event types that the fold is given, in the order of its handlers; empty: all events, as handler 0.
  std::vector<std::string_view> types;
  std::unique_ptr<Fold> (*make_fold)(FoldState& state);
  std::vector<QueryEntry> queries;
  std::vector<CommandEntry> commands;
  /// Data of a known type that does not fit its schema is given as null, instead of parking the read model.
  bool takes_malformed = false;
  /// Once started it stays: it cannot be dropped, and passes over no event. Its replays can be dropped.
  bool permanent = false;
};

/// The projections there are, in the order of their registration.
[[nodiscard]] std::span<const Projection> all_projections();
/// Null: there is none of this name.
[[nodiscard]] const Projection* find_projection(std::string_view name);

/// Which member function folds which type.
template <class Self>
struct Handler {
  std::string_view type;
  Status (Self::*apply)(const FoldEvent& event);
};

/// A fold that has `static const std::array<Handler<Self>, N> kHandlers`.
template <class Self>
class HandlerFold : public Fold {
 public:
  Status apply(const FoldEvent& event) final {
    return (static_cast<Self&>(*this).*Self::kHandlers[event.handler].apply)(event);
  }
  [[nodiscard]] static std::vector<std::string_view> types() {
    std::vector<std::string_view> types;
    for (const auto& handler : Self::kHandlers) types.push_back(handler.type);
    return types;
  }
  [[nodiscard]] static std::unique_ptr<Fold> make(FoldState& state) { return std::make_unique<Self>(state); }
};

[[nodiscard]] inline std::string_view text_of(const flatbuffers::String* text) {
  return text == nullptr ? std::string_view() : text->string_view();
}

}  // namespace bahi::projections
