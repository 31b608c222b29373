#pragma once

#include <chrono>
#include <expected>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "base/clock.h"
#include "base/ids.h"
#include "base/log.h"
#include "sandbox/sandbox.h"
#include "service/extension_host.h"
#include "service/failure.h"
#include "service/function_config.h"
#include "service/function_logs.h"
#include "service/log_stream.h"
#include "service/managed_runtimes.h"
#include "service/metrics.h"
#include "service/one_shot.h"
#include "service/output_reader.h"
#include "service/report.h"
#include "service/runtime_api.h"
#include "service/runtime_listener.h"
#include "service/timers.h"

namespace kelvin::service {

// What the caller of an invoke sees.
struct InvokeOutcome {
  enum class Kind { kResponse, kFunctionError, kServiceError };
  Kind kind = Kind::kResponse;
  std::string payload = {};   // with kServiceError: a message
  std::string log_tail = {};  // when it was asked for
};

enum class LogTail { kNo, kYes };

// One event on its way through an environment.
struct Invocation {
  std::shared_ptr<RuntimeEvent> event;  // its deadline is set when it runs
  LogTail tail = LogTail::kNo;
  // Where a streamed response goes, for a caller that takes it as it comes; finished before the
  // outcome is set.
  std::shared_ptr<ResponsePipe> pipe = {};
  OneShot<InvokeOutcome> outcome;
};

// What environments share; all of it outlives them.
struct EnvironmentParts {
  boost::asio::any_io_executor executor;
  sandbox::Sandboxes& sandboxes;
  RuntimeListeners& listeners;
  Timers& timers;
  const Clock& clock;
  Random& random;
  Log& log;
  Metrics& metrics;
  FunctionLogs& logs;
  TelemetrySender& telemetry;
};

// Where what a function is made of lies unpacked.
struct FunctionFolders {
  std::filesystem::path code;
  std::filesystem::path layers = {};  // merged; empty without any
};

enum class Initialization { kOnDemand, kProvisioned };

// What an environment runs.
struct EnvironmentSpec {
  std::shared_ptr<const FunctionConfig> config;
  FunctionFolders folders;
  Initialization initialization = Initialization::kOnDemand;
};

struct EnvironmentOptions {
  Place place;
  std::vector<std::pair<std::string, std::string>> function_environment;
  ManagedRuntimes runtimes = {};
  std::chrono::milliseconds idle_timeout;
  std::chrono::milliseconds freeze_delay;
  std::chrono::milliseconds init_timeout;
  // From SIGTERM to SIGKILL, and the same with external extensions.
  std::chrono::milliseconds shutdown_grace{500};
  std::chrono::milliseconds extension_shutdown_grace{2000};
  std::function<void(std::string_view function, std::string_view line)> function_log = {};
};

// One execution environment of a function: its sandbox, Runtime API, log and life - init, invokes
// one at a time, frozen in between, a new process after a crash or a time-out. Used from the
// executor's thread.
class Environment final : private RuntimeApi::Observer, private ExtensionHost::Observer {
 public:
  // Told what becomes of an environment; must not destroy it within the call.
  class Owner {
   public:
    virtual ~Owner() = default;
    // It can take an invoke: the owner calls Run or Rest.
    virtual void OnAvailable(Environment& environment) = 0;
    // The invoke it was running is over, to its last log line.
    virtual void OnFinished(Environment& environment) = 0;
    // It had nothing to do for the idle time-out.
    virtual void OnIdleTooLong(Environment& environment) = 0;
    // No process of it is left; only destruction remains.
    virtual void OnGone(Environment& environment) = 0;
  };

  // Makes the sandbox and listens for its runtime. The owner outlives it.
  static std::expected<std::unique_ptr<Environment>, Error> Create(
      const EnvironmentParts& parts, const EnvironmentOptions& options, const EnvironmentSpec& spec,
      Owner& owner);
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() override;  // kills what runs, and fails its invoke

  // Starts the init phase; OnAvailable follows, whether it went well or not: an init that failed
  // is tried again within the first invoke.
  void Begin();
  // Only when available.
  void Run(std::shared_ptr<Invocation> invocation);
  void Rest();
  // Ends it after its current invoke; OnGone follows.
  void Retire();
  // Ends it now, whatever it does; OnGone follows.
  void Kill();

  const std::shared_ptr<const FunctionConfig>& config() const { return config_; }
  enum class State {
    kInit,
    kAvailable,
    kBusy,
    kSettling,   // has answered; it or its extensions have not asked for more yet
    kResetting,  // its process is being killed, to be replaced
    kEnding,
    kGone,
  };
  State state() const { return state_; }
  Initialization initialization() const { return initialization_; }
  // It ends after its current invoke.
  bool retiring() const { return retiring_; }
  // Its runtime has asked for work.
  bool is_initialized() const { return process_running_ && !init_; }

 private:
  struct Init {
    InitPhase phase;
    Clock::TimePoint started;
    int number;                     // tells this init from a later one
    bool runtime_ready = false;     // it has asked for work
    std::optional<Failure> posted;  // what the runtime itself said, before it went
  };

  Environment(const EnvironmentParts& parts, const EnvironmentOptions& options,
              const EnvironmentSpec& spec, std::string stream, Owner& owner);

  void OnNext() override;
  void OnDelivered() override;
  void OnResponse(std::string payload) override;
  void OnError(std::string error_type, std::string body) override;
  void OnInitError(std::string error_type, std::string body) override;
  void OnResponseTooLarge() override;
  std::shared_ptr<ResponsePipe> OnStreamBegin(std::string_view content_type) override;
  void OnStreamEnd() override;
  void OnStreamError(std::string error_type, std::string body) override;
  void OnStreamBroken() override;
  void OnExtensionsRegistered() override;
  void OnExtensionReady() override;
  void OnExtensionOutput() override { FlushSoon(); }
  void OnExit(const sandbox::ExitStatus& status);

  void BeginInit(InitPhase phase);
  void StartRuntime();
  void FinishInitIfReady();
  void FinishInit();
  void SayInitDone(const InitReport& report);
  void FailInit(const Failure& failure);
  void OnInitTimeout();
  void OnDeadline();
  void Deliver();
  void Settle(InvokeOutcome outcome, RunStatus status);
  void SettleFailed(Failure failure);
  void FinishIfDone();
  InvokeReport MakeReport(RunStatus status, const Failure* failure) const;
  void AddSpans(InvokeReport& report) const;
  Nanoseconds RunTime() const;
  void Finish(RunStatus status, const Failure* failure);
  void LogFailure(const Failure& failure);
  void BecomeAvailable();
  // Ends its processes and comes back, for Lambda's reason: "timeout", "failure".
  void ReplaceProcesses(std::string_view reason);
  void End();
  void Shutdown(std::string_view reason);
  void ShutdownExtensions();
  void GoOnEnding();
  void KillRest();
  void AwaitLastWords();
  void AwaitLastWords(int turns);
  void FailWhenAllIsHeard(int turns);
  bool nothing_runs() const { return !process_running_ && !extensions_.any_running(); }
  void Gone();
  void Freeze();
  void Thaw();
  void CancelTimers();
  void FlushSoon();
  // In a later turn, unless the init is over by then.
  void FailInitLater(Failure failure);

  EnvironmentParts parts_;
  const EnvironmentOptions& options_;
  std::shared_ptr<const FunctionConfig> config_;
  Initialization initialization_;
  Owner& owner_;
  std::string id_;
  PlatformLines lines_;
  LogStream logs_;
  RuntimeApi api_;
  ExtensionHost extensions_;
  std::unique_ptr<RuntimeListener> listener_;
  std::unique_ptr<sandbox::Sandbox> sandbox_;
  std::unique_ptr<OutputReader> output_;

  State state_ = State::kInit;
  bool process_running_ = false;
  bool frozen_ = false;
  bool retiring_ = false;
  bool dying_ = false;          // what is left of it between invokes is being killed
  bool run_when_gone_ = false;  // an invoke waits for the end of what an earlier one left
  enum class ShutdownStep { kNone, kRuntime, kExtensions } shutdown_step_ = ShutdownStep::kNone;
  std::string_view shutdown_reason_;
  Clock::TimePoint shutdown_deadline_;
  std::optional<Init> init_;  // while an init goes on
  int inits_ = 0;
  std::optional<Failure> exit_failure_;       // of a runtime whose last words may still be unheard
  std::optional<Nanoseconds> init_duration_;  // for the first invoke's report
  Timers::Id phase_timer_;                    // of the init or the invoke that goes on
  Timers::Id idle_timer_;
  Timers::Id flush_timer_;
  Timers::Id unread_timer_;

  std::shared_ptr<Invocation> invocation_;
  Clock::TimePoint invoke_started_;
  std::optional<Clock::TimePoint> responding_;  // when its response began; errors are none
  std::optional<Clock::TimePoint> responded_;
  std::optional<Clock::TimePoint> asked_;      // for more
  bool delivered_ = false;                     // the START line is written
  bool stream_broken_ = false;                 // the response broke off, and nothing more came yet
  StartKind start_ = StartKind::kWarm;         // of the invoke that goes on, or the next
  std::optional<InvokeOutcome> held_outcome_;  // until the log is complete
  RunStatus settled_status_ = RunStatus::kSuccess;
  std::string settled_error_type_;  // with kFailure

  std::shared_ptr<Environment*> self_;
};

}  // namespace kelvin::service
