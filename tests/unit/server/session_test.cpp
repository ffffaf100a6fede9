// The session without sockets, engine or clock: each case says what comes in and looks at what goes out.
#include "session.hpp"

#include <catch2/catch.hpp>

#include "catch_result.hpp"

namespace bahi::server {
namespace {

using namespace std::chrono_literals;

CredentialPtr credential_of(Role role) {
  auto credential = std::make_shared<Credential>();
  credential->tenant = TenantId{1};
  credential->tenant_name = "shop";
  credential->role = role;
  return credential;
}

Limits small_limits() {
  Limits limits;
  limits.in_flight_max = 3;
  limits.reads_max = 2;
  limits.credit_bytes_max = 1000;
  limits.write_queue_bytes_max = 5000;
  limits.in_flight_bytes_max = 5000;
  return limits;
}

struct Sent {
  wire::Envelope envelope;
  std::string payload;
};

class Conversation {
 public:
  explicit Conversation(Role role = Role::kAdmin)
      : session(
            small_limits(),
            [this, role](const wire::Hello& hello) -> Result<CredentialPtr> {
              if (hello.token == "wrong") return Error{ErrorCode::kUnauthenticated, "no"};
              credential = std::const_pointer_cast<Credential>(credential_of(role));
              return CredentialPtr(credential);
            },
            clock, now, [this](const Credential&) { return meter; }) {}

  void say(std::uint64_t request, const wire::Message& message, std::string_view payload = "") {
    std::string frame;
    wire::put_frame(request, message, payload.size(), frame);
    frame += payload;
    session.receive(frame, now);
  }
  void say_append(std::uint64_t request, const std::string& body = "body") {
    AppendRequest append;
    append.body.bytes = body;
    std::string frame;
    wire::put_append(request, append, frame);
    session.receive(frame, now);
  }
  void enter() {
    say(0, wire::Hello{});
    REQUIRE(heard<wire::Welcome>(0));
  }
  /// Everything that waits to be sent.
  std::vector<Sent> hear() {
    std::vector<std::string> buffers;
    std::string bytes;
    while (session.has_output()) {
      session.take_output(buffers, 100);
      for (const std::string& buffer : buffers) bytes += buffer;
    }
    session.sent(bytes.size(), now);
    std::vector<Sent> all;
    FrameSplitter splitter(kFrameBytesMax);
    splitter.push(bytes);
    FrameView frame;
    while (splitter.next(frame).value()) {
      all.push_back({wire::decode_head(frame.head).value(), std::string(frame.payload)});
    }
    CHECK_FALSE(splitter.mid_frame());
    return all;
  }
  /// Exactly one message waits, and it is a T about this request.
  template <class T>
  bool heard(std::uint64_t request) {
    const auto all = hear();
    CHECK(all.size() == 1);
    return all.size() == 1 && all[0].envelope.request == request && std::holds_alternative<T>(all[0].envelope.message);
  }
  bool heard_failure(std::uint64_t request, ErrorCode code) {
    for (const Sent& sent : hear()) {
      const auto* failure = std::get_if<wire::Failure>(&sent.envelope.message);
      if (failure != nullptr && sent.envelope.request == request && failure->error.code() == code) return true;
    }
    return false;
  }
  template <class T>
  T act() {
    auto action = session.next_action();
    REQUIRE(action);
    REQUIRE(std::holds_alternative<T>(*action));
    return std::get<T>(std::move(*action));
  }
  void pass(std::chrono::milliseconds time) {
    now += time;
    session.tick(now);
  }
  Slice slice(std::size_t bytes, Slice::Then then, std::uint64_t next = 1) const {
    return {std::string(bytes, 'b'), {static_cast<std::uint32_t>(bytes)}, Offset{next}, then};
  }

  TimePoint now{};
  ManualClock clock{Timestamp{1000}};
  std::shared_ptr<Credential> credential;
  std::shared_ptr<TenantMeter> meter;  // null: nothing is limited
  Session session;
};

TEST_CASE_METHOD(Conversation, "session: a Hello is welcomed with limits and role", "[server][session]") {
  say(0, wire::Hello{});
  const auto all = hear();
  REQUIRE(all.size() == 1);
  const auto& welcome = std::get<wire::Welcome>(all[0].envelope.message);
  CHECK(welcome.tenant == "shop");
  CHECK(welcome.role == Role::kAdmin);
  CHECK(welcome.in_flight_max == 3);
  CHECK(welcome.credit_bytes_max == 1000);
}

TEST_CASE_METHOD(Conversation, "session: a newer minor version and unknown features are welcome", "[server][session]") {
  wire::Hello hello;
  hello.minor = 77;
  hello.features = ~std::uint64_t{0};
  say(0, hello);
  const auto all = hear();
  REQUIRE(all.size() == 1);
  const auto& welcome = std::get<wire::Welcome>(all[0].envelope.message);
  CHECK(welcome.minor == wire::kMinor);
  CHECK(welcome.features == wire::kFeatures);
}

TEST_CASE_METHOD(Conversation, "session: what is not a right Hello ends it", "[server][session]") {
  wire::Hello hello;
  SECTION("another major version") {
    hello.major = 2;
    say(0, hello);
    CHECK(heard_failure(0, ErrorCode::kUnsupportedProtocol));
  }
  SECTION("another protocol") {
    hello.magic = 0x20544547;
    say(0, hello);
    CHECK(heard_failure(0, ErrorCode::kUnsupportedProtocol));
  }
  SECTION("a request before the Hello") {
    say(1, wire::ListTenants{});
    CHECK(heard_failure(0, ErrorCode::kUnsupportedProtocol));
  }
  SECTION("HTTP") {
    session.receive("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", now);
    CHECK(heard_failure(0, ErrorCode::kFrameTooLarge));
  }
  SECTION("a large frame before the Hello") {
    session.receive(std::string("\xff\x1f\x00\x00\x00\x00\x00\x00", 8), now);
    CHECK(heard_failure(0, ErrorCode::kFrameTooLarge));
  }
  SECTION("a wrong token, which is recorded") {
    hello.token = "wrong";
    say(0, hello);
    CHECK(heard_failure(0, ErrorCode::kUnauthenticated));
    CHECK(act<RecordDenial>().request == "Hello");
  }
  SECTION("silence") {
    pass(6s);
    CHECK(heard_failure(0, ErrorCode::kDeadlineExceeded));
  }
  CHECK(session.closing());
}

TEST_CASE_METHOD(Conversation, "session: frames may come byte by byte", "[server][session]") {
  std::string bytes;
  wire::put_frame(0, wire::Hello{}, 0, bytes);
  wire::put_frame(5, wire::Ping{}, 0, bytes);
  for (const char& byte : bytes) session.receive({&byte, 1}, now);
  const auto all = hear();
  REQUIRE(all.size() == 2);
  CHECK(all[1].envelope.request == 5);
  CHECK(std::holds_alternative<wire::Pong>(all[1].envelope.message));
}

TEST_CASE_METHOD(Conversation, "session: appends carry the credential's tenant, answers may change places",
                 "[server][session]") {
  enter();
  say_append(1, "first");
  say_append(2, "second");
  auto first = act<SubmitAppend>();
  CHECK(first.append.tenant == TenantId{1});
  CHECK(first.append.body.bytes == "first");
  CHECK(act<SubmitAppend>().append.body.bytes == "second");
  session.answer_append(2, AppendResult{Offset{7}, 1, {}, {0}, false});
  CHECK(heard<wire::Appended>(2));
  session.answer_append(1, Error{ErrorCode::kOverloaded, "full"});
  CHECK(heard_failure(1, ErrorCode::kOverloaded));
}

TEST_CASE_METHOD(Conversation, "session: too many requests in flight are answered overloaded", "[server][session]") {
  enter();
  for (std::uint64_t id = 1; id <= 4; ++id) say_append(id);
  CHECK(heard_failure(4, ErrorCode::kOverloaded));
  CHECK_FALSE(session.closing());
}

TEST_CASE_METHOD(Conversation, "session: unanswered bodies stop the input", "[server][session]") {
  enter();
  say_append(1, std::string(4000, 'x'));
  CHECK(session.wants_input());
  say_append(2, std::string(2000, 'x'));
  CHECK_FALSE(session.wants_input());
  session.answer_append(1, AppendResult{});
  CHECK(session.wants_input());
}

TEST_CASE_METHOD(Conversation, "session: an id in use, or none, is a broken conversation", "[server][session]") {
  enter();
  SECTION("in use") {
    say_append(1);
    say_append(1);
  }
  SECTION("none") {
    say_append(0);
  }
  CHECK(heard_failure(0, ErrorCode::kMalformedFrame));
  CHECK(session.closing());
}

TEST_CASE_METHOD(Conversation, "session: a message that is no request is refused alone", "[server][session]") {
  enter();
  say(9, wire::Done{});
  CHECK(heard_failure(9, ErrorCode::kUnknownRequest));
  CHECK_FALSE(session.closing());
}

TEST_CASE("session: what the role forbids is refused and recorded", "[server][session]") {
  Conversation reader(Role::kReader);
  reader.enter();
  reader.say_append(1);
  CHECK(reader.heard_failure(1, ErrorCode::kForbidden));
  CHECK(reader.act<RecordDenial>().request == "Append");
  CHECK_FALSE(reader.session.next_action());
}

TEST_CASE_METHOD(Conversation, "session: a read gives no more than its credit, by at most one slice",
                 "[server][session]") {
  enter();
  say(1, wire::Read{{}, true, 600});
  CHECK(act<OpenRead>().follow);
  CHECK_FALSE(session.next_turn());
  session.read_opened(1, {});
  auto turn = session.next_turn();
  REQUIRE(turn);
  CHECK(turn->bytes_max == 600);
  CHECK(session.deliver(1, slice(700, Slice::Then::kMore)));
  CHECK(heard<wire::Batches>(1));
  CHECK_FALSE(session.next_turn());
  say(1, wire::Credit{100});
  CHECK_FALSE(session.next_turn());
  say(1, wire::Credit{1});
  turn = session.next_turn();
  REQUIRE(turn);
  CHECK(turn->bytes_max == 1);
}

TEST_CASE_METHOD(Conversation, "session: credit beyond the limit is not saved up", "[server][session]") {
  enter();
  say(1, wire::Read{{}, true, ~std::uint64_t{0}});
  for (int i = 0; i < 5; ++i) say(1, wire::Credit{~std::uint64_t{0}});
  session.read_opened(1, {});
  CHECK(session.next_turn()->bytes_max == 1000);
}

TEST_CASE_METHOD(Conversation, "session: a subscription says once that it caught up, and waits", "[server][session]") {
  enter();
  say(1, wire::Read{{}, true, 1000});
  session.read_opened(1, {});
  REQUIRE(session.next_turn());
  CHECK(session.deliver(1, {Slice{"", {}, Offset{4}, Slice::Then::kWait}}));
  CHECK(heard<wire::CaughtUp>(1));
  CHECK_FALSE(session.next_turn());
  session.read_ready(1);
  REQUIRE(session.next_turn());
  CHECK(session.deliver(1, slice(10, Slice::Then::kWait)));
  CHECK(heard<wire::Batches>(1));
}

TEST_CASE_METHOD(Conversation, "session: reads take turns", "[server][session]") {
  enter();
  for (const std::uint64_t id : {1, 2}) {
    say(id, wire::Read{{}, false, 1000});
    session.read_opened(id, {});
  }
  CHECK(session.next_turn()->request == 1);
  CHECK(session.next_turn()->request == 2);
  CHECK(session.next_turn()->request == 1);
  say(3, wire::Read{{}, false, 1000});
  CHECK(heard_failure(3, ErrorCode::kOverloaded));
}

TEST_CASE_METHOD(Conversation, "session: a cancelled read ends, and late slices of it are dropped",
                 "[server][session]") {
  enter();
  say(1, wire::Read{{}, true, 1000});
  (void)act<OpenRead>();
  session.read_opened(1, {});
  say(1, wire::Cancel{});
  CHECK(heard<wire::ReadEnd>(1));
  CHECK(act<CloseRead>().request == 1);
  CHECK_FALSE(session.deliver(1, slice(10, Slice::Then::kMore)));
  CHECK(hear().empty());
  say(1, wire::Cancel{});
  CHECK(hear().empty());
}

TEST_CASE_METHOD(Conversation, "session: a full output stops reads and input", "[server][session]") {
  enter();
  say(1, wire::Read{{}, true, 1000});
  session.read_opened(1, {});
  CHECK(session.deliver(1, slice(6000, Slice::Then::kMore)));
  say(1, wire::Credit{10'000});
  CHECK_FALSE(session.wants_input());
  CHECK_FALSE(session.next_turn());
  CHECK(heard<wire::Batches>(1));
  CHECK(session.wants_input());
}

TEST_CASE_METHOD(Conversation, "session: a peer that takes nothing is given up", "[server][session]") {
  enter();
  say(1, wire::Ping{});
  pass(29s);
  CHECK_FALSE(session.stuck());
  pass(2s);
  CHECK(session.stuck());
  CHECK(session.closing());
}

TEST_CASE_METHOD(Conversation, "session: a silent peer is pinged, then given up", "[server][session]") {
  enter();
  pass(9s);
  CHECK(hear().empty());
  pass(1s);
  CHECK(heard<wire::Ping>(0));
  say(0, wire::Pong{});
  pass(11s);
  CHECK(heard<wire::Ping>(0));
  pass(11s);
  CHECK(heard<wire::Ping>(0));
  pass(9s);
  CHECK(heard_failure(0, ErrorCode::kDeadlineExceeded));
  CHECK(session.closing());
}

TEST_CASE_METHOD(Conversation, "session: a peer that nothing is taken from is pinged and not given up",
                 "[server][session]") {
  enter();
  say_append(1, std::string(6000, 'x'));
  REQUIRE_FALSE(session.wants_input());
  for (int i = 0; i < 10; ++i) {
    pass(10s);
    CHECK(heard<wire::Ping>(0));
  }
  CHECK_FALSE(session.closing());
}

TEST_CASE_METHOD(Conversation, "session: a frame that does not end is given up, however slowly it comes",
                 "[server][session]") {
  enter();
  std::string bytes;
  wire::put_frame(1, wire::CreateTenant{"a-name-long-enough-to-take-a-while"}, 0, bytes);
  for (int i = 0; i < 8; ++i) {
    session.receive({&bytes[static_cast<std::size_t>(i)], 1}, now);
    pass(5s);
    (void)hear();
  }
  CHECK(session.closing());
}

TEST_CASE_METHOD(Conversation, "session: a revoked credential ends it", "[server][session]") {
  enter();
  credential->revoked = true;
  SECTION("at the next request") {
    say_append(1);
    CHECK(heard_failure(1, ErrorCode::kUnauthenticated));
    CHECK(act<RecordDenial>().request == "Append");
    CHECK_FALSE(session.next_action());
  }
  SECTION("before more is delivered") {
    credential->revoked = false;
    say(1, wire::Read{{}, true, 1000});
    session.read_opened(1, {});
    credential->revoked = true;
    CHECK_FALSE(session.next_turn());
    CHECK(heard_failure(0, ErrorCode::kUnauthenticated));
  }
  SECTION("while idle") {
    pass(1ms);
    CHECK(heard_failure(0, ErrorCode::kUnauthenticated));
    CHECK(session.closing());
  }
}

TEST_CASE_METHOD(Conversation, "session: a shutdown answers what is in flight and refuses the rest",
                 "[server][session]") {
  enter();
  say_append(1);
  say(2, wire::Read{{}, true, 1000});
  session.read_opened(2, {});
  session.begin_shutdown();
  const auto all = hear();
  REQUIRE(all.size() == 2);
  CHECK(std::holds_alternative<wire::GoingAway>(all[0].envelope.message));
  CHECK(std::get<wire::Failure>(all[1].envelope.message).error.code() == ErrorCode::kShuttingDown);
  CHECK_FALSE(session.closing());
  say_append(3);
  CHECK(heard_failure(3, ErrorCode::kShuttingDown));
  session.answer_append(1, AppendResult{});
  CHECK(heard<wire::Appended>(1));
  CHECK(session.closing());
}

TEST_CASE_METHOD(Conversation, "session: garbage behind the handshake ends it", "[server][session]") {
  enter();
  session.receive(std::string("\x10\x00\x00\x00\x0c\x00\x00\x00garbage-garb", 20), now);
  CHECK(heard_failure(0, ErrorCode::kMalformedFrame));
  CHECK(session.closing());
  say_append(1);
  CHECK(hear().empty());
}

/// Of whom the tenant may append so many events per second.
class LimitedConversation : public Conversation {
 public:
  LimitedConversation() {
    meter = std::make_shared<TenantMeter>("shop", [this] { return stored; });
    limits[TenantLimit::kEventsPerSecond] = 10;
    limits[TenantLimit::kStoredBytes] = 1000;
    limits[TenantLimit::kConnections] = 1;
    limits[TenantLimit::kSubscriptions] = 1;
    meter->set_limits(limits);
    enter();
  }
  void say_events(std::uint64_t request, std::uint32_t count) {
    AppendRequest append;
    append.body.event_count = count;
    append.body.bytes = "body";
    std::string frame;
    wire::put_append(request, append, frame);
    session.receive(frame, now);
  }
  TenantLimits limits;
  std::uint64_t stored = 0;
};

TEST_CASE_METHOD(LimitedConversation, "session: an append above the rate waits, and nothing more is received",
                 "[server][session][limits]") {
  say_events(1, 30);
  CHECK(act<SubmitAppend>().request == 1);
  say_events(2, 1);
  say_events(3, 1);
  CHECK_FALSE(session.next_action());
  CHECK_FALSE(session.wants_input());
  pass(1900ms);
  CHECK_FALSE(session.next_action());
  pass(200ms);
  CHECK(act<SubmitAppend>().request == 2);
  CHECK_FALSE(session.next_action());
  pass(100ms);
  CHECK(act<SubmitAppend>().request == 3);
  CHECK(session.wants_input());
  CHECK_FALSE(session.has_output());
}

TEST_CASE_METHOD(LimitedConversation, "session: who would wait too long is refused, with all that came behind",
                 "[server][session][limits]") {
  SECTION("at once, when it is clear") {
    say_events(1, 500);
    act<SubmitAppend>();
    say_events(2, 1);
    CHECK(heard_failure(2, ErrorCode::kOverloaded));
  }
  SECTION("later, when others were faster") {
    say_events(1, 100);
    act<SubmitAppend>();
    say_events(2, 1);
    say_events(3, 1);
    CHECK_FALSE(session.has_output());
    CHECK_FALSE(meter->admit_append(1, 1, now));
    for (int i = 0; i < 18; ++i) pass(500ms);
    CHECK_FALSE(session.next_action());
    now += 100ms;
    CHECK(meter->admit_append(1, 60, now));  // another connection of the tenant
    for (int i = 0; i < 3; ++i) pass(500ms);
    const auto all = hear();
    std::vector<std::uint64_t> refused;
    for (const Sent& sent : all) {
      if (std::holds_alternative<wire::Failure>(sent.envelope.message)) refused.push_back(sent.envelope.request);
    }
    CHECK(refused == std::vector<std::uint64_t>{2, 3});
  }
  CHECK_FALSE(session.next_action());
  CHECK(session.wants_input());
}

TEST_CASE_METHOD(LimitedConversation, "session: a stop does not wait for a rate", "[server][session][limits]") {
  say_events(1, 50);
  act<SubmitAppend>();
  say_events(2, 1);
  session.begin_shutdown();
  CHECK(heard_failure(2, ErrorCode::kShuttingDown));
  session.answer_append(1, AppendResult{});
  CHECK(session.closing());
}

TEST_CASE_METHOD(LimitedConversation, "session: a full tenant, one connection, one subscription",
                 "[server][session][limits]") {
  stored = 999;
  say_events(1, 1);
  CHECK(heard_failure(1, ErrorCode::kTenantFull));
  say(2, wire::Read{{}, true, 1});
  act<OpenRead>();
  say(3, wire::Read{{}, true, 1});
  CHECK(heard_failure(3, ErrorCode::kOverloaded));
  say(4, wire::Read{{}, false, 1});
  act<OpenRead>();
  CHECK_FALSE(meter->open_connection());
  session.end();
  CHECK(meter->open_connection());
  CHECK(meter->subscriptions() == 0);
}

}  // namespace
}  // namespace bahi::server
