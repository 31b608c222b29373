#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "base/time_format.h"
#include "service/environment.h"
#include "service/epoch.h"

namespace kelvin::service {
namespace {

// Between two looks at what a process that has ended left to be read, and how many turns of the
// executor bring what it has read already.
constexpr std::chrono::milliseconds kUnreadWait{1};
constexpr int kReadTurns = 2;
// Between a response and the next call: what takes no longer is two processes waking each other,
// and none of the function's work.
constexpr std::chrono::milliseconds kAskingTime{1};

}  // namespace

void Environment::Run(std::shared_ptr<Invocation> invocation) {
  parts_.timers.Cancel(idle_timer_);
  invocation_ = std::move(invocation);
  state_ = State::kBusy;
  delivered_ = false;
  held_outcome_.reset();
  settled_status_ = RunStatus::kSuccess;
  logs_.ClearTail();
  invoke_started_ = parts_.clock.Now();
  responding_.reset();
  responded_.reset();
  asked_.reset();
  const std::chrono::seconds timeout{config_->timeout_seconds};
  invocation_->event->deadline_ms = EpochMilliseconds(parts_.clock.WallNow() + timeout);
  phase_timer_ = parts_.timers.At(invoke_started_ + timeout, [this] { OnDeadline(); });
  // Something of it ended since the last invoke, and the rest is on its way.
  run_when_gone_ = dying_ && !nothing_runs();
  if (!process_running_ || run_when_gone_) start_ = StartKind::kCold;
  if (run_when_gone_) return;
  if (!process_running_) return BeginInit(InitPhase::kInvoke);
  Thaw();
  Deliver();
}

void Environment::Deliver() {
  const RuntimeEvent& event = *invocation_->event;
  logs_.Platform(lines_.Start(parts_.clock.WallNow(), event.request_id, event.trace_id));
  delivered_ = true;
  FlushSoon();
  extensions_.Tell("platform.start",
                   [&] { return lines_.StartRecord(event.request_id, event.trace_id); });
  extensions_.api().Invoke(event);
  api_.Deliver(invocation_->event);
}

// Thawing and the like is not the function's time.
void Environment::OnDelivered() {
  if (invocation_) invoke_started_ = parts_.clock.Now();
}

void Environment::FinishIfDone() {
  const bool done = state_ == State::kSettling && asked_ && extensions_.api().invoke_done();
  if (!done) return;
  Finish(settled_status_, nullptr);
  BecomeAvailable();
}

void Environment::OnResponse(std::string payload) {
  if (!responding_) responding_ = parts_.clock.Now();
  Settle({.payload = std::move(payload)}, RunStatus::kSuccess);
}

void Environment::OnError(std::string error_type, std::string body) {
  SettleFailed(PostedFailure(RunStatus::kFailure, std::move(error_type), std::move(body)));
}

void Environment::OnResponseTooLarge() {
  SettleFailed(ResponseTooLargeFailure());
}

std::shared_ptr<ResponsePipe> Environment::OnStreamBegin(std::string_view content_type) {
  responding_ = parts_.clock.Now();
  const auto pipe = invocation_->pipe;
  if (pipe) {
    pipe->begun = true;
    pipe->content_type = content_type;
  }
  return pipe;
}

void Environment::OnStreamEnd() {
  Settle({}, RunStatus::kSuccess);
}

void Environment::OnStreamError(std::string error_type, std::string body) {
  Failure failure = PostedFailure(RunStatus::kFailure, std::move(error_type), std::move(body));
  if (failure.body && failure.body->empty()) {
    failure.body.reset();
    failure.message = "The response was not streamed to its end.";
  }
  SettleFailed(std::move(failure));
}

// A runtime whose connection breaks has mostly crashed: its exit, which is about to be seen, says
// more than a broken response. One that lives on asks for more, or runs into its time-out.
void Environment::OnStreamBroken() {
  stream_broken_ = true;
  if (exit_failure_) AwaitLastWords();
}

void Environment::SettleFailed(Failure failure) {
  std::string payload = failure.Payload(invocation_->event->request_id);
  settled_error_type_ = std::move(failure.error_type);
  Settle({.kind = InvokeOutcome::Kind::kFunctionError, .payload = std::move(payload)},
         failure.status);
}

void Environment::Settle(InvokeOutcome outcome, RunStatus status) {
  responded_ = parts_.clock.Now();
  state_ = State::kSettling;
  settled_status_ = status;
  if (invocation_->pipe) invocation_->pipe->Finish();
  if (invocation_->tail == LogTail::kYes) {
    held_outcome_ = std::move(outcome);
  } else {
    invocation_->outcome.Set(std::move(outcome));
  }
  if (exit_failure_) AwaitLastWords();
}

void Environment::OnDeadline() {
  const Failure failure = TimeoutFailure(config_->timeout_seconds);
  if (init_) return FailInit(failure);
  Finish(RunStatus::kTimeout, &failure);
  ReplaceProcesses("timeout");
}

// On a busy machine the end of a process is seen before what it sent last: that still counts.
void Environment::AwaitLastWords() {
  AwaitLastWords(kReadTurns);
}

void Environment::AwaitLastWords(int turns) {
  boost::asio::post(parts_.executor, [this, weak = std::weak_ptr(self_), of = invocation_, turns] {
    if (weak.expired() || !exit_failure_ || invocation_ != of) return;
    FailWhenAllIsHeard(turns);
  });
}

void Environment::FailWhenAllIsHeard(int turns) {
  // A stream that has begun ends with its connection, and says so.
  if (api_.state() == RuntimeApi::State::kResponding) return;
  if (listener_->has_unread()) {
    parts_.timers.Cancel(unread_timer_);
    unread_timer_ = parts_.timers.After(kUnreadWait, [this] {
      unread_timer_ = {};
      FailWhenAllIsHeard(kReadTurns);
    });
    return;
  }
  if (turns > 0) return AwaitLastWords(turns - 1);
  const Failure failure = *exit_failure_;
  Finish(RunStatus::kError, &failure);
  ReplaceProcesses("failure");
}

void Environment::LogFailure(const Failure& failure) {
  const std::string& request_id = invocation_->event->request_id;
  if (config_->log_format == LogFormat::kJson || failure.message.empty()) return;
  if (failure.status == RunStatus::kTimeout) {
    logs_.Platform(fmt::format("{} {} {}\n", FormatIso8601(parts_.clock.WallNow()), request_id,
                               failure.message));
  } else {
    logs_.Platform(fmt::format("RequestId: {} Error: {}\n{}", request_id, failure.message,
                               failure.error_type));
  }
}

// What the runtime does between its response and its next call is the function's time, too.
Nanoseconds Environment::RunTime() const {
  const auto now = parts_.clock.Now();
  if (responded_ && now - *responded_ <= kAskingTime) return *responded_ - invoke_started_;
  return now - invoke_started_;
}

// Writes the end of the invoke's log, tells its caller what came of it, unless that has happened,
// and forgets it. `failure` is set when the platform, not the runtime, ended it.
void Environment::Finish(RunStatus status, const Failure* failure) {
  parts_.timers.Cancel(phase_timer_);
  stream_broken_ = false;
  run_when_gone_ = false;
  exit_failure_.reset();
  parts_.timers.Cancel(unread_timer_);
  // What the runtime still sends is about an invoke that is over.
  if (failure != nullptr) api_.Reset();
  output_->Drain();
  extensions_.Drain();
  logs_.EndOutput();
  const RuntimeEvent& event = *invocation_->event;
  const auto now = parts_.clock.WallNow();
  if (!delivered_) logs_.Platform(lines_.Start(now, event.request_id, event.trace_id));
  if (failure != nullptr) LogFailure(*failure);
  InvokeReport report = MakeReport(status, failure);
  report.init_duration = std::exchange(init_duration_, std::nullopt);
  report.peak_memory_bytes = sandbox_->PeakMemoryBytes();
  if (!asked_) {
    extensions_.Tell("platform.runtimeDone", [&] { return lines_.RuntimeDoneRecord(report); });
  }
  parts_.metrics.CountInvoke(config_->name, config_->version, report,
                             std::exchange(start_, StartKind::kWarm));
  logs_.Platform(lines_.End(now, report));
  logs_.Platform(lines_.Report(now, report));
  extensions_.Tell("platform.end", [&] { return PlatformLines::EndRecord(report); });
  extensions_.Tell("platform.report", [&] { return lines_.ReportRecord(report); });
  InvokeOutcome outcome;
  if (held_outcome_) {
    outcome = std::move(*held_outcome_);
  } else if (failure != nullptr) {
    outcome.kind = InvokeOutcome::Kind::kFunctionError;
    outcome.payload = failure->Payload(event.request_id);
  }
  if (invocation_->tail == LogTail::kYes) outcome.log_tail = logs_.Tail();
  if (invocation_->pipe) invocation_->pipe->Finish();
  invocation_->outcome.Set(std::move(outcome));
  invocation_.reset();
  FlushSoon();
  owner_.OnFinished(*this);
}

InvokeReport Environment::MakeReport(RunStatus status, const Failure* failure) const {
  const RuntimeEvent& event = *invocation_->event;
  InvokeReport report{.request_id = event.request_id,
                      .duration = RunTime(),
                      .memory_mb = config_->memory_mb,
                      .status = status,
                      .trace_id = event.trace_id,
                      .produced_bytes = delivered_ ? api_.response_bytes() : 0};
  if (status == RunStatus::kTimeout)
    report.duration = std::chrono::seconds(config_->timeout_seconds);
  if (status == RunStatus::kError && failure != nullptr) report.error_type = failure->error_type;
  if (status == RunStatus::kFailure) report.error_type = settled_error_type_;
  if (config_->log_format == LogFormat::kJson || extensions_.wants_telemetry()) AddSpans(report);
  return report;
}

void Environment::AddSpans(InvokeReport& report) const {
  if (!responding_ || !responded_) return;
  const auto now = parts_.clock.Now();
  const auto wall_now = parts_.clock.WallNow();
  const auto span = [&](std::string_view name, Clock::TimePoint from, Clock::TimePoint to) {
    const auto ago = std::chrono::duration_cast<Clock::WallTime::duration>(now - from);
    return Span{name, wall_now - ago, to - from};
  };
  report.runtime_spans = {span("responseLatency", invoke_started_, *responding_),
                          span("responseDuration", *responding_, *responded_)};
  if (!asked_) return;
  report.runtime_spans.push_back(span("runtimeOverhead", *responded_, *asked_));
  if (extensions_.api().empty()) return;
  report.platform_spans = {span("extensionOverhead", *asked_, now)};
}

}  // namespace kelvin::service
