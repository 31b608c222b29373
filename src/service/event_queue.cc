#include "service/event_queue.h"

#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "service/offload.h"

namespace kelvin::service {

using boost::asio::awaitable;

namespace {

constexpr std::chrono::hours kOldest{6};
// Between attempts to run an event while the account is at its limit of concurrency.
constexpr std::chrono::milliseconds kThrottleDelay{1000};

std::int64_t EpochMilliseconds(Clock::WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

std::shared_ptr<Invocation> InvocationOf(const StoredEvent& event, const Place& place) {
  auto invocation = std::make_shared<Invocation>();
  invocation->event = std::make_shared<RuntimeEvent>();
  invocation->event->request_id = event.request_id;
  invocation->event->payload = event.payload;
  invocation->event->function_arn = FunctionArn(place, event.function);
  invocation->event->trace_id = event.trace_id;
  invocation->event->client_context = event.client_context;
  return invocation;
}

}  // namespace

EventQueue::EventQueue(const Parts& parts, std::vector<std::chrono::milliseconds> retry_delays)
    : parts_(parts), retry_delays_(std::move(retry_delays)) {}

EventQueue::~EventQueue() {
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
  boost::asio::co_spawn(parts_.executor, Process(std::move(event)), boost::asio::detached);
}

awaitable<void> EventQueue::Process(StoredEvent event) {
  for (;;) {
    const Next next = co_await Attempt(event);
    if (next == Next::kStopped) break;
    if (next == Next::kDone) {
      const auto removed = co_await Offload(
          parts_.workers, [&] { return parts_.store.RemoveEvent(event.request_id); });
      if (!removed) {
        parts_.log.Write(LogLevel::kWarn, "service", "event {} may run again: {}", event.request_id,
                         removed.error().message);
      }
      break;
    }
    const auto delay = retry_delays_[static_cast<std::size_t>(event.attempts - 1)];
    // Best effort: without it a restart only makes an attempt too many.
    (void)co_await Offload(parts_.workers, [&] { return parts_.store.PutEvent(event); });
    co_await Sleep(delay);
  }
  --active_;
}

// Runs the event once, waiting as long as the account's concurrency does not let it.
awaitable<EventQueue::Next> EventQueue::Attempt(StoredEvent& event) {
  const auto invocation = InvocationOf(event, parts_.place);
  for (;;) {
    if (stopping_) co_return Next::kStopped;
    if (IsTooOld(event)) {
      parts_.log.Write(LogLevel::kWarn, "service", "event {} of function {} is dropped: too old",
                       event.request_id, event.function);
      co_return Next::kDone;
    }
    const auto submitted = parts_.scheduler.Submit(event.function, invocation);
    if (submitted) break;
    if (submitted.error().kind != ApiErrorKind::kTooManyRequests) {
      parts_.log.Write(LogLevel::kWarn, "service", "event {} is dropped: {}", event.request_id,
                       submitted.error().message);
      co_return Next::kDone;
    }
    co_await Sleep(kThrottleDelay);
  }
  const InvokeOutcome outcome = co_await invocation->outcome.Wait();
  if (outcome.kind == InvokeOutcome::Kind::kResponse) co_return Next::kDone;
  if (stopping_) co_return Next::kStopped;
  ++event.attempts;
  const bool last = static_cast<std::size_t>(event.attempts) > retry_delays_.size();
  parts_.log.Write(LogLevel::kWarn, "service", "event {} of function {} failed{}: {}",
                   event.request_id, event.function,
                   last ? " for the last time" : ", and will be tried again", outcome.payload);
  co_return last ? Next::kDone : Next::kRetry;
}

bool EventQueue::IsTooOld(const StoredEvent& event) const {
  const auto age = EpochMilliseconds(parts_.clock.WallNow()) - event.accepted_ms;
  return age > std::chrono::milliseconds(kOldest).count();
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
}

}  // namespace kelvin::service
