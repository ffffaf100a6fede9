#include "bahi/server/server.hpp"

#include <mutex>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fmt/format.h>

#include "bahi/base/text.hpp"
#include "bahi/tls/context.hpp"
#include "connection.hpp"

namespace bahi::server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::milliseconds kTickInterval{250};
constexpr std::uint32_t kTicksToTellLeftOut = 240;
/// After a failed accept: the process has no descriptor left, and trying again at once would only burn time.
constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr std::uint32_t kIoThreadsMax = 8;
constexpr std::chrono::nanoseconds kWarnBeforeExpiry = std::chrono::hours(24 * 14);
/// One may verify the store for minutes, and one back it up; another goes on with what is quick.
constexpr std::size_t kWorkers = 3;
constexpr std::size_t kQueryThreads = 2;
constexpr std::size_t kProofThreads = 2;

}  // namespace

class Server::Impl {
 public:
  Impl(Engine& engine, ServerOptions options)
      : options_(std::move(options)), engine_(engine), audit_(engine, clock_), acceptor_(accept_context()) {}

  Status start();
  void stop();
  Status reload_certificates();

  tcp::endpoint endpoint_;
  bool asks_for_credentials_ = true;

 private:
  asio::io_context& accept_context() {
    std::uint32_t count = options_.io_threads;
    if (count == 0) count = std::min(std::max(std::thread::hardware_concurrency(), 1U), kIoThreadsMax);
    for (std::uint32_t i = 0; i < count; ++i)
      io_threads_.push_back(std::make_unique<IoThread>(traffic_.appends_in_flight));
    return io_threads_.front()->context;
  }
  Status listen();
  void log(LogLevel level, const std::string& line) const {
    if (options_.log) options_.log(level, line);
  }
  void say_who_may_enter() const;
  [[nodiscard]] std::shared_ptr<const tls::Context> tls_context() const {
    const std::scoped_lock lock(tls_mutex_);
    return tls_context_;
  }
  [[nodiscard]] Result<CredentialPtr> admit(const wire::Hello& hello) const;
  [[nodiscard]] Administration::Counters counters() const;
  asio::awaitable<void> accept_loop();
  asio::awaitable<void> tick_loop(IoThread& thread);
  void take_in(tcp::socket socket, std::uint64_t number, IoThread& home);
  template <class Do>
  void on_all_connections(Do what);
  [[nodiscard]] bool all_gone() const { return traffic_.connections.load(std::memory_order_acquire) == 0; }

  const ServerOptions options_;
  Engine& engine_;
  const Clock& clock_ = SystemClock::instance();
  std::unique_ptr<Access> access_;
  std::unique_ptr<Quotas> quotas_;
  AuditLog audit_;
  std::unique_ptr<projections::Projections> projections_;
  std::unique_ptr<QueryDesk> queries_;
  std::unique_ptr<proofs::Trees> trees_;
  std::unique_ptr<ProofDesk> proofs_;
  std::unique_ptr<BackupDesk> backups_;
  std::unique_ptr<Administration> administration_;
  Traffic traffic_;
  std::unique_ptr<Services> services_;
  std::vector<std::unique_ptr<IoThread>> io_threads_;
  tcp::acceptor acceptor_;
  asio::thread_pool workers_{kWorkers};
  mutable std::mutex tls_mutex_;
  std::shared_ptr<const tls::Context> tls_context_;  // null: plaintext; protected by tls_mutex_
  std::atomic<bool> stopping_{false};
  std::mutex stop_mutex_;
  bool stopped_ = false;  // protected by stop_mutex_
};

Status Server::Impl::start() {
  BAHI_TRY(check_options(options_));
  BAHI_ASSIGN(access_, Access::load(engine_));
  BAHI_ASSIGN(quotas_, Quotas::load(engine_, options_.tenant_limits));
  if (!options_.views.empty()) {
    projections::ProjectionsOptions settings;
    settings.log = options_.log;
    BAHI_ASSIGN(projections_, projections::Projections::open(options_.views, engine_, std::move(settings)));
  }
  queries_ = std::make_unique<QueryDesk>(projections_.get(), kQueryThreads);
  if (options_.trees) {
    proofs::TreesOptions settings = *options_.trees;
    settings.log = options_.log;
    BAHI_ASSIGN(trees_, proofs::Trees::open(engine_, std::move(settings)));
  }
  proofs_ = std::make_unique<ProofDesk>(trees_.get(), kProofThreads);
  backups_ = std::make_unique<BackupDesk>(engine_, options_.backups, options_.log);
  administration_ = std::make_unique<Administration>(engine_, *access_, *quotas_, audit_, projections_.get(), *backups_,
                                                     clock_, [this] { return counters(); });
  services_ = std::make_unique<Services>(
      Services{engine_, *administration_, *queries_, *proofs_, audit_, clock_, options_.limits,
               [this](const wire::Hello& hello) { return admit(hello); },
               [this](const Credential& who) { return quotas_->meter(who.tenant, who.tenant_name); },
               [this] { return tls_context(); }, workers_, traffic_, options_.log});
  if (options_.tls) BAHI_TRY(reload_certificates());
  BAHI_TRY(listen());
  const bool on_loopback = endpoint_.address().is_loopback();
  asks_for_credentials_ = options_.credentials == Credentials::kRequired ||
                          (options_.credentials == Credentials::kAuto && !(on_loopback && access_->empty()));
  say_who_may_enter();
  for (const auto& thread : io_threads_) {
    asio::co_spawn(thread->context, tick_loop(*thread), asio::detached);
    thread->thread = std::thread([&context = thread->context] { context.run(); });
  }
  asio::co_spawn(io_threads_.front()->context, accept_loop(), asio::detached);
  return {};
}

Status Server::Impl::listen() {
  const tcp::endpoint wanted(asio::ip::make_address(options_.address), options_.port);
  error_code problem;
  acceptor_.open(wanted.protocol(), problem);
  if (!problem) acceptor_.set_option(tcp::acceptor::reuse_address(true), problem);
  if (!problem) acceptor_.bind(wanted, problem);
  if (!problem) acceptor_.listen(asio::socket_base::max_listen_connections, problem);
  if (!problem) endpoint_ = acceptor_.local_endpoint(problem);
  if (!problem) return {};
  return Error{ErrorCode::kIoError,
               fmt::format("listening on {} port {}: {}", options_.address, options_.port, problem.message())};
}

Status Server::Impl::reload_certificates() {
  if (!options_.tls) return Error{ErrorCode::kInvalidArgument, "tls_certificate: the server was started without TLS"};
  BAHI_ASSIGN(const auto context, tls::Context::for_server(*options_.tls));
  const bool near = context->expires_at().nanos - clock_.now().nanos < kWarnBeforeExpiry.count();
  log(near ? LogLevel::kWarning : LogLevel::kInfo,
      fmt::format("TLS certificate '{}' is valid until {}", options_.tls->certificate_file,
                  format_timestamp(context->expires_at())));
  const std::scoped_lock lock(tls_mutex_);
  tls_context_ = context;
  return {};
}

void Server::Impl::say_who_may_enter() const {
  log(LogLevel::kInfo, fmt::format("listening on {} port {}, {}", endpoint_.address().to_string(), endpoint_.port(),
                                   options_.tls ? "TLS 1.3" : "without TLS"));
  if (!asks_for_credentials_) {
    log(LogLevel::kWarning,
        "no credentials are asked for: whoever can reach this machine's loopback address may read and write every "
        "tenant. Create a token (bahi token create) to change that");
  } else if (access_->empty()) {
    log(LogLevel::kWarning, "credentials are asked for, but the store holds no token: nobody can enter");
  }
}

Result<CredentialPtr> Server::Impl::admit(const wire::Hello& hello) const {
  if (asks_for_credentials_ || !hello.token.empty()) {
    BAHI_ASSIGN(CredentialPtr credential, access_->authenticate(hello.token, clock_.now()));
    if (hello.tenant.empty() || hello.tenant == credential->tenant_name) return credential;
    return Error{ErrorCode::kForbidden, fmt::format("the token is not of the tenant '{}'", hello.tenant)};
  }
  auto anonymous = std::make_shared<Credential>();
  anonymous->tenant_name = hello.tenant.empty() ? "system" : hello.tenant;
  BAHI_ASSIGN(anonymous->tenant, engine_.find_tenant(anonymous->tenant_name));
  anonymous->role = Role::kAdmin;
  anonymous->whole_store = true;
  return CredentialPtr(std::move(anonymous));
}

Administration::Counters Server::Impl::counters() const {
  ReadGauges all;
  for (const auto& thread : io_threads_) {
    const std::scoped_lock lock(thread->gauges_mutex);
    all.reads += thread->gauges.reads;
    all.subscriptions += thread->gauges.subscriptions;
    all.lag_total += thread->gauges.lag_total;
    all.lag_max = std::max(all.lag_max, thread->gauges.lag_max);
  }
  return {{"server.reads", all.reads},
          {"server.subscriptions", all.subscriptions},
          {"server.subscription_lag_total", all.lag_total},
          {"server.subscription_lag_max", all.lag_max},
          {"server.connections", traffic_.connections.load()},
          {"server.connections_accepted", traffic_.accepted.load()},
          {"server.connections_refused", traffic_.refused.load()},
          {"server.requests", traffic_.requests.load()},
          {"server.appends_in_flight", traffic_.appends_in_flight.load()},
          {"server.bytes_received", traffic_.bytes_received.load()},
          {"server.bytes_sent", traffic_.bytes_sent.load()},
          {"server.requests_denied", audit_.denials()}};
}

asio::awaitable<void> Server::Impl::accept_loop() {
  asio::steady_timer pause(io_threads_.front()->context);
  bool complained = false;
  for (std::size_t next = 0; !stopping_.load(); ++next) {
    IoThread& home = *io_threads_[next % io_threads_.size()];
    error_code problem;
    tcp::socket socket =
        co_await acceptor_.async_accept(home.context, asio::redirect_error(asio::use_awaitable, problem));
    if (stopping_.load() || problem == asio::error::operation_aborted) break;
    if (problem) {
      if (!std::exchange(complained, true)) log(LogLevel::kError, "accepting a connection: " + problem.message());
      pause.expires_after(kAcceptPause);
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, problem));
      continue;
    }
    complained = false;
    if (traffic_.connections.load(std::memory_order_relaxed) >= options_.limits.connections_max) {
      traffic_.refused.fetch_add(1, std::memory_order_relaxed);
      socket.close(problem);
      continue;
    }
    const std::uint64_t number = traffic_.accepted.fetch_add(1, std::memory_order_relaxed) + 1;
    take_in(std::move(socket), number, home);
  }
}

void Server::Impl::take_in(tcp::socket socket, std::uint64_t number, IoThread& home) {
  asio::post(home.context, [this, number, &home, socket = std::move(socket)]() mutable {
    const auto connection = std::make_shared<Connection>(std::move(socket), number, home, *services_);
    connection->run();
    if (stopping_.load()) connection->begin_shutdown();
  });
}

asio::awaitable<void> Server::Impl::tick_loop(IoThread& thread) {
  asio::steady_timer timer(thread.context);
  for (std::uint32_t ticks = 1;; ++ticks) {
    timer.expires_after(kTickInterval);
    error_code problem;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, problem));
    if (problem) break;
    thread.advance_time();
    ReadGauges gauges;
    for (const auto& connection : thread.connections) {
      connection->tick();
      connection->measure(gauges);
    }
    {
      const std::scoped_lock lock(thread.gauges_mutex);
      thread.gauges = gauges;
    }
    if (&thread == io_threads_.front().get() && ticks % kTicksToTellLeftOut == 0) audit_.tell_left_out(false);
  }
}

template <class Do>
void Server::Impl::on_all_connections(Do what) {
  for (const auto& thread : io_threads_) {
    asio::post(thread->context, [&home = *thread, what] {
      for (const auto& connection : home.connections) what(*connection);
    });
  }
}

void Server::Impl::stop() {
  const std::scoped_lock lock(stop_mutex_);
  if (std::exchange(stopped_, true)) return;
  stopping_.store(true);
  asio::post(io_threads_.front()->context, [this] {
    error_code ignored;
    acceptor_.close(ignored);
  });
  on_all_connections([](Connection& connection) { connection.begin_shutdown(); });
  if (queries_) queries_->begin_shutdown();
  if (backups_) backups_->begin_shutdown();
  const auto deadline = std::chrono::steady_clock::now() + options_.shutdown_deadline;
  while (!all_gone() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  on_all_connections([](Connection& connection) { connection.abort(); });
  workers_.join();
  if (projections_) projections_->close();
  if (queries_) queries_->stop();
  if (trees_) trees_->close();
  if (proofs_) proofs_->stop();
  for (auto left = traffic_.appends_in_flight.load(); left != 0; left = traffic_.appends_in_flight.load()) {
    traffic_.appends_in_flight.wait(left);
  }
  while (!all_gone()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  audit_.tell_left_out(true);
  audit_.settle();
  for (const auto& thread : io_threads_) {
    thread->work.reset();
    thread->context.stop();
    if (thread->thread.joinable()) thread->thread.join();
  }
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() {
  stop();
}

Result<std::unique_ptr<Server>> Server::start(Engine& engine, ServerOptions options) {
  auto impl = std::make_unique<Impl>(engine, std::move(options));
  if (const Status started = impl->start(); !started) {
    impl->stop();
    return started.error();
  }
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

void Server::stop() {
  impl_->stop();
}
Status Server::reload_certificates() {
  return impl_->reload_certificates();
}
std::uint16_t Server::port() const noexcept {
  return impl_->endpoint_.port();
}
bool Server::asks_for_credentials() const noexcept {
  return impl_->asks_for_credentials_;
}

}  // namespace bahi::server
