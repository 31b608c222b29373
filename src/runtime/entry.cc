#include "runtime/entry.h"

#include <charconv>

#include <unistd.h>

#include "base/file.h"
#include "runtime/exception.h"
#include "runtime/loop.h"
#include "runtime/shutdown.h"

namespace kelvin::runtime {
namespace {

constexpr int kExitFailure = 1;
constexpr std::string_view kNoRuntimeApi =
    "This is an AWS Lambda function: it asks a Lambda for its work, at the address in\n"
    "AWS_LAMBDA_RUNTIME_API, which is not set. To run it on this machine:\n"
    "  kelvin compare FUNCTION            build, run and measure it\n"
    "  kelvin serve                       start a local Lambda, then create and invoke the "
    "function\n"
    "                                     with any AWS CLI or SDK and --endpoint-url\n";

std::string_view Variable(const Environment& environment, std::string_view name) {
  return environment.Get(name).value_or(std::string_view{});
}

LogLevel LevelFrom(std::string_view name) {
  for (const LogLevel level : {LogLevel::kTrace, LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn,
                               LogLevel::kError, LogLevel::kFatal}) {
    if (http::EqualsIgnoringCase(name, LogLevelName(level))) return level;
  }
  return LogLevel::kInfo;
}

FunctionInfo FunctionFrom(const Environment& environment) {
  FunctionInfo function;
  function.name = Variable(environment, "AWS_LAMBDA_FUNCTION_NAME");
  function.version = Variable(environment, "AWS_LAMBDA_FUNCTION_VERSION");
  function.log_group = Variable(environment, "AWS_LAMBDA_LOG_GROUP_NAME");
  function.log_stream = Variable(environment, "AWS_LAMBDA_LOG_STREAM_NAME");
  const std::string_view memory = Variable(environment, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE");
  std::from_chars(memory.data(), memory.data() + memory.size(), function.memory_mb);
  return function;
}

void Tell(const Host& host, std::string_view text) {
  if (host.messages != nullptr) {
    host.messages->Write(text);
  } else {
    (void)WriteAll(STDERR_FILENO, text);
  }
}

// Null after a failure, which is then logged and posted.
template <typename Factory>
auto Initialize(const Factory& factory, const InitContext& init, Api& api) ->
    typename std::invoke_result_t<const Factory&, const InitContext&>::value_type {
  std::invoke_result_t<const Factory&, const InitContext&> made;
  try {
    made = factory(init);
  } catch (...) {
    made = std::unexpected(DescribeCurrentException());
  }
  if (made) return std::move(*made);
  LogHandlerError(init.log(), LogLevel::kFatal, made.error());
  const auto posted = api.PostInitError(MakeErrorDocument(made.error(), Origin::kInit));
  if (!posted) init.log().Error("the init error was not taken: {}", posted.error().message);
  return nullptr;
}

}  // namespace

Logger LoggerFor(const Environment& environment, LogSink* sink, const Clock& clock) {
  const bool json =
      http::EqualsIgnoringCase(Variable(environment, "AWS_LAMBDA_LOG_FORMAT"), "JSON");
  return Logger({.format = json ? LogFormat::kJson : LogFormat::kText,
                 .level = LevelFrom(Variable(environment, "AWS_LAMBDA_LOG_LEVEL")),
                 .sink = sink,
                 .clock = &clock});
}

namespace {

template <typename Factory>
int RunWith(const Host& host, const Factory& factory, const OnShutdown& on_shutdown) {
  const std::string_view address = Variable(host.environment, "AWS_LAMBDA_RUNTIME_API");
  if (address.empty()) {
    Tell(host, kNoRuntimeApi);
    return kExitFailure;
  }
  auto endpoint = http::ParseEndpoint(address);
  if (!endpoint) {
    Tell(host, fmt::format("AWS_LAMBDA_RUNTIME_API: {}\n", endpoint.error().message));
    return kExitFailure;
  }
  const Logger log = LoggerFor(host.environment, host.log, host.clock);
  const FunctionInfo function = FunctionFrom(host.environment);
  ShutdownHook shutdown(on_shutdown.callback);
  Api api(host.connector, std::move(*endpoint));
  const auto handler = Initialize(factory, InitContext(host.environment, function, log), api);
  if (handler == nullptr) return kExitFailure;
  if (host.hooks != nullptr) host.hooks->Ready();

  TraceVariable trace;
  Loop loop({.api = api,
             .clock = host.clock,
             .trace = trace,
             .log = log,
             .function = function,
             .busy = shutdown.busy(),
             .hooks = host.hooks});
  log.WriteMessage(LogLevel::kFatal, loop.Serve(*handler).message);
  return kExitFailure;
}

template <typename Factory>
int RunHere(const Factory& factory, const OnShutdown& on_shutdown) {
  const SystemClock clock;
  http::TcpConnector connector;
  const Host host{.environment = Environment(::environ),
                  .connector = connector,
                  .clock = clock,
                  .hooks = InstalledHooks()};
  return RunIn(host, factory, on_shutdown);
}

}  // namespace

int RunIn(const Host& host, const RawHandlerFactory& factory, const OnShutdown& on_shutdown) {
  return RunWith(host, factory, on_shutdown);
}

int RunIn(const Host& host, const RawStreamHandlerFactory& factory, const OnShutdown& on_shutdown) {
  return RunWith(host, factory, on_shutdown);
}

}  // namespace kelvin::runtime

namespace kelvin {

int RunRaw(const RawHandlerFactory& factory, const OnShutdown& on_shutdown) {
  return runtime::RunHere(factory, on_shutdown);
}

int RunRawStreaming(const RawStreamHandlerFactory& factory, const OnShutdown& on_shutdown) {
  return runtime::RunHere(factory, on_shutdown);
}

}  // namespace kelvin
