#include <utility>

#include "service/environment.h"
#include "service/epoch.h"

namespace kelvin::service {
namespace {

// Of the time for a shutdown, what the runtime has before the extensions' turn.
constexpr int kRuntimeTenths = 3;

}  // namespace

void Environment::ReplaceProcesses(std::string_view reason) {
  if (nothing_runs()) return BecomeAvailable();
  state_ = State::kResetting;
  if (!extensions_.api().empty()) return Shutdown(reason);
  Thaw();
  sandbox_->Kill();
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

}  // namespace kelvin::service
