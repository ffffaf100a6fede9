#include "batch_feed.hpp"

#include "engine_fixture.hpp"

namespace bahi::server {
namespace {

using test::append;
using test::memory_engine;

struct Fed {
  std::vector<Offset> firsts;  ///< first offset of each batch
  std::size_t slices = 0;
  Slice last;
};

/// Takes slices until there is no more for now.
Fed take_all(BatchFeed& feed, std::size_t bytes_max) {
  Fed fed;
  do {
    auto slice = feed.next(bytes_max);
    REQUIRE(slice);
    ++fed.slices;
    std::string_view rest = slice->batches;
    for (const std::uint32_t size : slice->sizes) {
      const auto header = decode_batch_header(rest.substr(0, size));
      REQUIRE(header);
      fed.firsts.push_back(header->first_offset);
      rest.remove_prefix(size);
    }
    CHECK(rest.empty());
    fed.last = std::move(*slice);
  } while (fed.last.then == Slice::Then::kMore);
  return fed;
}

class Feeds {
 public:
  Feeds() : engine(memory_engine()), tenant(engine->create_tenant("shop").value()) {}
  /// Ten batches of three events; the middle one is an order's in every second batch.
  void fill() {
    for (int i = 0; i < 10; ++i) {
      REQUIRE(append(*engine, tenant, {{"stock-1"}, {i % 2 == 0 ? "order-1" : "stock-1"}, {"stock-2"}}));
    }
  }
  [[nodiscard]] BatchFeed open(ReadRequest request, bool follow = false) const {
    request.tenant = tenant;
    auto feed = BatchFeed::open(*engine, std::move(request), follow);
    REQUIRE(feed);
    return std::move(*feed);
  }
  std::unique_ptr<Engine> engine;
  TenantId tenant;
};

TEST_CASE_METHOD(Feeds, "feed: all batches, in slices of about the size asked for", "[server][feed]") {
  fill();
  auto whole = open({});
  const Fed all = take_all(whole, std::size_t{1} << 20U);
  CHECK(all.firsts.size() == 10);
  CHECK(all.slices == 1);
  CHECK(all.last.then == Slice::Then::kEnd);
  CHECK(all.last.next == Offset{30});
  auto pieces = open({});
  const Fed parts = take_all(pieces, 1);
  CHECK(parts.firsts == all.firsts);
  CHECK(parts.slices == 10);
}

TEST_CASE_METHOD(Feeds, "feed: a filter leaves out batches without a match", "[server][feed]") {
  fill();
  ReadRequest request;
  request.filter.category = "order";
  auto forward = open(request);
  const Fed found = take_all(forward, 1);
  CHECK(found.firsts == std::vector<Offset>{{0}, {6}, {12}, {18}, {24}});
  CHECK(found.last.next == Offset{30});
  request.direction = Direction::kBackward;
  request.limit = 2;
  auto backward = open(request);
  const Fed newest = take_all(backward, std::size_t{1} << 20U);
  CHECK(newest.firsts == std::vector<Offset>{{24}, {18}});
  CHECK(newest.last.then == Slice::Then::kEnd);
}

TEST_CASE_METHOD(Feeds, "feed: a limit counts events, also of batches cut by the range", "[server][feed]") {
  fill();
  ReadRequest request;
  request.from = Offset{2};
  request.limit = 2;
  auto feed = open(request);
  CHECK(take_all(feed, std::size_t{1} << 20U).firsts == std::vector<Offset>{{0}, {3}});
  request.limit = 0;
  auto none = open(request);
  CHECK(take_all(none, 1).firsts.empty());
}

TEST_CASE_METHOD(Feeds, "feed: a subscription waits at the end and goes on exactly there", "[server][feed]") {
  fill();
  auto feed = open({}, true);
  CHECK(take_all(feed, 1).last.then == Slice::Then::kWait);
  CHECK(feed.position() == Offset{30});
  const Fed idle = take_all(feed, 1);
  CHECK(idle.firsts.empty());
  CHECK(idle.last.then == Slice::Then::kWait);
  fill();
  CHECK(take_all(feed, std::size_t{1} << 20U).firsts.front() == Offset{30});
  CHECK(feed.position() == Offset{60});
}

TEST_CASE_METHOD(Feeds, "feed: what cannot be read is refused", "[server][feed]") {
  ReadRequest request;
  request.tenant = tenant;
  request.from = Offset{1};
  CHECK(BatchFeed::open(*engine, request, true).error().code() == ErrorCode::kOffsetOutOfRange);
  request.from = Offset{0};
  request.direction = Direction::kBackward;
  CHECK(BatchFeed::open(*engine, request, true).error().code() == ErrorCode::kInvalidArgument);
  CHECK(take_all(*std::make_unique<BatchFeed>(open({})), 1).last.then == Slice::Then::kEnd);
}

}  // namespace
}  // namespace bahi::server
