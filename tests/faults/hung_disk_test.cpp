// A disk that hardly answers: the queue stays within its bound and overload is answered.
#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

#include "fault_env.hpp"
#include "test_store.hpp"

namespace bahi::faults {

TEST_CASE("hung disk: the queue is bounded, overload is answered, and all is answered in the end", "[faults]") {
  const TemporaryDirectory directory;
  FaultEnv env;
  EngineOptions options = test_options(env.env());
  options.queue_bytes_max = std::size_t{256} << 10U;
  options.groups_in_flight_max = 2;
  options.group_bytes_max = std::size_t{64} << 10U;
  TestStore store = open_test_store(directory.path() / "store", options);
  env.files().set_scope("/log/");
  env.files().set_sync_delay(std::chrono::milliseconds(400));

  constexpr std::uint64_t kPerThread = 3000;
  std::atomic<std::uint64_t> acknowledged{0};
  std::atomic<std::uint64_t> overloaded{0};
  std::atomic<std::uint64_t> others{0};
  std::atomic<std::uint64_t> queued_max{0};
  const auto submit_all = [&](std::uint64_t first) {
    for (std::uint64_t request_id = first; request_id < first + kPerThread; ++request_id) {
      store.engine->submit(make_batch(store.tenant, request_id), [&](const Result<AppendResult>& result) {
        if (result) {
          ++acknowledged;
        } else if (result.error().code() == ErrorCode::kOverloaded) {
          ++overloaded;
        } else {
          ++others;
        }
      });
      const std::uint64_t queued = store.engine->stats().queued_bytes;
      if (queued > queued_max.load()) queued_max.store(queued);
    }
  };
  std::thread one(submit_all, 1);
  std::thread two(submit_all, 1 + kPerThread);
  one.join();
  two.join();
  CHECK(overloaded > 0);
  CHECK(queued_max > 0);
  CHECK(queued_max <= options.queue_bytes_max);

  env.files().set_sync_delay(std::chrono::milliseconds(0));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (acknowledged + overloaded + others < 2 * kPerThread && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  CHECK(acknowledged + overloaded == 2 * kPerThread);
  CHECK(others == 0);
  CHECK(read_batches_back(*store.engine, store.tenant).size() == acknowledged);
  CHECK(store.engine->append(make_batch(store.tenant, 1'000'000)).has_value());
  REQUIRE(store.engine->close().has_value());
}

}  // namespace bahi::faults
