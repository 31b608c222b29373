#include "service/environment.h"

#include <utility>

#include <fmt/format.h>

#include "base/time_format.h"
#include "service/environment_variables.h"

namespace kelvin::service {
namespace {

constexpr std::chrono::milliseconds kFlushDelay{50};

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
    return AwaitLastWords();
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

}  // namespace kelvin::service
