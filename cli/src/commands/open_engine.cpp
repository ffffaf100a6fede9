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

}  // namespace bahi::cli
