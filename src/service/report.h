#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "base/clock.h"
#include "service/extension_request.h"
#include "service/extensions.h"
#include "service/function_config.h"

namespace kelvin::service {

using Nanoseconds = std::chrono::nanoseconds;

enum class RunStatus {
  kSuccess,
  kFailure,  // the function answered with an error of its own
  kError,    // the process crashed, could not start, or broke a rule
  kTimeout,
};

enum class InitPhase { kInit, kInvoke };

// A part of an invoke's time, by Lambda's name for it.
struct Span {
  std::string_view name;
  Clock::WallTime start;
  Nanoseconds duration{};
};

// What one invoke came to.
struct InvokeReport {
  std::string_view request_id;
  Nanoseconds duration{};
  std::optional<Nanoseconds> init_duration = {};  // of the environment's first invoke
  int memory_mb = 0;
  std::uint64_t peak_memory_bytes = 0;
  RunStatus status = RunStatus::kSuccess;
  std::string_view error_type = {};  // with kFailure and kError
  std::string_view trace_id = {};    // an X-Amzn-Trace-Id; adds the XRAY line when it is sampled
  std::size_t produced_bytes = 0;
  std::vector<Span> runtime_spans = {};   // within platform.runtimeDone
  std::vector<Span> platform_spans = {};  // within platform.report
};

// What one init came to.
struct InitReport {
  Nanoseconds duration{};
  InitPhase phase = InitPhase::kInit;
  RunStatus status = RunStatus::kSuccess;
  std::string_view error_type = {};
};

// The platform's lines in a function's log, without their newline, as Lambda writes them: text, or
// JSON documents, of which the function's system log level lets some through. An empty string is
// nothing to write.
class PlatformLines {
 public:
  PlatformLines(const FunctionConfig& config, const Place& place,
                std::string_view initialization = "on-demand", std::string_view log_stream = {});

  std::string InitStart(Clock::WallTime now) const;
  // Text has a line for an init that failed only.
  std::string InitDone(Clock::WallTime now, const InitReport& report) const;
  std::string Start(Clock::WallTime now, std::string_view request_id,
                    std::string_view trace_id) const;
  std::string End(Clock::WallTime now, const InvokeReport& report) const;
  std::string Report(Clock::WallTime now, const InvokeReport& report) const;
  std::string Extension(Clock::WallTime now, const Extensions::Status& status) const;
  std::string Subscribed(Clock::WallTime now, std::string_view extension,
                         const Subscription& subscription, TelemetryApi api) const;

  // What the JSON documents say, which is also what telemetry says.
  boost::json::object InitStartRecord(InitPhase phase) const;
  boost::json::object InitRuntimeDoneRecord(const InitReport& report) const;
  boost::json::object InitReportRecord(const InitReport& report) const;
  boost::json::object StartRecord(std::string_view request_id, std::string_view trace_id) const;
  boost::json::object RuntimeDoneRecord(const InvokeReport& report) const;
  static boost::json::object EndRecord(const InvokeReport& report);
  boost::json::object ReportRecord(const InvokeReport& report) const;
  static boost::json::object ExtensionRecord(const Extensions::Status& status);

 private:
  enum class Level { kDebug, kInfo, kWarn };
  bool Shows(Level level) const { return level >= threshold_; }

  LogFormat format_;
  Level threshold_ = Level::kInfo;
  std::string function_name_;
  std::string function_version_;
  std::string instance_id_;
  std::int64_t instance_memory_bytes_;
  std::string initialization_;
  std::string runtime_version_;
  std::string runtime_version_arn_;
};

// Milliseconds that AWS would bill: the next whole one after Duration and Init Duration, at
// least 1.
std::int64_t BilledMilliseconds(Nanoseconds duration, std::optional<Nanoseconds> init_duration);

}  // namespace kelvin::service
