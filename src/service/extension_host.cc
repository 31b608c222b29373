#include "service/extension_host.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include <boost/json.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace kelvin::service {
namespace {

constexpr std::string_view kTelemetryPath = "/2022-07-01/telemetry";
constexpr std::string_view kLogsPath = "/2020-08-15/logs";

// What only the runtime's process sees.
constexpr std::string_view kRuntimeOnly[] = {
    "AWS_EXECUTION_ENV",          "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_XRAY_CONTEXT_MISSING",
    "AWS_XRAY_DAEMON_ADDRESS",    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",           "_AWS_XRAY_DAEMON_ADDRESS",
    "_AWS_XRAY_DAEMON_PORT",      "_HANDLER",
};

http::Response Answer(int status, std::string body) {
  return {status, {{"Content-Type", "application/json"}}, std::move(body)};
}

http::Response Refusal(int status, std::string_view type, std::string_view message) {
  return Answer(status, boost::json::serialize(
                            boost::json::object{{"errorMessage", message}, {"errorType", type}}));
}

boost::asio::awaitable<http::Response> Ready(http::Response response) {
  co_return response;
}

}  // namespace

ExtensionHost::ExtensionHost(const Parts& parts, Observer& observer, const FunctionConfig& config,
                             std::string account_id)
    : parts_(parts),
      observer_(observer),
      log_format_(config.log_format),
      api_(*this, parts.random,
           {config.name, config.version, config.handler, std::move(account_id)}),
      telemetry_({parts.executor, parts.sender, parts.timers, parts.clock}) {}

void ExtensionHost::Find(const std::filesystem::path& layers,
                         const EnvironmentVariables& environment) {
  if (layers.empty()) return;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(layers / "extensions", error)) {
    if (!entry.is_directory(error)) names_.push_back(entry.path().filename().native());
  }
  if (names_.empty()) return;
  std::ranges::sort(names_);
  std::ranges::copy_if(environment, std::back_inserter(environment_), [](const auto& variable) {
    return std::ranges::find(kRuntimeOnly, variable.first) == std::end(kRuntimeOnly);
  });
}

void ExtensionHost::MountOn(RuntimeApi& api) {
  api.Mount(Extensions::kPrefix,
            [this](http::Request request) { return api_.Handle(std::move(request)); });
  api.Mount(kTelemetryPath, [this](http::Request request) {
    return Ready(Subscribe(request, TelemetryApi::kTelemetry));
  });
  api.Mount(kLogsPath, [this](http::Request request) {
    return Ready(Subscribe(request, TelemetryApi::kLogs));
  });
}

void ExtensionHost::Begin() {
  api_.Reset(names_);
  telemetry_.Begin(names_.empty() ? Telemetry::Early::kDropped : Telemetry::Early::kKept);
  parts_.logs.set_tap({});
  if (!names_.empty()) WatchLines();
}

void ExtensionHost::OnRegistered() {
  WatchLines();
  if (any_running() && api_.registered()) observer_.OnExtensionsRegistered();
}

void ExtensionHost::WatchLines() {
  parts_.logs.set_tap([this](LogStream::Source source, std::string_view line) {
    const bool extension = source == LogStream::Source::kExtension;
    telemetry_.EmitLine(extension ? TelemetryKind::kExtension : TelemetryKind::kFunction, line,
                        log_format_);
  });
}

std::optional<Failure> ExtensionHost::Start(sandbox::Sandbox& sandbox) {
  if (!output_writer_.valid()) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      return Failure{.error_type = "Extension.LaunchError",
                     .message = ErrnoError("make a pipe for extensions", errno).message};
    }
    output_.reset(ends[0]);
    output_writer_.reset(ends[1]);
    ::fcntl(output_.get(), F_SETFL, O_NONBLOCK);
    reader_ = std::make_unique<OutputReader>(
        parts_.executor, output_.get(), [this](std::string_view bytes) {
          parts_.logs.Output(bytes, LogStream::Source::kExtension);
          observer_.OnExtensionOutput();
        });
  }
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const std::string& name = names_[i];
    if (i >= Extensions::kMost) {
      api_.LaunchFailed(name, "TooManyExtensions");
      return Failure{.error_type = "Extension.LaunchError", .message = "ErrTooManyExtensions"};
    }
    auto started = sandbox.StartExtension(
        {.name = name, .environment = environment_, .output = output_writer_.get()});
    if (!started) {
      const bool denied = started.error().code == ErrorCode::kPermissionDenied;
      api_.LaunchFailed(name, denied ? "PermissionDenied" : "UnknownError");
      return Failure{.error_type = "Extension.LaunchError",
                     .message = std::move(started.error().message)};
    }
    running_.insert(name);
  }
  return std::nullopt;
}

void ExtensionHost::EndInit() {
  for (const auto& status : api_.statuses()) {
    parts_.logs.Platform(parts_.lines.Extension(parts_.clock.WallNow(), status));
    Tell("platform.extension", [&] { return PlatformLines::ExtensionRecord(status); });
  }
  telemetry_.Close();
}

void ExtensionHost::Drain() {
  if (reader_) reader_->Drain();
}

Failure ExtensionHost::Exited(const sandbox::ExitStatus& status) {
  Drain();
  running_.erase(status.extension);
  const Extensions::State was = api_.Exited(status.extension);
  Failure failure{.error_type = "Extension.Crash", .message = ExitText(status)};
  if (was == Extensions::State::kInitError) failure.error_type = "Extension.InitError";
  if (was == Extensions::State::kExitError) failure.error_type = "Extension.ExitError";
  return failure;
}

http::Response ExtensionHost::Subscribe(const http::Request& request, TelemetryApi api) {
  const bool logs = api == TelemetryApi::kLogs;
  if (request.method != "PUT") return Refusal(405, "MethodNotAllowed", "expected PUT");
  const auto caller = api_.Caller(request);
  if (!caller) return caller.error();
  if (telemetry_.closed()) {
    return Refusal(
        403, logs ? "Logs.SubscriptionClosed" : "Telemetry.SubscriptionClosed",
        fmt::format("{} API subscription is closed already", logs ? "Logs" : "Telemetry"));
  }
  auto subscription = ParseSubscription(request.body, api);
  if (!subscription) return Refusal(400, "ValidationError", subscription.error());
  parts_.logs.Platform(
      parts_.lines.Subscribed(parts_.clock.WallNow(), *caller, *subscription, api));
  telemetry_.Subscribe(*caller, std::move(*subscription), api);
  return Answer(200, "\"OK\"");
}

}  // namespace kelvin::service
