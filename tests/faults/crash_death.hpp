// How a process of bahi_crash ends.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "workload.hpp"

namespace bahi::faults {

/// The process that holds the store.
enum class Holder {
  kWriter,  ///< appends by itself
  kServer,  ///< serves clients over TCP
};

struct Death {
  std::string name;                          ///< for the summary
  std::string failpoints;                    ///< armed in the process
  std::chrono::milliseconds after_start{0};  ///< killed so long after it was started; 0 = no
  std::chrono::milliseconds after_ack{0};    ///< killed so long after an acknowledgement; 0 = no
  std::uint32_t acks_first = 1;              ///< after which one, that is
  std::uint32_t run_ms = 0;                  ///< ends by itself
  bool errors = false;                       ///< a failpoint reports an error
};

[[nodiscard]] Death random_death(Random& random, Holder holder);

}  // namespace bahi::faults
