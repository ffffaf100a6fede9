#include "bahi/cli/console.hpp"
#include "bahi/cli/progress_bar.hpp"
#include "commands.hpp"

namespace bahi::cli {

Result<std::unique_ptr<Engine>> open_engine(const Context& context, EngineOptions options,
                                            const std::string& progress_label) {
  ProgressBar bar(progress_label, "events");
  bool opening = true;
  options.log = console_log();
  options.progress = [&bar, &opening](std::uint64_t done, std::uint64_t total) {
    if (opening) bar.update(done, total);
  };
  auto engine = Engine::open(context.directory, std::move(options));
  opening = false;
  return engine;
}

Result<client::ClientOptions> client_options(const Context& context, const std::string& tenant) {
  client::ClientOptions options;
  BAHI_TRY(parse_endpoint(context.server, options.host, options.port));
  options.token = context.token;
  options.tenant = tenant;
  const tls::ClientSettings& tls = context.tls_settings;
  if (context.tls || !tls.ca_file.empty() || !tls.certificate_file.empty() || !tls.key_file.empty()) options.tls = tls;
  options.name = "bahi";
  return options;
}

Result<std::unique_ptr<client::Client>> connect(const Context& context, const std::string& tenant) {
  BAHI_ASSIGN(client::ClientOptions options, client_options(context, tenant));
  return client::Client::connect(std::move(options));
}

Result<std::unique_ptr<TenantLog>> open_log(const Context& context, const std::string& tenant, EngineOptions options) {
  if (context.remote()) {
    BAHI_ASSIGN(client::ClientOptions remote, client_options(context, tenant));
    return remote_log(std::move(remote));
  }
  BAHI_ASSIGN(auto engine, open_engine(context, std::move(options)));
  return local_log(std::move(engine), tenant);
}

}  // namespace bahi::cli
