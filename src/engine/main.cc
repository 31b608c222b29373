// bootstrap: the program of the engine's layer. Runs the function.bc of the package that Lambda
// mounted.

#include <cstdlib>

#include <sys/auxv.h>
#include <unistd.h>

#include "engine/crash.h"
#include "engine/engine.h"
#include "engine/exports.h"
#include "engine/fatal.h"
#include "kelvin/run.h"
#include "runtime/entry.h"
#include "runtime/exception.h"

namespace kelvin::engine {
namespace {

// Serves nothing: posts the error as Lambda's init error, and gives the exit status.
int Refuse(const HandlerError& error) {
  return RunRaw([&](const InitContext&) { return std::unexpected(error); });
}

HandlerError Describe(const Error& error) {
  const auto type = [&] {
    switch (error.code) {
      case ErrorCode::kNotFound:
        return "Runtime.MissingCode";
      case ErrorCode::kCorrupt:
        return "Runtime.DamagedCode";
      case ErrorCode::kInvalidArgument:
        return "Runtime.UnfitCode";
      default:
        return "Runtime.CannotLoad";
    }
  }();
  return HandlerError{type, error.message, {}, {}};
}

bool IsOn(std::optional<std::string_view> value) {
  return value && !value->empty() && *value != "off";
}

std::expected<MappedFile, Error> OpenOwnProgram() {
  const auto* const path = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
  if (path != nullptr) {
    if (auto file = MappedFile::Open(path)) return file;
  }
  return MappedFile::Open("/proc/self/exe");
}

EngineOptions OptionsFrom(const Environment& environment) {
  return {.package = environment.Get("LAMBDA_TASK_ROOT").value_or("."),
          .report_activity = IsOn(environment.Get("KELVIN_ENGINE_LOG")),
          .log_format = environment.Get("AWS_LAMBDA_LOG_FORMAT") == "JSON" ? LogFormat::kJson
                                                                           : LogFormat::kText,
          .tell_debugger = IsOn(environment.Get("KELVIN_ENGINE_GDB")),
          .compile_ahead = environment.Get("KELVIN_ENGINE_AHEAD") != "off"};
}

int RunFunction(int argc, char** argv, Clock::TimePoint started, const Clock& clock) {
  const auto program = OpenOwnProgram();
  if (!program) return Refuse(Describe(program.error()));
  const auto exports = Exports::FromProgram(program->bytes());
  if (!exports) return Refuse(Describe(exports.error()));
  auto memory = CodeMemory::Reserve();
  if (!memory) return Refuse(Describe(memory.error()));

  const Environment environment(::environ);
  // Lives as long as the process: compiled code calls into it until the very end.
  static Engine* const engine =
      new Engine(*exports, std::move(*memory), clock,
                 runtime::LoggerFor(environment, nullptr, clock), OptionsFrom(environment));
  runtime::InstallHooks(engine);
  ReportCrashes(*engine, *exports);
  std::expected<Engine::Main, Error> main;
  try {
    const CompilingScope compiling;
    main = engine->Load(started);
  } catch (...) {
    HandlerError error = runtime::DescribeCurrentException();
    error.message = "a static initialiser of the function failed: " + error.message;
    return Refuse(error);
  }
  if (!main) return Refuse(Describe(main.error()));
  std::atexit([] { engine->Stop(); });
  return (*main)(argc, argv, ::environ);
}

}  // namespace
}  // namespace kelvin::engine

int main(int argc, char** argv) {
  static const kelvin::SystemClock clock;
  return kelvin::engine::RunFunction(argc, argv, clock.Now(), clock);
}
