#include "bahi/client/client.hpp"

#include <future>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "link.hpp"

namespace bahi::client {

class EventReader::Impl {
 public:
  Impl(std::shared_ptr<Link> link, const ReadRequest& request, bool follow)
      : link_(std::move(link)), flow_(link_->open_read(request, follow)), walker_(request) {}
  ~Impl() { link_->close_read(flow_); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<bool> next(EventView& event, std::chrono::nanoseconds timeout) {
    for (;;) {
      BAHI_ASSIGN(const bool found, walker_.next(event));
      if (found || walker_.done()) return found;
      BAHI_ASSIGN(std::optional<Piece> piece, flow_->take(timeout));
      if (!piece) return false;
      link_->taken(flow_, piece->bytes.size());
      walker_.enter(std::move(*piece));
    }
  }

  const std::shared_ptr<Link> link_;
  const std::shared_ptr<Flow> flow_;
  PieceWalker walker_;
};

EventReader::EventReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EventReader::~EventReader() = default;
Result<bool> EventReader::next(EventView& event, std::chrono::nanoseconds timeout) {
  return impl_->next(event, timeout);
}
Offset EventReader::position() const noexcept {
  return impl_->walker_.position();
}
bool EventReader::caught_up() const {
  return impl_->flow_->caught_up();
}

class Client::Impl {
 public:
  explicit Impl(ClientOptions options)
      : link_(std::make_shared<Link>(context_->get_executor(), std::move(options), context_)),
        thread_([this] { context_->run(); }) {
    link_->start();
  }
  ~Impl() {
    link_->close();
    work_.reset();
    thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  template <class Wanted>
  Result<Wanted> ask(const wire::Message& message, bool repeatable) {
    std::promise<Result<wire::Message>> promise;
    link_->request(message, repeatable,
                   [&promise](Result<wire::Message> answer) { promise.set_value(std::move(answer)); });
    BAHI_ASSIGN(wire::Message answer, promise.get_future().get());
    if (auto* wanted = std::get_if<Wanted>(&answer)) return std::move(*wanted);
    return Error{ErrorCode::kMalformedFrame, "the server answered with another message than expected"};
  }

  std::shared_ptr<boost::asio::io_context> context_ = std::make_shared<boost::asio::io_context>(1);
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_->get_executor()};
  std::shared_ptr<Link> link_;
  std::thread thread_;
  wire::Welcome welcome_;
};

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::connect(ClientOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  std::promise<Result<wire::Welcome>> promise;
  impl->link_->when_ready([&promise](Result<wire::Welcome> ready) { promise.set_value(std::move(ready)); });
  BAHI_ASSIGN(impl->welcome_, promise.get_future().get());
  return std::unique_ptr<Client>(new Client(std::move(impl)));
}

const wire::Welcome& Client::welcome() const noexcept {
  return impl_->welcome_;
}

void Client::submit(AppendRequest request, AppendHandler done) {
  impl_->link_->append(std::move(request), [done = std::move(done)](Result<wire::Message> answer) {
    if (!answer) return done(answer.error());
    if (auto* appended = std::get_if<wire::Appended>(&*answer)) return done(std::move(appended->result));
    done(Error{ErrorCode::kMalformedFrame, "the server answered with another message than expected"});
  });
}

Result<AppendResult> Client::append(AppendRequest request) {
  std::promise<Result<AppendResult>> promise;
  submit(std::move(request), [&promise](Result<AppendResult> result) { promise.set_value(std::move(result)); });
  return promise.get_future().get();
}

std::unique_ptr<EventReader> Client::read(ReadRequest request) {
  return std::unique_ptr<EventReader>(
      new EventReader(std::make_unique<EventReader::Impl>(impl_->link_, request, false)));
}

std::unique_ptr<EventReader> Client::subscribe(ReadRequest request) {
  return std::unique_ptr<EventReader>(
      new EventReader(std::make_unique<EventReader::Impl>(impl_->link_, request, true)));
}

Result<wire::QueryAnswer> Client::query(const wire::Query& query) {
  return impl_->ask<wire::QueryAnswer>(query, true);
}

void Client::submit(wire::Command command, CommandHandler done) {
  impl_->link_->command(std::move(command), [done = std::move(done)](Result<wire::Message> answer) {
    if (!answer) return done(answer.error());
    if (auto* stored = std::get_if<wire::CommandAnswer>(&*answer)) return done(std::move(*stored));
    done(Error{ErrorCode::kMalformedFrame, "the server answered with another message than expected"});
  });
}

Result<wire::CommandAnswer> Client::command(wire::Command command) {
  std::promise<Result<wire::CommandAnswer>> promise;
  submit(std::move(command), [&promise](Result<wire::CommandAnswer> answer) { promise.set_value(std::move(answer)); });
  return promise.get_future().get();
}

Status Client::manage_projection(const wire::ManageProjection& request) {
  BAHI_TRY(impl_->ask<wire::Done>(request, false));
  return {};
}

Result<wire::QueryAnswer> Client::projections() {
  return impl_->ask<wire::QueryAnswer>(wire::ListProjections{}, true);
}

Result<wire::Checkpoint> Client::checkpoint(const wire::GetCheckpoint& request) {
  return impl_->ask<wire::Checkpoint>(request, true);
}

Result<wire::Proof> Client::proof(const wire::GetProof& request) {
  return impl_->ask<wire::Proof>(request, true);
}

Result<wire::QueryAnswer> Client::manage_snapshots(const wire::ManageSnapshots& request) {
  return impl_->ask<wire::QueryAnswer>(request, request.act == wire::ManageSnapshots::Act::kList);
}

Result<std::chrono::nanoseconds> Client::ping() {
  const auto began = std::chrono::steady_clock::now();
  BAHI_TRY(impl_->ask<wire::Pong>(wire::Ping{}, true));
  return std::chrono::steady_clock::now() - began;
}

Status Client::create_tenant(std::string_view name) {
  BAHI_TRY(impl_->ask<wire::Done>(wire::CreateTenant{std::string(name)}, false));
  return {};
}

Result<wire::TenantList> Client::tenants() {
  return impl_->ask<wire::TenantList>(wire::ListTenants{}, true);
}

Status Client::set_tenant_limits(const wire::SetTenantLimits& change) {
  BAHI_TRY(impl_->ask<wire::Done>(change, false));
  return {};
}

Result<wire::TokenCreated> Client::create_token(const wire::CreateToken& token) {
  return impl_->ask<wire::TokenCreated>(token, false);
}

Result<wire::TokenList> Client::tokens() {
  return impl_->ask<wire::TokenList>(wire::ListTokens{}, true);
}

Status Client::revoke_token(const Uuid& id) {
  BAHI_TRY(impl_->ask<wire::Done>(wire::RevokeToken{id}, false));
  return {};
}

Result<wire::Status> Client::status() {
  return impl_->ask<wire::Status>(wire::GetStatus{}, true);
}
Result<wire::VerifyReport> Client::verify() {
  return impl_->ask<wire::VerifyReport>(wire::VerifyStore{}, true);
}
Result<wire::BackupCreated> Client::create_backup(std::uint64_t bytes_per_second_max) {
  return impl_->ask<wire::BackupCreated>(wire::CreateBackup{bytes_per_second_max}, false);
}

}  // namespace bahi::client
