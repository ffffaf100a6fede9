#include <array>

#include <fmt/format.h>
#include <hiredis/hiredis.h>

#include "peer.hpp"
#include "scratch.hpp"

namespace bahi::bench {
namespace {

class Redis final : public Peer {
 public:
  explicit Redis(const PeerAddress& address) : context_(redisConnect(address.host.c_str(), address.port)) {
    if (context_ == nullptr || context_->err != 0) fail("Redis: cannot connect");
  }
  ~Redis() override { redisFree(context_); }

  void create() override {}  // the first XADD does

  void append(std::span<const PeerEvent> events) override {
    for (const PeerEvent& event : events) {
      const std::string version = std::to_string(event.version);
      const std::array<std::string_view, 11> words{"XADD",  "events", "*",        "stream", event.stream, "version",
                                                   version, "type",   event.type, "data",   event.data};
      std::array<const char*, words.size()> begins{};
      std::array<std::size_t, words.size()> sizes{};
      for (std::size_t i = 0; i < words.size(); ++i) {
        begins[i] = words[i].data();
        sizes[i] = words[i].size();
      }
      redisAppendCommandArgv(context_, static_cast<int>(words.size()), begins.data(), sizes.data());
    }
    for (std::size_t i = 0; i < events.size(); ++i) freeReplyObject(next_reply());
  }

  Replayed replay() override {
    Replayed replayed;
    std::string from = "-";
    for (;;) {
      redisAppendCommand(context_, "XRANGE events %s + COUNT 2000", from.c_str());
      redisReply* const page = next_reply();
      for (std::size_t i = 0; i < page->elements; ++i) {
        const redisReply* const fields = page->element[i]->element[1];
        if (fields->elements != 8) fail("Redis: an entry of another shape");
        ++replayed.events;
        replayed.data_bytes += fields->element[7]->len;
      }
      const std::size_t count = page->elements;
      if (count != 0) from = fmt::format("({}", page->element[count - 1]->element[0]->str);
      freeReplyObject(page);
      if (count == 0) return replayed;
    }
  }

 private:
  redisReply* next_reply() {
    void* reply = nullptr;
    if (redisGetReply(context_, &reply) != REDIS_OK) fail(fmt::format("Redis: {}", context_->errstr));
    auto* const result = static_cast<redisReply*>(reply);
    if (result->type == REDIS_REPLY_ERROR) fail(fmt::format("Redis: {}", result->str));
    return result;
  }

  redisContext* context_;
};

}  // namespace

std::unique_ptr<Peer> connect_redis(const PeerAddress& address) {
  return std::make_unique<Redis>(address);
}

}  // namespace bahi::bench
