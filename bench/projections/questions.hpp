// Every query of every read model, with arguments that name what the made-up histories hold.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "histories.hpp"

namespace bahi::bench {

struct Question {
  std::string query;
  std::string arguments;
};
/// Of one read model. Names are those of the first events of its history; ends the program when that is too short.
[[nodiscard]] std::vector<Question> questions_of(const ReadModelCase& read_model, const HistorySettings& settings);

}  // namespace bahi::bench
