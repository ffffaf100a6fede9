// Connections that say hello, answer the server's heartbeats, and nothing else.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "lane.hpp"

namespace bahi::bench {

/// A few hundred bytes each, unlike a client, so that thousands can be held. All on a thread of their own.
class IdleConnections {
 public:
  /// Returns when the server has let all of them in. kConnectionLost, or why the server refused; kTooManyOpenFiles;
  /// kInvalidArgument: with TLS.
  [[nodiscard]] static Result<std::unique_ptr<IdleConnections>> open(const client::ClientOptions& options,
                                                                     unsigned count);
  ~IdleConnections();  ///< closes them
  IdleConnections(const IdleConnections&) = delete;
  IdleConnections& operator=(const IdleConnections&) = delete;

  [[nodiscard]] double seconds_to_open() const noexcept { return seconds_to_open_; }
  /// How many the server has closed since.
  [[nodiscard]] unsigned lost() const noexcept { return lost_.load(); }

 private:
  struct Member;
  IdleConnections() = default;
  /// One connection, from its hello to its end. `state` is used until the connection is settled.
  boost::asio::awaitable<void> live(Member& member, boost::asio::ip::tcp::endpoint server, std::string hello,
                                    RunState& state);
  /// What has been received is used up. Frames that want an answer get it in `answer`. Errors: why the server refused.
  Status take_frames(Member& member, std::string_view bytes, std::string& answer);
  void settle(Member& member);

  std::unique_ptr<Lane> lane_;
  std::vector<std::unique_ptr<Member>> members_;
  std::vector<char> scratch_ = std::vector<char>(std::size_t{64} << 10U);  // of whichever receives
  std::atomic<unsigned> settled_{0};                                       // have been let in, or not
  std::atomic<unsigned> lost_{0};
  bool closing_ = false;  // on the lane
  double seconds_to_open_ = 0;
};

}  // namespace bahi::bench
