// How long answers take: pages by depth, and every query.
#pragma once

#include <cstdint>

#include "bahi/client/client.hpp"
#include "histories.hpp"
#include "report.hpp"

namespace bahi::bench {

struct AnswerSettings {
  std::uint64_t reads = 5'000;    ///< of each page
  std::uint64_t questions = 200;  ///< of each query, besides the first
  HistorySettings history;        ///< that the read models have folded
};

/// A page of 50 messages of the largest conversation, newest and oldest in turns, in process.
void run_pages_in_process(Histories& histories, const AnswerSettings& settings, Report& report);
/// The same over TCP.
void run_pages_over_tcp(client::Client& client, const AnswerSettings& settings, Report& report);
/// Each query of the read model: what the first asking takes, then the others. `client` belongs to the tenant.
void run_questions(client::Client& client, const ReadModelCase& read_model, const AnswerSettings& settings,
                   Report& report);

}  // namespace bahi::bench
