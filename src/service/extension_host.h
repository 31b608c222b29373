#pragma once

#include <expected>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/json/object.hpp>

#include "base/file.h"
#include "base/ids.h"
#include "sandbox/sandbox.h"
#include "service/environment_variables.h"
#include "service/extensions.h"
#include "service/failure.h"
#include "service/log_stream.h"
#include "service/output_reader.h"
#include "service/report.h"
#include "service/runtime_api.h"
#include "service/telemetry.h"

namespace kelvin::service {

// All that an environment has to do with extensions: their programs, their API, their output and
// the telemetry for them. The environment says when an init or an invoke begins and ends. Used
// from the executor's thread.
class ExtensionHost final : private Extensions::Observer {
 public:
  // Told within a call of an extension; must not destroy the host.
  class Observer {
   public:
    virtual ~Observer() = default;
    // The external ones have all registered.
    virtual void OnExtensionsRegistered() = 0;
    // One is done with what it had.
    virtual void OnExtensionReady() = 0;
    // They printed something.
    virtual void OnExtensionOutput() = 0;
  };
  // All of it outlives the object.
  struct Parts {
    boost::asio::any_io_executor executor;
    TelemetrySender& sender;
    Timers& timers;
    const Clock& clock;
    Random& random;
    LogStream& logs;
    const PlatformLines& lines;
  };

  ExtensionHost(const Parts& parts, Observer& observer, const FunctionConfig& config,
                std::string account_id);

  // The programs in the layers' folder, which sees what `environment` says of the function's.
  void Find(const std::filesystem::path& layers, const EnvironmentVariables& environment);
  void MountOn(RuntimeApi& api);

  // New processes begin; forgets the old.
  void Begin();
  // Starts the external ones; the failure of the first that cannot.
  std::optional<Failure> Start(sandbox::Sandbox& sandbox);
  // The runtime has asked for its first work.
  void CloseRegistration() { api_.CloseRegistration(); }
  // The init is over, well or not: says how each of them stands.
  void EndInit();
  void Drain();

  // Of one that ended: why.
  Failure Exited(const sandbox::ExitStatus& status);

  Extensions& api() { return api_; }
  const Extensions& api() const { return api_; }
  bool any_external() const { return !names_.empty(); }
  bool any_running() const { return !running_.empty(); }

  bool wants_telemetry() const { return telemetry_.wanted(); }
  // `record` is only made when somebody wants it.
  template <typename Record>
  void Tell(std::string_view type, Record record) {
    if (telemetry_.wanted()) telemetry_.Emit(TelemetryKind::kPlatform, type, record());
  }
  void FlushTelemetry() { telemetry_.Flush(); }

 private:
  void OnRegistered() override;
  void WatchLines();
  void OnReady() override { observer_.OnExtensionReady(); }
  http::Response Subscribe(const http::Request& request, TelemetryApi api);

  Parts parts_;
  Observer& observer_;
  const LogFormat log_format_;
  Extensions api_;
  Telemetry telemetry_;
  std::vector<std::string> names_;
  EnvironmentVariables environment_;
  std::set<std::string> running_;
  UniqueFd output_;
  UniqueFd output_writer_;
  std::unique_ptr<OutputReader> reader_;
};

}  // namespace kelvin::service
