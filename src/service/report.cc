#include "service/report.h"

#include <algorithm>
#include <cctype>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/time_format.h"

namespace kelvin::service {
namespace {

namespace json = boost::json;

// Figures are given to a hundredth of a millisecond, and billed as given.
std::int64_t Hundredths(Nanoseconds duration) {
  return (duration.count() + 5'000) / 10'000;
}

// What nobody is billed for is told more precisely.
double PreciseMilliseconds(Nanoseconds duration) {
  return static_cast<double>((duration.count() + 500) / 1'000) / 1'000.0;
}

double Milliseconds(Nanoseconds duration) {
  return static_cast<double>(Hundredths(duration)) / 100.0;
}

std::string_view StatusName(RunStatus status) {
  switch (status) {
    case RunStatus::kSuccess:
      return "success";
    case RunStatus::kFailure:
      return "failure";
    case RunStatus::kError:
      return "error";
    case RunStatus::kTimeout:
      return "timeout";
  }
  return "error";
}

// Text lines say nothing of an error that the function answered with: it did answer.
bool IsPlatformFailure(RunStatus status) {
  return status == RunStatus::kError || status == RunStatus::kTimeout;
}

std::string_view PhaseName(InitPhase phase) {
  return phase == InitPhase::kInit ? "init" : "invoke";
}

std::int64_t Megabytes(std::uint64_t bytes, int memory_mb) {
  const auto rounded = static_cast<std::int64_t>((bytes + (1 << 20) - 1) >> 20);
  return std::clamp<std::int64_t>(rounded, 1, memory_mb);
}

std::string Document(Clock::WallTime now, std::string_view type, json::object record) {
  return json::serialize(
      json::object{{"time", FormatIso8601(now)}, {"type", type}, {"record", std::move(record)}});
}

void AddStatus(json::object& record, RunStatus status, std::string_view error_type) {
  record["status"] = StatusName(status);
  if (!error_type.empty()) record["errorType"] = error_type;
}

std::string TextStatus(RunStatus status, std::string_view error_type) {
  std::string text = fmt::format("Status: {}", StatusName(status));
  if (!error_type.empty()) text += fmt::format("\tError Type: {}", error_type);
  return text;
}

// The value of `key` in "Root=...;Parent=...;Sampled=1".
std::string_view TraceField(std::string_view trace, std::string_view key) {
  while (!trace.empty()) {
    const auto end = std::min(trace.find(';'), trace.size());
    const auto field = trace.substr(0, end);
    if (field.starts_with(key)) return field.substr(key.size());
    trace.remove_prefix(std::min(end + 1, trace.size()));
  }
  return {};
}

// Of a trace that is sampled. No segments are kept here: the id of this one is any that no other
// invoke has.
void AddTracing(json::object& record, std::string_view request_id, std::string_view trace_id) {
  if (TraceField(trace_id, "Sampled=") != "1") return;
  std::string span_id(request_id);
  std::erase(span_id, '-');
  record["tracing"] = json::object{{"spanId", std::string_view(span_id).substr(0, 16)},
                                   {"type", "X-Amzn-Trace-Id"},
                                   {"value", trace_id}};
}

void AddSpans(json::object& record, const std::vector<Span>& spans) {
  if (spans.empty()) return;
  json::array list;
  for (const Span& span : spans) {
    list.push_back({{"name", span.name},
                    {"start", FormatIso8601(span.start)},
                    {"durationMs", PreciseMilliseconds(span.duration)}});
  }
  record["spans"] = std::move(list);
}

// As the stream's, with the function's name: "2025/01/07/name[$LATEST]hex".
std::string InstanceId(std::string_view log_stream, std::string_view function) {
  std::string id(log_stream);
  const auto bracket = id.find('[');
  if (bracket != id.npos) id.insert(bracket, function);
  return id;
}

}  // namespace

std::int64_t BilledMilliseconds(Nanoseconds duration, std::optional<Nanoseconds> init_duration) {
  const std::int64_t hundredths =
      Hundredths(duration) + Hundredths(init_duration.value_or(Nanoseconds{0}));
  return std::max<std::int64_t>(1, (hundredths + 99) / 100);
}

PlatformLines::PlatformLines(const FunctionConfig& config, const Place& place,
                             std::string_view initialization, std::string_view log_stream)
    : format_(config.log_format),
      function_name_(config.name),
      function_version_(config.version),
      instance_id_(InstanceId(log_stream, config.name)),
      instance_memory_bytes_(std::int64_t{config.memory_mb} << 20),
      initialization_(initialization),
      runtime_version_(fmt::format("{}:kelvin", config.runtime)),
      runtime_version_arn_(fmt::format("arn:aws:lambda:{}::runtime:kelvin", place.region)) {
  if (config.system_log_level == "DEBUG") threshold_ = Level::kDebug;
  if (config.system_log_level == "WARN") threshold_ = Level::kWarn;
}

std::string PlatformLines::InitStart(Clock::WallTime now) const {
  if (format_ == LogFormat::kText) {
    return fmt::format("INIT_START Runtime Version: {}\tRuntime Version ARN: {}", runtime_version_,
                       runtime_version_arn_);
  }
  if (!Shows(Level::kInfo)) return {};
  return Document(now, "platform.initStart", InitStartRecord(InitPhase::kInit));
}

json::object PlatformLines::InitStartRecord(InitPhase phase) const {
  return {{"initializationType", initialization_},
          {"phase", PhaseName(phase)},
          {"runtimeVersion", runtime_version_},
          {"runtimeVersionArn", runtime_version_arn_},
          {"functionName", function_name_},
          {"functionVersion", function_version_},
          {"instanceId", instance_id_},
          {"instanceMaxMemory", instance_memory_bytes_}};
}

std::string PlatformLines::InitDone(Clock::WallTime now, const InitReport& report) const {
  const bool failed = report.status != RunStatus::kSuccess;
  if (format_ == LogFormat::kText) {
    if (!failed) return {};
    return fmt::format("INIT_REPORT Init Duration: {:.2f} ms\tPhase: {}\t{}",
                       Milliseconds(report.duration), PhaseName(report.phase),
                       TextStatus(report.status, report.error_type));
  }
  const Level level = failed ? Level::kWarn : Level::kDebug;
  if (!Shows(level)) return {};
  return Document(now, "platform.initRuntimeDone", InitRuntimeDoneRecord(report)) + "\n" +
         Document(now, "platform.initReport", InitReportRecord(report));
}

json::object PlatformLines::InitRuntimeDoneRecord(const InitReport& report) const {
  json::object done{{"initializationType", initialization_}, {"phase", PhaseName(report.phase)}};
  AddStatus(done, report.status, report.error_type);
  return done;
}

json::object PlatformLines::InitReportRecord(const InitReport& report) const {
  json::object record = InitRuntimeDoneRecord(report);
  record["metrics"] = json::object{{"durationMs", PreciseMilliseconds(report.duration)}};
  return record;
}

std::string PlatformLines::Extension(Clock::WallTime now, const Extensions::Status& status) const {
  if (format_ == LogFormat::kJson) {
    if (!Shows(Level::kInfo)) return {};
    return Document(now, "platform.extension", ExtensionRecord(status));
  }
  std::string line = fmt::format("EXTENSION\tName: {}\tState: {}\tEvents: [{}]", status.name,
                                 NameOf(status.state), fmt::join(status.events, ","));
  if (!status.error_type.empty()) line += "\tError Type: " + status.error_type;
  return line;
}

json::object PlatformLines::ExtensionRecord(const Extensions::Status& status) {
  json::array events;
  for (const std::string& event : status.events) events.emplace_back(event);
  json::object record{
      {"name", status.name}, {"state", NameOf(status.state)}, {"events", std::move(events)}};
  if (!status.error_type.empty()) record["errorType"] = status.error_type;
  return record;
}

std::string PlatformLines::Subscribed(Clock::WallTime now, std::string_view extension,
                                      const Subscription& subscription, TelemetryApi api) const {
  const bool logs = api == TelemetryApi::kLogs;
  json::array types;
  std::string names;
  for (const TelemetryKind kind : subscription.kinds) {
    types.emplace_back(NameOf(kind));
    std::string name(NameOf(kind));
    name.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(name.front())));
    names += (names.empty() ? "" : ", ") + name;
  }
  if (format_ == LogFormat::kText) {
    return fmt::format("{}\tName: {}\tState: Subscribed\tTypes: [{}]", logs ? "LOGS" : "TELEMETRY",
                       extension, names);
  }
  if (!Shows(Level::kInfo)) return {};
  return Document(now, logs ? "platform.logsSubscription" : "platform.telemetrySubscription",
                  {{"name", extension}, {"state", "Subscribed"}, {"types", std::move(types)}});
}

std::string PlatformLines::Start(Clock::WallTime now, std::string_view request_id,
                                 std::string_view trace_id) const {
  if (format_ == LogFormat::kText) {
    return fmt::format("START RequestId: {} Version: {}", request_id, function_version_);
  }
  if (!Shows(Level::kInfo)) return {};
  return Document(now, "platform.start", StartRecord(request_id, trace_id));
}

json::object PlatformLines::StartRecord(std::string_view request_id,
                                        std::string_view trace_id) const {
  json::object record{{"requestId", request_id}, {"version", function_version_}};
  AddTracing(record, request_id, trace_id);
  return record;
}

std::string PlatformLines::End(Clock::WallTime now, const InvokeReport& report) const {
  if (format_ == LogFormat::kText) return fmt::format("END RequestId: {}", report.request_id);
  if (!Shows(report.status == RunStatus::kSuccess ? Level::kDebug : Level::kWarn)) return {};
  return Document(now, "platform.runtimeDone", RuntimeDoneRecord(report));
}

json::object PlatformLines::RuntimeDoneRecord(const InvokeReport& report) const {
  json::object record{{"requestId", report.request_id}};
  AddStatus(record, report.status, report.error_type);
  AddTracing(record, report.request_id, report.trace_id);
  AddSpans(record, report.runtime_spans);
  record["metrics"] = json::object{{"durationMs", PreciseMilliseconds(report.duration)},
                                   {"producedBytes", report.produced_bytes}};
  return record;
}

json::object PlatformLines::EndRecord(const InvokeReport& report) {
  return {{"requestId", report.request_id}};
}

json::object PlatformLines::ReportRecord(const InvokeReport& report) const {
  json::object metrics{
      {"durationMs", Milliseconds(report.duration)},
      {"billedDurationMs", BilledMilliseconds(report.duration, report.init_duration)},
      {"memorySizeMB", report.memory_mb},
      {"maxMemoryUsedMB", Megabytes(report.peak_memory_bytes, report.memory_mb)}};
  if (report.init_duration) metrics["initDurationMs"] = Milliseconds(*report.init_duration);
  json::object record{{"requestId", report.request_id}, {"metrics", std::move(metrics)}};
  AddStatus(record, report.status, report.error_type);
  AddTracing(record, report.request_id, report.trace_id);
  AddSpans(record, report.platform_spans);
  return record;
}

std::string PlatformLines::Report(Clock::WallTime now, const InvokeReport& report) const {
  const std::int64_t billed = BilledMilliseconds(report.duration, report.init_duration);
  const std::int64_t peak = Megabytes(report.peak_memory_bytes, report.memory_mb);
  if (format_ == LogFormat::kJson) {
    if (!Shows(report.status == RunStatus::kSuccess ? Level::kInfo : Level::kWarn)) return {};
    return Document(now, "platform.report", ReportRecord(report));
  }
  std::string line = fmt::format(
      "REPORT RequestId: {}\tDuration: {:.2f} ms\tBilled Duration: {} ms\tMemory Size: {} MB\t"
      "Max Memory Used: {} MB\t",
      report.request_id, Milliseconds(report.duration), billed, report.memory_mb, peak);
  if (report.init_duration) {
    line += fmt::format("Init Duration: {:.2f} ms\t", Milliseconds(*report.init_duration));
  }
  if (IsPlatformFailure(report.status)) line += TextStatus(report.status, report.error_type);
  if (TraceField(report.trace_id, "Sampled=") == "1") {
    line +=
        fmt::format("\nXRAY TraceId: {}\tSegmentId: {}\tSampled: true\t",
                    TraceField(report.trace_id, "Root="), TraceField(report.trace_id, "Parent="));
  }
  return line;
}

}  // namespace kelvin::service
