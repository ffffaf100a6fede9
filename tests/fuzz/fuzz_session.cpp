// Any bytes as a client's side of a conversation, in pieces; the actions asked for are answered in various ways.
#include "bahi/server/access.hpp"
#include "checked_batch.hpp"
#include "session.hpp"

using namespace bahi;
using namespace bahi::server;

namespace {

CredentialPtr credential() {
  auto made = std::make_shared<Credential>();
  made->tenant = TenantId{1};
  made->tenant_name = "shop";
  made->role = Role::kAdmin;
  made->whole_store = true;
  return made;
}

void answer(Session& session, const server::Action& action, unsigned choice) {
  if (const auto* append = std::get_if<SubmitAppend>(&action)) {
    if (choice % 3 == 0) return;  // later than this run
    if (choice % 3 == 1) return session.answer_append(append->request, AppendResult{});
    session.answer_append(append->request, Error{ErrorCode::kOverloaded, "full"});
  } else if (const auto* read = std::get_if<OpenRead>(&action)) {
    session.read_opened(read->request, choice % 4 == 0 ? Status{Error{ErrorCode::kOffsetOutOfRange, "far"}} : Status{});
  } else if (const auto* request = std::get_if<Administer>(&action)) {
    session.answer(request->request, wire::Done{});
  } else if (const auto* question = std::get_if<Ask>(&action)) {
    session.answer(question->request, wire::QueryAnswer{Offset{choice}, "{}"});
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const ManualClock clock{Timestamp{1}};
  Limits limits;
  limits.in_flight_max = 4;
  limits.reads_max = 3;
  limits.write_queue_bytes_max = 1 << 16;
  TimePoint now{};
  Session session(
      limits, [](const wire::Hello&) { return Result<CredentialPtr>(credential()); }, clock, now);
  std::string_view rest = fuzz::view_of(data, size);
  std::vector<std::string> buffers;
  for (unsigned step = 0; !rest.empty(); ++step) {
    const std::size_t piece = std::min<std::size_t>(rest.size(), step % 5 == 4 ? 7 : 4096);
    if (session.wants_input()) session.receive(rest.substr(0, piece), now);
    rest.remove_prefix(piece);
    while (const auto action = session.next_action()) answer(session, *action, step);
    if (const auto turn = session.next_turn()) {
      const auto then = static_cast<Slice::Then>(step % 3);
      session.deliver(turn->request, Slice{"batch", {5}, Offset{step}, then});
      if (then == Slice::Then::kWait) session.read_ready(turn->request);
    }
    session.take_output(buffers, 3);
    std::size_t bytes = 0;
    for (const std::string& buffer : buffers) bytes += buffer.size();
    session.sent(bytes, now);
    now += std::chrono::milliseconds(step % 7 == 0 ? 2000 : 1);
    session.tick(now);
    if (step % 64 == 63) session.begin_shutdown();
  }
  return 0;
}
