// Appends to a store and then kills itself: killed_writer DIRECTORY BATCHES [flush]
#include <csignal>
#include <cstdlib>
#include <string>

#include <unistd.h>

#include "bahi/engine/engine.hpp"

int main(int argc, char** argv) {
  using namespace bahi;
  if (argc < 3) return 2;
  EngineOptions options;
  options.create_if_missing = true;
  options.write_buffer_bytes = std::size_t{1} << 20U;
  options.reserve_bytes = 0;
  options.free_bytes_min = 0;
  auto engine = Engine::open(argv[1], options);
  if (!engine) return 3;
  const auto known = (*engine)->find_tenant("shop");
  const TenantId tenant = known ? *known : (*engine)->create_tenant("shop").value();
  for (int i = 0; i < std::atoi(argv[2]); ++i) {
    BatchBuilder builder;
    const std::string stream = "order-" + std::to_string(i);
    for (const std::string& name : {std::string("order-1"), stream}) {
      NewEvent event;
      event.stream = name;
      event.type = "happened";
      event.data = "{}";
      if (!builder.add(event)) return 4;
    }
    AppendRequest request;
    request.tenant = tenant;
    request.body = builder.finish().value();
    if (!(*engine)->append(std::move(request))) return 5;
  }
  if (argc > 3 && !(*engine)->flush()) return 6;
  ::kill(::getpid(), SIGKILL);
  return 1;
}
