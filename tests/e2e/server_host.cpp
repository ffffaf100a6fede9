// A read model behind a running server: the same cases as in process.
#include "read_model_host.hpp"
#include "server_fixture.hpp"

namespace bahi::test {
namespace {

constexpr std::uint32_t kTimeoutMs = 60'000;

class ServerHost final : public ReadModelHost {
 public:
  explicit ServerHost(std::string projection) : projection_(std::move(projection)) { REQUIRE(start_on(*client_)); }

  [[nodiscard]] Result<AppendResult> try_append(const std::vector<Fact>& facts) const override {
    return append_with(*client_, facts);
  }
  [[nodiscard]] Result<projections::QueryAnswer> try_ask(const std::string& query,
                                                         const std::string& arguments) const override {
    BAHI_ASSIGN(wire::QueryAnswer answer, client_->query({projection_, query, arguments, end(), kTimeoutMs}));
    return projections::QueryAnswer{answer.offset, std::move(answer.json)};
  }
  using ReadModelHost::try_run;
  [[nodiscard]] Result<projections::CommandAnswer> try_run(const std::string& command, const std::string& arguments,
                                                           std::optional<ProducerPosition> producer) const override {
    wire::Command request;
    request.projection = projection_;
    request.command = command;
    request.arguments = arguments;
    request.producer = producer;
    request.timeout_ms = kTimeoutMs;
    BAHI_ASSIGN(wire::CommandAnswer answer, client_->command(std::move(request)));
    projections::CommandAnswer result;
    result.appended.duplicate = answer.duplicate;
    result.json = std::move(answer.json);
    return result;
  }
  [[nodiscard]] Result<projections::QueryAnswer> try_ask_neighbour(const std::vector<Fact>& facts,
                                                                   const std::string& query,
                                                                   const std::string& arguments) const override {
    REQUIRE(server_->engine().create_tenant("neighbour"));
    const auto other = server_->client("neighbour");
    BAHI_TRY(start_on(*other));
    if (!facts.empty()) BAHI_TRY(append_with(*other, facts));
    const Offset end{facts.size()};
    BAHI_ASSIGN(wire::QueryAnswer answer, other->query({projection_, query, arguments, end, kTimeoutMs}));
    return projections::QueryAnswer{answer.offset, std::move(answer.json)};
  }
  [[nodiscard]] Offset end() const override { return server_->engine().durable_offset(server_->shop()); }

 private:
  Status start_on(client::Client& client) const {
    wire::ManageProjection start;
    start.act = wire::ManageProjection::Act::kStart;
    start.projection = projection_;
    BAHI_TRY(client.manage_projection(start));
    return {};
  }
  static Result<AppendResult> append_with(client::Client& client, const std::vector<Fact>& facts) {
    AppendRequest request;
    request.body = body_of(facts);
    return client.append(std::move(request));
  }
  static server::ServerOptions options() {
    auto options = TestServer::server_options();
    options.views = "views";  // the server's own directory of that name
    return options;
  }

  const std::string projection_;
  std::unique_ptr<TestServer> server_ = std::make_unique<TestServer>(options());
  std::unique_ptr<client::Client> client_ = server_->client();
};

}  // namespace

std::unique_ptr<ReadModelHost> read_model_host(const std::string& projection) {
  return std::make_unique<ServerHost>(projection);
}

}  // namespace bahi::test
