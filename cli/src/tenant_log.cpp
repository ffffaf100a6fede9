#include "bahi/cli/tenant_log.hpp"

#include <charconv>

#include <fmt/format.h>

namespace bahi::cli {
namespace {

class LocalLog final : public TenantLog {
 public:
  LocalLog(std::unique_ptr<Engine> engine, TenantId tenant) : engine_(std::move(engine)), tenant_(tenant) {}

  void submit(AppendRequest request, AppendCallback done) override {
    request.tenant = tenant_;
    engine_->submit(std::move(request), std::move(done));
  }
  Result<AppendResult> append(AppendRequest request) override {
    request.tenant = tenant_;
    return engine_->append(std::move(request));
  }
  [[nodiscard]] Result<std::unique_ptr<EventCursor>> read(ReadRequest request) const override {
    request.tenant = tenant_;
    return engine_->read(std::move(request));
  }
  [[nodiscard]] std::uint64_t stored_bytes() const override { return engine_->stats().appended_stored_bytes; }
  Status close() override { return engine_->close(); }

 private:
  std::unique_ptr<Engine> engine_;
  TenantId tenant_;
};

class RemoteCursor final : public EventCursor {
 public:
  explicit RemoteCursor(std::unique_ptr<client::EventReader> reader) : reader_(std::move(reader)) {}
  Result<bool> next(EventView& event) override { return reader_->next(event); }

 private:
  std::unique_ptr<client::EventReader> reader_;
};

class RemoteLog final : public TenantLog {
 public:
  explicit RemoteLog(std::unique_ptr<client::Client> client) : client_(std::move(client)) {}

  void submit(AppendRequest request, AppendCallback done) override {
    client_->submit(std::move(request), std::move(done));
  }
  Result<AppendResult> append(AppendRequest request) override { return client_->append(std::move(request)); }
  [[nodiscard]] Result<std::unique_ptr<EventCursor>> read(ReadRequest request) const override {
    return std::unique_ptr<EventCursor>(std::make_unique<RemoteCursor>(client_->read(std::move(request))));
  }
  [[nodiscard]] std::uint64_t stored_bytes() const override { return 0; }
  Status close() override { return {}; }

 private:
  std::unique_ptr<client::Client> client_;
};

}  // namespace

Result<std::unique_ptr<TenantLog>> local_log(std::unique_ptr<Engine> engine, const std::string& tenant) {
  BAHI_ASSIGN(const TenantId id, engine->find_tenant(tenant));
  return std::unique_ptr<TenantLog>(std::make_unique<LocalLog>(std::move(engine), id));
}

Result<std::unique_ptr<TenantLog>> remote_log(client::ClientOptions options) {
  BAHI_ASSIGN(auto client, client::Client::connect(std::move(options)));
  return std::unique_ptr<TenantLog>(std::make_unique<RemoteLog>(std::move(client)));
}

Status parse_endpoint(const std::string& text, std::string& host, std::uint16_t& port) {
  const Error wrong{ErrorCode::kInvalidArgument, fmt::format("'{}' is not HOST:PORT", text)};
  const bool bracketed = text.starts_with('[');
  const std::size_t host_end = bracketed ? text.find(']') : text.find(':');
  if (bracketed && host_end == std::string::npos) return wrong;
  const std::string name = bracketed ? text.substr(1, host_end - 1) : text.substr(0, host_end);
  if (!name.empty()) host = name;
  const std::size_t colon = bracketed ? host_end + 1 : host_end;
  if (colon >= text.size()) return {};
  const char* const begin = text.data() + colon + 1;
  const char* const end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(begin, end, port);
  if (text[colon] != ':' || problem != std::errc{} || stop != end) return wrong;
  return {};
}

}  // namespace bahi::cli
