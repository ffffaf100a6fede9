#include "timelines/timelines.hpp"

#include "timelines/commands.hpp"
#include "timelines/fold.hpp"
#include "timelines/queries.hpp"

namespace bahi::projections::timelines {

Projection projection() {
  std::vector<QueryEntry> queries = message_queries();
  for (auto&& more : {conversation_queries(), attachment_queries()}) {
    queries.insert(queries.end(), more.begin(), more.end());
  }
  return {"timelines",
          1,
          "conversations, their messages and threads, who has read what",
          TimelineFold::types(),
          &TimelineFold::make,
          std::move(queries),
          commands()};
}

}  // namespace bahi::projections::timelines
