#include "crash_death.hpp"

#include <array>
#include <string_view>

#include <fmt/format.h>

namespace bahi::faults {
namespace {

using std::chrono::milliseconds;

#ifdef BAHI_FAILPOINTS
constexpr std::array<std::string_view, 7> kEnginePoints{
    "before_wal", "after_wal", "after_sync", "before_ack", "anchor_write", "index_ingest_before", "index_ingest_after"};
constexpr std::array<std::string_view, 6> kServerPoints{"append_received", "answer_queued", "output_sent",
                                                        "batches_read",    "caught_up",     "reader_woken"};

std::string random_point(Random& random, std::string_view action, std::string& name) {
  const std::size_t number = random.below(kEnginePoints.size());
  name = kEnginePoints[number];
  const std::uint64_t pass = number >= 5 ? random.between(1, 6) : random.between(1, random.one_in(2) ? 10 : 150);
  return fmt::format("{}={}@{}", name, action, pass);
}

std::string random_server_point(Random& random, std::string& name) {
  name = kServerPoints[random.below(kServerPoints.size())];
  return fmt::format("{}=kill@{}", name, random.between(1, random.one_in(2) ? 20 : 300));
}
#endif

}  // namespace

Death random_death(Random& random, Holder holder) {
  Death death;
  // Clients find a server one after the other: most of them should be at work when it dies.
  if (holder == Holder::kServer) death.acks_first = static_cast<std::uint32_t>(random.between(1, 80));
  const std::uint64_t dice = random.below(100);
#ifdef BAHI_FAILPOINTS
  if (dice < 50) {
    const bool of_server = holder == Holder::kServer && random.one_in(2);
    death.failpoints = of_server ? random_server_point(random, death.name) : random_point(random, "kill", death.name);
    death.after_ack = milliseconds(150);
  } else if (dice < 58) {
    death.failpoints = random_point(random, "error", death.name);
    death.name = "error at " + death.name;
    death.run_ms = static_cast<std::uint32_t>(random.between(20, 100));
    death.errors = true;
    return death;
  }
  if (random.one_in(5)) {
    std::string ignored;
    death.failpoints += ";" + random_point(random, "sleep:3", ignored);
  }
  if (holder == Holder::kServer && random.one_in(3)) {
    // On every pass: the seam between catching up and waiting is as wide as a write.
    death.failpoints += random.one_in(2) ? ";caught_up=sleep:2" : ";reader_woken=sleep:1";
  }
  if (!death.name.empty()) return death;
#else
  static_cast<void>(holder);
#endif
  if (dice < 88) {
    death.name = "timer";
    death.after_ack = milliseconds(random.between(1, 80));
  } else if (dice < 95) {
    death.name = "recovery";
    death.after_start = milliseconds(random.between(1, 40));
  } else {
    death.name = "clean close";
    death.run_ms = static_cast<std::uint32_t>(random.between(5, 60));
    if (random.one_in(2)) death.after_ack = milliseconds(death.run_ms + random.below(10));
  }
  return death;
}

}  // namespace bahi::faults
