#include "bahi/client/async_client.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "link.hpp"

namespace bahi::client {
namespace {

namespace asio = boost::asio;

/// Awaits the one call of a callback: `begin` is given it. Resumes where the awaiting coroutine runs.
template <class T, class Begin>
asio::awaitable<Result<T>> one_call(Begin begin) {
  return asio::async_initiate<const asio::use_awaitable_t<>&, void(Result<T>)>(
      [](auto handler, Begin start) {
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        start([shared](Result<T> result) {
          const auto executor = asio::get_associated_executor(*shared);
          asio::post(executor, [shared, result = std::move(result)]() mutable { (*shared)(std::move(result)); });
        });
      },
      asio::use_awaitable, std::move(begin));
}

}  // namespace

class AsyncReader::Impl {
 public:
  Impl(std::shared_ptr<Link> link, const ReadRequest& request, bool follow)
      : link_(std::move(link)), flow_(link_->open_read(request, follow)), walker_(request) {}
  ~Impl() { link_->close_read(flow_); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  const std::shared_ptr<Link> link_;
  const std::shared_ptr<Flow> flow_;
  PieceWalker walker_;
};

AsyncReader::AsyncReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AsyncReader::~AsyncReader() = default;
AsyncReader::AsyncReader(AsyncReader&&) noexcept = default;
AsyncReader& AsyncReader::operator=(AsyncReader&&) noexcept = default;
Offset AsyncReader::position() const noexcept {
  return impl_->walker_.position();
}
void AsyncReader::cancel() {
  impl_->flow_->finish(Error{ErrorCode::kCancelled, "the read was cancelled"});
}

asio::awaitable<Result<bool>> AsyncReader::next(EventView& event) {
  Impl& impl = *impl_;
  for (;;) {
    const Result<bool> found = impl.walker_.next(event);
    // Not `co_return found`: a Result<bool> made of a const one says whether that holds a value, not which.
    if (!found) co_return found.error();
    if (*found || impl.walker_.done()) co_return *found;
    Result<std::optional<Piece>> piece =
        co_await one_call<std::optional<Piece>>([&impl](Flow::Taker taker) { impl.flow_->take(std::move(taker)); });
    if (!piece) co_return piece.error();
    if (!*piece) co_return false;
    impl.link_->taken(impl.flow_, (*piece)->bytes.size());
    impl.walker_.enter(std::move(**piece));
  }
}

class AsyncClient::Impl {
 public:
  std::shared_ptr<Link> link_;
};

AsyncClient::AsyncClient(const asio::any_io_executor& executor, ClientOptions options)
    : impl_(std::make_unique<Impl>(Impl{std::make_shared<Link>(executor, std::move(options))})) {
  impl_->link_->start();
}

AsyncClient::~AsyncClient() {
  impl_->link_->close();
}

asio::awaitable<Result<wire::Welcome>> AsyncClient::connected() {
  return one_call<wire::Welcome>([link = impl_->link_](auto done) { link->when_ready(std::move(done)); });
}

asio::awaitable<Result<AppendResult>> AsyncClient::append(AppendRequest request) {
  // What the lambda holds must be trivial: g++ 12 destroys temporaries of an awaited expression twice.
  const std::shared_ptr<Link> link = impl_->link_;
  const auto begin = [link = link.get(), &request](Link::Answer done) {
    link->append(std::move(request), std::move(done));
  };
  Result<wire::Message> answer = co_await one_call<wire::Message>(begin);
  if (!answer) co_return answer.error();
  if (auto* appended = std::get_if<wire::Appended>(&*answer)) co_return std::move(appended->result);
  co_return Error{ErrorCode::kMalformedFrame, "the server answered with another message than expected"};
}

AsyncReader AsyncClient::read(ReadRequest request) {
  return AsyncReader(std::make_unique<AsyncReader::Impl>(impl_->link_, request, false));
}

AsyncReader AsyncClient::subscribe(ReadRequest request) {
  return AsyncReader(std::make_unique<AsyncReader::Impl>(impl_->link_, request, true));
}

}  // namespace bahi::client
