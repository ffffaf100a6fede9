// Opens a store in the directory given, appends one event and reads it back.
#include <cstdio>

#include <bahi/engine/engine.hpp>

namespace {

bahi::Status run(const char* directory) {
  bahi::EngineOptions options;
  options.create_if_missing = true;
  BAHI_ASSIGN(const auto engine, bahi::Engine::open(directory, options));
  BAHI_ASSIGN(const bahi::TenantId tenant, engine->create_tenant("shop"));

  bahi::NewEvent placed;
  placed.stream = "order-1";
  placed.type = "OrderPlaced";
  placed.data = R"({"total_paise":125000})";
  bahi::BatchBuilder builder;
  BAHI_TRY(builder.add(placed));
  bahi::AppendRequest request;
  request.tenant = tenant;
  BAHI_ASSIGN(request.body, builder.finish());
  BAHI_TRY(engine->append(std::move(request)));

  bahi::ReadRequest read;
  read.tenant = tenant;
  read.filter.stream = "order-1";
  BAHI_ASSIGN(const auto cursor, engine->read(read));
  bahi::EventView event;
  BAHI_ASSIGN(const bool found, cursor->next(event));
  if (!found || event.data != placed.data) return bahi::Error{bahi::ErrorCode::kInternal, "the event did not come back"};
  std::printf("offset %llu, version %lld: %.*s\n", static_cast<unsigned long long>(event.offset.value),
              static_cast<long long>(event.version.value), static_cast<int>(event.data.size()), event.data.data());
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: consumer DIRECTORY\n");
    return 2;
  }
  const bahi::Status status = run(argv[1]);
  if (!status) std::fprintf(stderr, "%s\n", status.error().to_string().c_str());
  return status ? 0 : 1;
}
