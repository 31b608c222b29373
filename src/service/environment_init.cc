#include <utility>

#include <boost/asio/post.hpp>

#include "service/environment.h"

namespace kelvin::service {

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

void Environment::OnInitError(std::string error_type, std::string body) {
  if (!init_) return;
  init_->posted = PostedFailure(RunStatus::kError, std::move(error_type), std::move(body));
  // Later: the runtime gets its answer before it is killed.
  FailInitLater(*init_->posted);
}

void Environment::FailInitLater(Failure failure) {
  boost::asio::post(parts_.executor, [this, weak = std::weak_ptr(self_), number = inits_,
                                      failure = std::move(failure)] {
    if (weak.expired() || !init_ || init_->number != number) return;
    FailInit(failure);
  });
}

}  // namespace kelvin::service
