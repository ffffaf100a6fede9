// Appends one event from a coroutine: append_coroutine HOST PORT TENANT STREAM
#include <cstdio>
#include <cstdlib>
#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <bahi/client/async_client.hpp>

namespace {

namespace asio = boost::asio;

/// One event as an append of its own, for a stream that must not exist yet.
bahi::Result<bahi::AppendRequest> first_event(const std::string& stream) {
  bahi::NewEvent placed;
  placed.stream = stream;
  placed.type = "OrderPlaced";
  placed.data = R"({"total_paise":125000})";
  bahi::BatchBuilder builder;
  BAHI_TRY(builder.add(placed));
  bahi::AppendRequest request;
  BAHI_ASSIGN(request.body, builder.finish());
  request.expectations.push_back({stream, bahi::ExpectedVersion::no_stream()});
  return request;
}

asio::awaitable<void> place_order(bahi::client::ClientOptions options, std::string stream, int& exit_code) {
  // Lives and works on the io_context that runs this coroutine, which one thread runs.
  bahi::client::AsyncClient client(co_await asio::this_coro::executor, std::move(options));
  bahi::Result<bahi::AppendRequest> request = first_event(stream);
  if (!request) {
    std::fprintf(stderr, "%s\n", request.error().to_string().c_str());
    co_return;
  }
  // Resumes when the event is durable. A connection that breaks meanwhile is made anew, and the event stored once.
  const bahi::Result<bahi::AppendResult> appended = co_await client.append(std::move(*request));
  if (appended) {
    std::printf("stored at offset %llu\n", static_cast<unsigned long long>(appended->first_offset.value));
    exit_code = 0;
  } else if (appended.error().code() == bahi::ErrorCode::kWrongExpectedVersion) {
    std::printf("the stream exists already\n");
    exit_code = 4;
  } else {
    std::fprintf(stderr, "%s\n", appended.error().to_string().c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: append_coroutine HOST PORT TENANT STREAM\n");
    return 2;
  }
  bahi::client::ClientOptions options;
  options.host = argv[1];
  options.port = static_cast<std::uint16_t>(std::atoi(argv[2]));
  options.tenant = argv[3];
  if (const char* token = std::getenv("BAHI_TOKEN")) options.token = token;
  int exit_code = 1;
  asio::io_context context(1);
  asio::co_spawn(context, place_order(options, argv[4], exit_code), asio::detached);
  context.run();
  return exit_code;
}
