// The client for coroutines. client.hpp offers the same to threads that may block, and says more about each operation.
#pragma once

#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "bahi/base/result.hpp"
#include "bahi/client/options.hpp"
#include "bahi/schemas/append_request.hpp"
#include "bahi/schemas/event.hpp"
#include "bahi/schemas/event_filter.hpp"
#include "bahi/schemas/wire.hpp"

namespace bahi::client {

/// Events of a read or a subscription. One coroutine at a time. May outlive the client, but not what its executor runs
/// on.
class AsyncReader {
 public:
  ~AsyncReader();  ///< ends the read
  AsyncReader(AsyncReader&&) noexcept;
  AsyncReader& operator=(AsyncReader&&) noexcept;

  /// As EventReader::next, without a timeout. The reader must live until it is done.
  [[nodiscard]] boost::asio::awaitable<Result<bool>> next(EventView& event);
  [[nodiscard]] Offset position() const noexcept;
  /// Makes a `next` that waits, and every later one, give kCancelled.
  void cancel();

 private:
  friend class AsyncClient;
  class Impl;
  explicit AsyncReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// A client whose work is done on the executor given, which must run as long as the client lives, and one thing at a
/// time: that of an io_context which one thread runs, or a strand. Each operation
/// resumes on the executor of the coroutine that awaits it, and is to be awaited while the client lives. Thread-safe.
/// Asio's cancellation does not reach these operations: destroy the client, or cancel the reader. Errors as in
/// client.hpp.
class AsyncClient {
 public:
  /// Begins to connect.
  AsyncClient(const boost::asio::any_io_executor& executor, ClientOptions options);
  ~AsyncClient();  ///< fails what is waiting with kCancelled
  AsyncClient(const AsyncClient&) = delete;
  AsyncClient& operator=(const AsyncClient&) = delete;

  /// Waits until the server has let the client in, or will not. Other operations need not wait for it.
  [[nodiscard]] boost::asio::awaitable<Result<wire::Welcome>> connected();
  [[nodiscard]] boost::asio::awaitable<Result<AppendResult>> append(AppendRequest request);
  [[nodiscard]] AsyncReader read(ReadRequest request);
  [[nodiscard]] AsyncReader subscribe(ReadRequest request);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bahi::client
