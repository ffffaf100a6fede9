// Events for tests, and stored batches made of them.
#pragma once

#include <deque>
#include <random>
#include <string>
#include <vector>

#include "bahi/schemas/batch_builder.hpp"
#include "bahi/schemas/batch_header.hpp"
#include "bahi/schemas/decoded_batch.hpp"
#include "bahi/schemas/event.hpp"

namespace bahi::test {

/// Owns the texts that its events point to.
class SampleEvents {
 public:
  SampleEvents() = default;
  SampleEvents(const SampleEvents&) = delete;
  SampleEvents& operator=(const SampleEvents&) = delete;

  /// The four fixed events of the golden batches: every field is used, and left out, once.
  void add_golden();
  /// `count` events with random fields, from few names.
  void add_random(std::mt19937_64& random, std::size_t count);

  [[nodiscard]] const std::vector<NewEvent>& events() const { return events_; }

 private:
  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }

  std::deque<std::string> texts_;
  std::vector<NewEvent> events_;
};

/// An event with valid fields; a test changes the one it is about.
[[nodiscard]] NewEvent simple_event();

[[nodiscard]] EncodedBody encode(const std::vector<NewEvent>& events, Codec codec);
/// The body's bytes before compression, aligned.
[[nodiscard]] AlignedBytes raw_body(const std::vector<NewEvent>& events);
[[nodiscard]] AlignedBytes aligned_copy(std::string_view bytes);

/// What the log stores for `body`: tenant 7, offset 1000, recorded at 2026-01-02T03:04:05Z, with a producer.
[[nodiscard]] BatchHeader sample_header(const EncodedBody& body);
[[nodiscard]] std::string stored_batch(const EncodedBody& body, const std::vector<std::int64_t>& first_versions);
/// One first version (5, 300, 5, 300, …) per stream of the body.
[[nodiscard]] std::string stored_batch(const EncodedBody& body);

/// Fails the test unless `batch` holds exactly `events`.
void require_same_events(const DecodedBatch& batch, const std::vector<NewEvent>& events);

}  // namespace bahi::test
