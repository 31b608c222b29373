#include "service/event_queue.h"

#include <algorithm>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "service/alias_api.h"
#include "service/epoch.h"
#include "service/offload.h"

namespace kelvin::service {

using boost::asio::awaitable;

namespace {

constexpr std::string_view kTooOld = "EventAgeExceeded";
constexpr std::chrono::milliseconds kOldest{std::chrono::hours{6}};
// Between looks at an event that is throttled, or that the service could not run.
constexpr std::chrono::milliseconds kShortestBackOff{1000};
constexpr std::chrono::milliseconds kLongestBackOff{std::chrono::minutes{5}};

std::shared_ptr<Invocation> InvocationOf(const StoredEvent& event, const Place& place) {
  auto invocation = std::make_shared<Invocation>();
  invocation->event = std::make_shared<RuntimeEvent>();
  invocation->event->request_id = event.request_id;
  invocation->event->payload = event.payload;
  invocation->event->function_arn = FunctionArn(place, event.function, event.qualifier);
  invocation->event->trace_id = event.trace_id;
  invocation->event->client_context = event.client_context;
  return invocation;
}

}  // namespace

EventQueue::EventQueue(const Parts& parts, std::vector<std::chrono::milliseconds> retry_delays)
    : parts_(parts),
      retry_delays_(std::move(retry_delays)),
      line_(parts.timers,
            [&parts = parts_](std::string_view name) { return parts.scheduler.Throttles(name); }) {
  parts_.scheduler.TellOfPlaces([this] { line_.MoveUp(); });
}

EventQueue::~EventQueue() {
  parts_.scheduler.TellOfPlaces({});
  Stop();
}

awaitable<std::expected<void, Error>> EventQueue::Accept(StoredEvent event) {
  event.accepted_ms = EpochMilliseconds(parts_.clock.WallNow());
  auto stored = co_await Offload(parts_.workers, [&] { return parts_.store.PutEvent(event); });
  if (stored && !stopping_) Resume(std::move(event));
  co_return stored;
}

void EventQueue::Resume(StoredEvent event) {
  ++active_;
  ++depths_[event.function];
  boost::asio::co_spawn(parts_.executor, Process(std::move(event)), boost::asio::detached);
}

awaitable<void> EventQueue::Process(StoredEvent event) {
  auto back_off = kShortestBackOff;
  EventEnd last;  // attempt that failed
  for (;;) {
    Attempted attempted = co_await Attempt(event);
    if (attempted.next == Attempted::Next::kStopped) break;
    if (attempted.next == Attempted::Next::kRetry) {
      last = std::move(attempted.end);
      // What would be too old by then is not waited for.
      if (RetryDelay(event) >= TimeLeft(event)) {
        attempted = {.next = Attempted::Next::kEnd, .end = {.condition = kTooOld}};
      }
    }
    if (attempted.next == Attempted::Next::kEnd) {
      if (attempted.end.condition == kTooOld) {
        attempted.end.outcome = std::move(last.outcome);
        attempted.end.version = std::move(last.version);
      }
      co_await Finish(event, attempted.end);
    }
    if (attempted.next == Attempted::Next::kDefer) {
      co_await Sleep(std::min(back_off, TimeLeft(event)));
      back_off = std::min(back_off * 2, kLongestBackOff);
      continue;
    }
    if (attempted.next != Attempted::Next::kRetry) {
      co_await Forget(event);
      break;
    }
    const auto delay = RetryDelay(event);
    // Best effort: without it a restart only makes an attempt too many.
    (void)co_await Offload(parts_.workers, [&] { return parts_.store.PutEvent(event); });
    co_await Sleep(delay);
  }
  --active_;
  const auto depth = depths_.find(event.function);
  if (--depth->second == 0) depths_.erase(depth);
}

awaitable<void> EventQueue::Forget(const StoredEvent& event) {
  const auto removed =
      co_await Offload(parts_.workers, [&] { return parts_.store.RemoveEvent(event.request_id); });
  if (!removed) {
    parts_.log.Write(LogLevel::kWarn, "service", "event {} may run again: {}", event.request_id,
                     removed.error().message);
  }
}

EventInvokeConfig EventQueue::ConfigOf(const StoredEvent& event) const {
  const auto record = parts_.registry.Find(event.function);
  if (!record) return {};
  const auto found =
      record->event_invoke.find(event.qualifier.empty() ? std::string("$LATEST") : event.qualifier);
  return found == record->event_invoke.end() ? EventInvokeConfig{} : found->second;
}

std::size_t EventQueue::MostAttempts(const StoredEvent& event) const {
  const auto retries = ConfigOf(event).retries;
  if (!retries) return retry_delays_.size() + 1;
  return std::min(static_cast<std::size_t>(*retries), retry_delays_.size()) + 1;
}

// Runs the event once, waiting as long as concurrency does not let it.
awaitable<EventQueue::Attempted> EventQueue::Attempt(StoredEvent& event) {
  const auto invocation = InvocationOf(event, parts_.place);
  Begun begun = co_await Begin(event, invocation);
  if (begun.refused) co_return std::move(*begun.refused);
  InvokeOutcome outcome = co_await invocation->outcome.Wait();
  co_return Judge(event, std::move(outcome), begun.version);
}

awaitable<EventQueue::Begun> EventQueue::Begin(const StoredEvent& event,
                                               const std::shared_ptr<Invocation>& invocation) {
  const EventLine::Spot spot = line_.Arrive(event.function);
  auto back_off = kShortestBackOff;
  for (;;) {
    const Turn turn = line_.IsFirst(spot) ? Turn::kNow : Turn::kNotYet;
    if (auto begun = TryToBegin(event, invocation, turn)) {
      line_.Leave(spot);
      co_return std::move(*begun);
    }
    co_await line_.Wait(spot, std::min(back_off, TimeLeft(event)));
    back_off = std::min(back_off * 2, kLongestBackOff);
  }
}

std::optional<EventQueue::Begun> EventQueue::TryToBegin(
    const StoredEvent& event, const std::shared_ptr<Invocation>& invocation, Turn turn) {
  using Next = Attempted::Next;
  const auto refuse = [](Next next, std::string_view condition = {}) {
    return Begun{.refused = Attempted{.next = next, .end = {.condition = condition}},
                 .version = {}};
  };
  if (stopping_) return refuse(Next::kStopped);
  const auto record = parts_.registry.Find(event.function);
  const auto target = record ? FindTarget(record, event.qualifier) : std::nullopt;
  if (!target) {
    parts_.log.Write(LogLevel::kWarn, "service", "event {} is dropped: function {} is gone",
                     event.request_id, event.function);
    return refuse(Next::kForget);
  }
  if (TimeLeft(event) == std::chrono::milliseconds{0}) {
    parts_.log.Write(LogLevel::kWarn, "service", "event {} of function {} is dropped: too old",
                     event.request_id, event.function);
    return refuse(Next::kEnd, kTooOld);
  }
  if (record->reserved_concurrency == 0) return refuse(Next::kEnd, "ZeroReservedConcurrency");
  if (turn == Turn::kNotYet) return std::nullopt;
  std::string version = ChooseVersion(*target, parts_.random).version;
  const auto submitted = parts_.scheduler.Submit(event.function, version, invocation);
  if (submitted) return Begun{.refused = {}, .version = std::move(version)};
  if (submitted.error().kind == ApiErrorKind::kTooManyRequests) return std::nullopt;
  return refuse(Next::kStopped);
}

EventQueue::Attempted EventQueue::Judge(StoredEvent& event, InvokeOutcome outcome,
                                        const std::string& version) const {
  using Next = Attempted::Next;
  const bool good = outcome.kind == InvokeOutcome::Kind::kResponse;
  if (!good && stopping_) return {.next = Next::kStopped};
  if (outcome.kind == InvokeOutcome::Kind::kServiceError) {
    parts_.log.Write(LogLevel::kWarn, "service", "event {} of function {} will be tried again: {}",
                     event.request_id, event.function, outcome.payload);
    return {.next = Next::kDefer};
  }
  ++event.attempts;
  const bool last = static_cast<std::size_t>(event.attempts) >= MostAttempts(event);
  if (!good) {
    parts_.log.Write(LogLevel::kWarn, "service", "event {} of function {} failed{}: {}",
                     event.request_id, event.function,
                     last ? " for the last time" : ", and will be tried again", outcome.payload);
  }
  return {.next = !good && !last ? Next::kRetry : Next::kEnd,
          .end = {.condition = good ? "Success" : "RetriesExhausted",
                  .outcome = std::move(outcome),
                  .version = version}};
}

awaitable<void> EventQueue::Finish(const StoredEvent& event, const EventEnd& end) {
  const EventInvokeConfig config = ConfigOf(event);
  const auto now = parts_.clock.WallNow();
  const bool good = end.condition == "Success";
  const std::string& destination = good ? config.on_success : config.on_failure;
  if (!destination.empty()) {
    const std::string record = DestinationRecord(event, end, parts_.place, now);
    co_await Send(event, destination, record, record);
  }
  if (good) co_return;
  const auto record = parts_.registry.Find(event.function);
  const auto target = record ? FindTarget(record, event.qualifier) : std::nullopt;
  if (!target || target->config->dead_letter_arn.empty()) co_return;
  const std::string line = DeadLetterRecord(event, end, now);
  co_await Send(event, target->config->dead_letter_arn, event.payload, line);
}

awaitable<void> EventQueue::Send(const StoredEvent& event, const std::string& arn,
                                 const std::string& payload, const std::string& line) {
  const auto named = ParseFunctionName(arn, parts_.place);
  if (named && parts_.registry.Find(named->name)) {
    StoredEvent next;
    next.request_id = NewUuid(parts_.random);
    next.function = named->name;
    next.qualifier = named->qualifier;
    next.payload = payload;
    next.trace_id = event.trace_id;
    const auto accepted = co_await Accept(std::move(next));
    if (accepted) co_return;
  }
  const auto written =
      co_await Offload(parts_.workers, [&] { return parts_.store.AppendToDestination(arn, line); });
  if (written) co_return;
  parts_.log.Write(LogLevel::kError, "service", "what became of event {} is not kept for {}: {}",
                   event.request_id, arn, written.error().message);
}

std::chrono::milliseconds EventQueue::RetryDelay(const StoredEvent& event) const {
  return retry_delays_[static_cast<std::size_t>(event.attempts - 1)];
}

std::chrono::milliseconds EventQueue::TimeLeft(const StoredEvent& event) const {
  const auto asked = ConfigOf(event).max_age_seconds;
  const std::chrono::milliseconds oldest = asked ? std::chrono::seconds{*asked} : kOldest;
  const std::chrono::milliseconds age{EpochMilliseconds(parts_.clock.WallNow()) -
                                      event.accepted_ms};
  // Its last moment counts.
  return std::max(oldest - age + std::chrono::milliseconds{1}, std::chrono::milliseconds{0});
}

awaitable<void> EventQueue::Sleep(std::chrono::milliseconds time) {
  const auto wake = std::make_shared<Wake>();
  if (stopping_) co_return;
  sleeping_.insert(wake);
  auto timer = parts_.timers.After(time, [weak = std::weak_ptr(wake)] {
    if (const auto due = weak.lock()) due->Set(true);
  });
  co_await wake->Wait();
  parts_.timers.Cancel(timer);
  sleeping_.erase(wake);
}

void EventQueue::Stop() {
  stopping_ = true;
  for (const auto& wake : sleeping_) wake->Set(false);
  line_.Stop();
}

}  // namespace kelvin::service
