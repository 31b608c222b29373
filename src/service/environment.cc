#include "service/environment.h"

#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "base/time_format.h"
#include "service/environment_variables.h"

namespace kelvin::service {
namespace {

constexpr std::chrono::milliseconds kFlushDelay{50};
// Of the time for a shutdown, what the runtime has before the extensions' turn.
constexpr int kRuntimeTenths = 3;
// Between two looks at what a process that has ended left to be read, and how many turns of the
// executor bring what it has read already.
constexpr std::chrono::milliseconds kUnreadWait{1};
constexpr int kReadTurns = 2;
// Between a response and the next call: what takes no longer is two processes waking each other,
// and none of the function's work.
constexpr std::chrono::milliseconds kAskingTime{1};

// A sandbox's id names folders and cgroups: short, and unlike any other.
std::string SandboxId(const FunctionConfig& config, Random& random) {
  return fmt::format("{}-{}", config.name.substr(0, 40), NewHex(random, 12));
}

std::string StreamName(Clock::WallTime now, const FunctionConfig& config, Random& random) {
  return fmt::format("{}/[{}]{}", FormatDatePath(now), config.version, NewHex(random, 32));
}

LogStream::Sink SinkFor(const EnvironmentOptions& options, const FunctionConfig& config) {
  if (!options.function_log) return {};
  return
      [&options, name = config.name](std::string_view line) { options.function_log(name, line); };
}

std::string_view InitializationName(Initialization initialization) {
  return initialization == Initialization::kProvisioned ? "provisioned-concurrency" : "on-demand";
}

std::int64_t EpochMilliseconds(Clock::WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

}  // namespace

Environment::Environment(const EnvironmentParts& parts, const EnvironmentOptions& options,
                         const EnvironmentSpec& spec, std::string stream, Owner& owner)
    : parts_(parts),
      options_(options),
      config_(spec.config),
      initialization_(spec.initialization),
      owner_(owner),
      id_(SandboxId(*config_, parts.random)),
      lines_(*config_, options.place, InitializationName(spec.initialization), stream),
      logs_(parts.logs, config_->log_group, std::move(stream), SinkFor(options, *config_),
            parts.clock, parts.log),
      api_(*this),
      extensions_({.executor = parts.executor,
                   .sender = parts.telemetry,
                   .timers = parts.timers,
                   .clock = parts.clock,
                   .random = parts.random,
                   .logs = logs_,
                   .lines = lines_},
                  *this, *config_, options.place.account_id),
      self_(std::make_shared<Environment*>(this)) {}

std::expected<std::unique_ptr<Environment>, Error> Environment::Create(
    const EnvironmentParts& parts, const EnvironmentOptions& options, const EnvironmentSpec& asked,
    Owner& owner) {
  const FunctionConfig& config = *asked.config;
  const std::string stream = StreamName(parts.clock.WallNow(), config, parts.random);
  std::unique_ptr<Environment> made(new Environment(parts, options, asked, stream, owner));
  made->extensions_.MountOn(made->api_);
  auto listener = parts.listeners.Listen(made->api_);
  if (!listener) return std::unexpected(std::move(listener.error()));
  made->listener_ = std::move(*listener);
  sandbox::SandboxSpec spec;
  spec.id = made->id_;
  spec.code = asked.folders.code;
  spec.layers = asked.folders.layers;
  if (const auto runtime = options.runtimes.find(config.runtime);
      runtime != options.runtimes.end()) {
    spec.runtime = runtime->second.runtime;
    spec.language = runtime->second.language;
  }
  spec.environment = FunctionEnvironment(
      config, options.place, options.function_environment,
      {made->listener_->address(), stream, InitializationName(asked.initialization)});
  made->extensions_.Find(spec.layers, spec.environment);
  spec.memory_mb = config.memory_mb;
  spec.tmp_mb = config.tmp_mb;
  auto sandbox = parts.sandboxes.Create(
      spec, [env = made.get()](sandbox::ExitStatus status) { env->OnExit(status); });
  if (!sandbox) return std::unexpected(std::move(sandbox.error()));
  made->sandbox_ = std::move(*sandbox);
  made->output_ = std::make_unique<OutputReader>(parts.executor, made->sandbox_->output_fd(),
                                                 [env = made.get()](std::string_view bytes) {
                                                   env->logs_.Output(bytes);
                                                   env->FlushSoon();
                                                 });
  return made;
}

Environment::~Environment() {
  CancelTimers();
  parts_.timers.Cancel(flush_timer_);
  parts_.timers.Cancel(unread_timer_);
  if (invocation_) {
    if (invocation_->pipe) invocation_->pipe->Finish();
    invocation_->outcome.Set({.kind = InvokeOutcome::Kind::kServiceError,
                              .payload = "The environment of the invoke was ended."});
  }
}

void Environment::Begin() {
  BeginInit(InitPhase::kInit);
}

void Environment::BeginInit(InitPhase phase) {
  init_ = Init{.phase = phase, .started = parts_.clock.Now(), .number = ++inits_, .posted = {}};
  dying_ = false;
  extensions_.Begin();
  if (phase == InitPhase::kInit) {
    state_ = State::kInit;
    logs_.Platform(lines_.InitStart(parts_.clock.WallNow()));
    FlushSoon();
    phase_timer_ = parts_.timers.After(options_.init_timeout, [this] { OnInitTimeout(); });
  }
  extensions_.Tell("platform.initStart", [&] { return lines_.InitStartRecord(phase); });
  api_.Reset();
  sandbox_->SetCpuShare(sandbox::CpuShare::kFull);
  if (!extensions_.any_external()) return StartRuntime();
  if (auto failure = extensions_.Start(*sandbox_)) FailInitLater(std::move(*failure));
}

// Extensions come first: they are to see all of the runtime's life.
void Environment::OnExtensionsRegistered() {
  if (init_ && !process_running_) StartRuntime();
}

void Environment::StartRuntime() {
  auto started = sandbox_->Start();
  if (started) {
    process_running_ = true;
    return;
  }
  parts_.log.Write(LogLevel::kWarn, "service", "function {} cannot start: {}", config_->name,
                   started.error().message);
  // AWS's own words leave the reader to guess; these say what to mend.
  if (config_->log_format == LogFormat::kText) logs_.Platform(started.error().message);
  FailInitLater(StartFailure(started.error()));
}

void Environment::OnExtensionReady() {
  if (init_) return FinishInitIfReady();
  FinishIfDone();
}

void Environment::FinishInitIfReady() {
  if (init_->runtime_ready && extensions_.api().ready()) FinishInit();
}

void Environment::SayInitDone(const InitReport& report) {
  if (!init_->runtime_ready) {
    extensions_.Tell("platform.initRuntimeDone",
                     [&] { return lines_.InitRuntimeDoneRecord(report); });
  }
  extensions_.EndInit();
  logs_.Platform(lines_.InitDone(parts_.clock.WallNow(), report));
  extensions_.Tell("platform.initReport", [&] { return lines_.InitReportRecord(report); });
  init_.reset();
}

void Environment::FinishInit() {
  const Nanoseconds duration = parts_.clock.Now() - init_->started;
  const InitPhase phase = init_->phase;
  parts_.metrics.CountInit(config_->name, config_->version, duration);
  SayInitDone({.duration = duration, .phase = phase});
  sandbox_->SetCpuShare(sandbox::CpuShare::kByMemory);
  if (phase == InitPhase::kInvoke) return Deliver();
  parts_.timers.Cancel(phase_timer_);
  // What was started ahead is paid for otherwise.
  if (initialization_ == Initialization::kOnDemand) {
    init_duration_ = duration;
    start_ = StartKind::kCold;
  }
  BecomeAvailable();
}

void Environment::FailInit(const Failure& failure) {
  if (!init_) return;
  output_->Drain();
  extensions_.Drain();
  const InitReport report{
      .duration = parts_.clock.Now() - init_->started,
      .phase = init_->phase,
      .status = failure.status == RunStatus::kTimeout ? RunStatus::kTimeout : RunStatus::kError,
      .error_type = failure.status == RunStatus::kTimeout ? std::string_view{}
                                                          : std::string_view(failure.error_type)};
  SayInitDone(report);
  FlushSoon();
  if (report.phase == InitPhase::kInvoke) {
    Finish(report.status, &failure);
  } else {
    parts_.timers.Cancel(phase_timer_);
  }
  ReplaceProcesses(failure.status == RunStatus::kTimeout ? "timeout" : "failure");
}

void Environment::OnInitTimeout() {
  FailInit({.status = RunStatus::kTimeout, .error_type = "Sandbox.Timedout"});
}

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

void Environment::OnNext() {
  if (init_) {
    init_->runtime_ready = true;
    extensions_.CloseRegistration();
    extensions_.Tell("platform.initRuntimeDone", [&] {
      return lines_.InitRuntimeDoneRecord({.duration = {}, .phase = init_->phase});
    });
    return FinishInitIfReady();
  }
  if (std::exchange(stream_broken_, false)) OnStreamError("Runtime.TruncatedResponse", {});
  if (state_ != State::kSettling) return;
  asked_ = parts_.clock.Now();
  extensions_.Tell("platform.runtimeDone",
                   [&] { return lines_.RuntimeDoneRecord(MakeReport(settled_status_, nullptr)); });
  FinishIfDone();
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
  const Failure failure =
      PostedFailure(RunStatus::kFailure, std::move(error_type), std::move(body));
  Settle({.kind = InvokeOutcome::Kind::kFunctionError,
          .payload = failure.Payload(invocation_->event->request_id)},
         failure.status);
}

void Environment::OnResponseTooLarge() {
  const Failure failure = ResponseTooLargeFailure();
  Settle({.kind = InvokeOutcome::Kind::kFunctionError,
          .payload = failure.Payload(invocation_->event->request_id)},
         failure.status);
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
  Settle({.kind = InvokeOutcome::Kind::kFunctionError,
          .payload = failure.Payload(invocation_->event->request_id)},
         failure.status);
}

// A runtime whose connection breaks has mostly crashed: its exit, which is about to be seen, says
// more than a broken response. One that lives on asks for more, or runs into its time-out.
void Environment::OnStreamBroken() {
  stream_broken_ = true;
  if (exit_failure_) AwaitLastWords(kReadTurns);
}

void Environment::OnInitError(std::string error_type, std::string body) {
  if (!init_) return;
  init_->posted = PostedFailure(RunStatus::kError, std::move(error_type), std::move(body));
  // Later: the runtime gets its answer before it is killed.
  FailInitLater(*init_->posted);
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
  if (exit_failure_) AwaitLastWords(kReadTurns);
}

void Environment::OnDeadline() {
  const Failure failure = TimeoutFailure(config_->timeout_seconds);
  if (init_) return FailInit(failure);
  Finish(RunStatus::kTimeout, &failure);
  ReplaceProcesses("timeout");
}

void Environment::OnExit(const sandbox::ExitStatus& status) {
  const bool extension = !status.extension.empty();
  Failure failure = extension ? extensions_.Exited(status) : ExitFailure(status);
  if (!extension) {
    process_running_ = false;
    frozen_ = false;
    output_->Drain();
    if (init_ && init_->posted) failure = *init_->posted;
  }
  FlushSoon();
  if (run_when_gone_) {
    if (nothing_runs() && std::exchange(run_when_gone_, false)) BeginInit(InitPhase::kInvoke);
    return;
  }
  if (init_) return FailInit(failure);
  if (exit_failure_) return;
  if (state_ == State::kBusy && !extension) {
    exit_failure_ = std::move(failure);
    return AwaitLastWords(kReadTurns);
  }
  switch (state_) {
    case State::kBusy:
    case State::kSettling:
      Finish(RunStatus::kError, &failure);
      return ReplaceProcesses("failure");
    case State::kResetting:
    case State::kEnding:
      return GoOnEnding();
    default:
      parts_.log.Write(LogLevel::kInfo, "service",
                       "a process of function {} ended between invokes: {}", config_->name,
                       failure.message);
      KillRest();
  }
}

// On a busy machine the end of a process is seen before what it sent last: that still counts.
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

void Environment::ReplaceProcesses(std::string_view reason) {
  if (nothing_runs()) return BecomeAvailable();
  state_ = State::kResetting;
  if (!extensions_.api().empty()) return Shutdown(reason);
  Thaw();
  sandbox_->Kill();
}

void Environment::BecomeAvailable() {
  if (retiring_) return End();
  state_ = State::kAvailable;
  owner_.OnAvailable(*this);
}

void Environment::Rest() {
  idle_timer_ = parts_.timers.After(options_.freeze_delay, [this] { Freeze(); });
}

void Environment::Freeze() {
  if (process_running_) {
    sandbox_->Freeze();
    frozen_ = true;
  }
  idle_timer_ = parts_.timers.After(options_.idle_timeout, [this] { owner_.OnIdleTooLong(*this); });
}

void Environment::Thaw() {
  if (std::exchange(frozen_, false)) sandbox_->Thaw();
}

void Environment::Retire() {
  retiring_ = true;
  if (state_ == State::kAvailable || state_ == State::kInit) End();
}

void Environment::End() {
  CancelTimers();
  init_.reset();
  state_ = State::kEnding;
  if (nothing_runs()) return Gone();
  if (!extensions_.api().empty()) return Shutdown("spindown");
  Thaw();
  sandbox_->Terminate();
  phase_timer_ = parts_.timers.After(options_.shutdown_grace, [this] { sandbox_->Kill(); });
}

// The runtime first, by SIGTERM, then the extensions, by an event; what is left at the end is
// killed.
void Environment::Shutdown(std::string_view reason) {
  Thaw();
  shutdown_reason_ = reason;
  shutdown_step_ = ShutdownStep::kRuntime;
  const bool external = extensions_.any_running();
  const auto grace = external ? options_.extension_shutdown_grace : options_.shutdown_grace;
  shutdown_deadline_ = parts_.clock.Now() + grace;
  if (!process_running_) return ShutdownExtensions();
  phase_timer_ = parts_.timers.After(external ? grace * kRuntimeTenths / 10 : grace,
                                     [this] { ShutdownExtensions(); });
  sandbox_->Terminate();
}

void Environment::ShutdownExtensions() {
  parts_.timers.Cancel(phase_timer_);
  shutdown_step_ = ShutdownStep::kExtensions;
  extensions_.FlushTelemetry();
  const auto left = shutdown_deadline_ - parts_.clock.Now();
  extensions_.api().Shutdown(shutdown_reason_, EpochMilliseconds(parts_.clock.WallNow() + left));
  if (!extensions_.api().awaits_shutdown()) return sandbox_->Kill();
  phase_timer_ = parts_.timers.At(shutdown_deadline_, [this] { sandbox_->Kill(); });
}

// A process of an environment that ends, or of one that begins anew, is gone.
void Environment::GoOnEnding() {
  if (nothing_runs()) {
    parts_.timers.Cancel(phase_timer_);
    shutdown_step_ = ShutdownStep::kNone;
    return state_ == State::kResetting ? BecomeAvailable() : Gone();
  }
  if (shutdown_step_ == ShutdownStep::kRuntime && !process_running_) return ShutdownExtensions();
  const bool rest = shutdown_step_ == ShutdownStep::kExtensions;
  if (rest && !extensions_.api().awaits_shutdown()) sandbox_->Kill();
}

// Half an environment is none.
void Environment::KillRest() {
  if (nothing_runs()) return;
  dying_ = true;
  Thaw();
  sandbox_->Kill();
}

void Environment::Kill() {
  if (state_ == State::kGone) return;
  retiring_ = true;
  if (invocation_) {
    const Failure failure{.error_type = "Runtime.Killed", .message = "The service is stopping"};
    init_.reset();
    Finish(RunStatus::kError, &failure);
  }
  if (state_ != State::kEnding) CancelTimers();
  init_.reset();
  state_ = State::kEnding;
  if (nothing_runs()) return Gone();
  Thaw();
  sandbox_->Kill();
}

void Environment::Gone() {
  if (std::exchange(state_, State::kGone) == State::kGone) return;
  CancelTimers();
  output_->Drain();
  extensions_.Drain();
  logs_.EndOutput();
  logs_.Flush();
  owner_.OnGone(*this);
}

void Environment::CancelTimers() {
  parts_.timers.Cancel(phase_timer_);
  parts_.timers.Cancel(idle_timer_);
}

void Environment::FlushSoon() {
  if (flush_timer_.number != 0) return;
  flush_timer_ = parts_.timers.After(kFlushDelay, [this] {
    flush_timer_ = {};
    logs_.Flush();
  });
}

void Environment::FailInitLater(Failure failure) {
  boost::asio::post(parts_.executor, [this, weak = std::weak_ptr(self_), number = inits_,
                                      failure = std::move(failure)] {
    if (weak.expired() || !init_ || init_->number != number) return;
    FailInit(failure);
  });
}

}  // namespace kelvin::service
