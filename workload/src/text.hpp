// Texts and names that people could have written.
#pragma once

#include <cstdint>
#include <string>

#include "bahi/workload/random.hpp"

namespace bahi::workload {

/// A message of one to some thirty words, most of them short: English, with some Hindi and Gujarati.
void write_message(Random& random, std::string& out);
/// "asha.patel.4711", always the same of the same number.
void write_handle(std::uint64_t number, std::string& out);

}  // namespace bahi::workload
