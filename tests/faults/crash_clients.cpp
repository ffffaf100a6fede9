#include "crash_clients.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

namespace bahi::faults {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

ReadRequest to_read(const ReadStart& start) {
  ReadRequest request;
  request.from = Offset{start.from};
  if (start.to != kNoBound) request.to = Offset{start.to};
  if (start.limit != kNoBound) request.limit = start.limit;
  if (start.backward) request.direction = Direction::kBackward;
  request.filter = to_filter(start.selection);
  return request;
}

}  // namespace

bool CrashClient::connect() {
  while (!state_.ending.load()) {
    client::ClientOptions options;
    options.port = state_.port;
    options.tenant = fmt::format("shop{}", tenant_);
    // Short enough that now and then a call or a read gives up while the server is away.
    options.retry_for = milliseconds(random_.between(200, 3'000));
    // Soon back, most of the time: a server lives for a fraction of a second only.
    if (!random_.one_in(5)) options.reconnect_pause_max = milliseconds(random_.between(5, 30));
    options.read_credit_bytes = std::uint32_t{1} << random_.between(10, 21);
    if (random_.one_in(4)) options.queue_bytes_max = 30'000;
    auto connected = client::Client::connect(options);
    if (connected) {
      client_ = std::move(*connected);
      return true;
    }
    if (connected.error().code() == ErrorCode::kConnectionLost) continue;
    fault("a client is not let in: " + connected.error().to_string());
    return false;
  }
  return false;
}

// --- writers

WritingClient::WritingClient(SessionState& state, std::uint32_t number, std::uint64_t seed, Window& window)
    : CrashClient(state, number % kCrashTenants, seed),
      next_id_(std::uint64_t{number + 1} << 32U),
      producer_(0xBA41'0000U + number),
      window_(window) {}

void WritingClient::run() {
  while (going_on() && connect()) {
    work();
    if (going_on()) client_.reset();  // its calls are answered: cancelled
  }
  (void)window_.drain();
  client_.reset();
}

void WritingClient::work() {
  while (going_on() && !random_.one_in(500)) {
    for (const Intent& intent : state_.take_retries(tenant_)) {
      if (!submit(intent)) return;
    }
    const Intent intent = make_intent(random_, ++next_id_, tenant_, producer_, state_);
    if (!submit(intent)) return;
    // The same again, in flight.
    if (intent.producer_high != 0 && random_.one_in(25) && !submit(intent)) return;
    if (refused_.exchange(false)) std::this_thread::sleep_for(milliseconds(2));
    if (random_.one_in(2)) std::this_thread::sleep_for(microseconds(random_.below(4'000)));
  }
}

bool WritingClient::submit(const Intent& intent) {
  auto request = to_append(intent);
  if (!request) {
    fault("a request could not be made: " + request.error().to_string());
    return false;
  }
  if (!window_.enter()) return false;
  state_.recorder.record(intent);
  client_->submit(std::move(*request), [this, intent](const Result<AppendResult>& result) {
    const Answer answer = to_answer(intent.request_id, result);
    state_.recorder.record(answer);
    if (result) {
      state_.learn(intent, answer);
    } else if (result.error().conflict() == nullptr) {
      refused_.store(true);
    }
    window_.leave();
  });
  return true;
}

// --- readers

void Sightings::add(const EventView& event) {
  seen_.sightings[seen_.count++] = {event.offset.value, digest_of(event)};
  if (seen_.count == seen_.sightings.size()) flush();
}

void Sightings::flush() {
  if (seen_.count == 0) return;
  recorder_->record(seen_);
  seen_.count = 0;
}

void Sightings::end(bool abandoned, const Status& status) {
  flush();
  ReadEnd end;
  end.reader = seen_.reader;
  end.abandoned = abandoned;
  if (!status) {
    end.code = static_cast<std::uint16_t>(status.error().code());
    status.error().message().copy(end.text.data(), end.text.size() - 1);
  }
  recorder_->record(end);
}

ReadingClient::ReadingClient(SessionState& state, std::uint64_t seed)
    : CrashClient(state, static_cast<std::uint32_t>(seed % kCrashTenants), seed) {}

void ReadingClient::run() {
  while (going_on() && connect()) {
    for (std::uint64_t left = random_.between(1, 100); left > 0 && going_on(); --left) {
      if (!read_once()) break;
      std::this_thread::sleep_for(microseconds(random_.below(4'000)));
    }
    client_.reset();
  }
}

ReadStart ReadingClient::choose_read() {
  ReadStart start;
  start.reader = state_.next_reader.fetch_add(1);
  start.tenant = tenant_;
  start.selection = random_selection(random_);
  start.backward = random_.one_in(3);
  const std::uint64_t end = state_.end(tenant_);
  const std::uint64_t width = random_.one_in(10) ? 20'000 : 2'000;
  start.from = end - std::min(end, random_.below(width));
  if (random_.one_in(4)) start.to = start.from + random_.below(width);
  if (random_.one_in(3)) start.limit = random_.between(1, 500);
  return start;
}

bool ReadingClient::read_once() {
  const ReadStart start = choose_read();
  Sightings sightings(state_.recorder, start.reader);
  std::uint64_t left = random_.one_in(10) ? random_.below(200) : kNoBound;  // then it is abandoned
  state_.recorder.record(start);
  const auto reader = client_->read(to_read(start));
  EventView event;
  for (; left > 0; --left) {
    Result<bool> more = reader->next(event, milliseconds(5));
    while (!more && more.error().code() == ErrorCode::kDeadlineExceeded && !state_.ending.load()) {
      sightings.flush();
      more = reader->next(event, milliseconds(5));
    }
    if (!more) {
      const ErrorCode code = more.error().code();
      const bool gave_up = code == ErrorCode::kConnectionLost || code == ErrorCode::kDeadlineExceeded;
      sightings.end(gave_up, more.error());
      return false;
    }
    if (!*more) {
      sightings.end(false, {});
      return true;
    }
    sightings.add(event);
  }
  sightings.end(true, {});
  return true;
}

// --- subscribers

SubscribingClient::SubscribingClient(SessionState& state, std::uint32_t number, std::uint64_t seed)
    : CrashClient(state, number % kCrashTenants, seed) {}

SubscribingClient::Subscription SubscribingClient::begin() {
  ReadStart start;
  start.reader = state_.next_reader.fetch_add(1);
  start.tenant = tenant_;
  start.follow = true;
  if (!subscriptions_.empty()) start.selection = random_selection(random_);
  const std::uint64_t end = state_.end(tenant_);
  start.from = end - std::min(end, random_.below(3'000));
  if (random_.one_in(2)) start.limit = random_.between(1, 3'000);
  state_.recorder.record(start);
  return {start, to_read(start), nullptr, Sightings(state_.recorder, start.reader)};
}

void SubscribingClient::open(Subscription& subscription) {
  subscription.reader = client_->subscribe(subscription.request);
}

void SubscribingClient::close(Subscription& subscription) {
  if (!subscription.reader) return;
  subscription.sightings.flush();
  subscription.request.from = subscription.reader->position();
  subscription.reader.reset();
}

void SubscribingClient::run() {
  while (subscriptions_.size() < 3) subscriptions_.push_back(begin());
  while (!state_.ending.load() && connect()) {
    lost_ = false;
    for (Subscription& subscription : subscriptions_) open(subscription);
    while (!lost_ && !state_.ending.load() && !random_.one_in(300)) round();
    for (Subscription& subscription : subscriptions_) close(subscription);
    client_.reset();
  }
}

void SubscribingClient::round() {
  bool idle = true;
  for (Subscription& subscription : subscriptions_) idle = !take_some(subscription) && idle;
  Subscription& some = subscriptions_[random_.below(subscriptions_.size())];
  if (random_.one_in(100)) {
    close(some);
    open(some);
  } else if (random_.one_in(100) && !state_.finishing.load()) {
    close(some);
    some.sightings.end(true, {});
    some = begin();
    open(some);
  }
  if (idle) std::this_thread::sleep_for(milliseconds(1));
  if (random_.one_in(50)) std::this_thread::sleep_for(milliseconds(random_.below(20)));
}

bool SubscribingClient::take_some(Subscription& subscription) {
  EventView event;
  for (int taken = 0; taken < 300; ++taken) {
    const Result<bool> more = subscription.reader->next(event, std::chrono::nanoseconds(0));
    if (more && *more) {
      subscription.sightings.add(event);
      if (subscription.request.limit) --*subscription.request.limit;
      continue;
    }
    subscription.sightings.flush();
    if (!more && more.error().code() == ErrorCode::kDeadlineExceeded) return taken > 0;
    if (!more && more.error().code() == ErrorCode::kConnectionLost) {
      lost_ = true;
      return false;
    }
    // The limit is reached; or an error, which is one of the server's or the log's.
    subscription.sightings.end(false, more ? Status{} : Status{more.error()});
    subscription.reader.reset();
    subscription = begin();
    open(subscription);
    return true;
  }
  return true;
}

}  // namespace bahi::faults
