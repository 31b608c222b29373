#include "sandbox/start_error.h"

#include <cerrno>
#include <system_error>

#include <fmt/format.h>

#include "package/bootstrap.h"

namespace kelvin::sandbox {
namespace {

Error ExplainExecuteFailure(const std::filesystem::path& code, int error_number) {
  if (auto checked = package::CheckBootstrap(code); !checked) return std::move(checked.error());
  switch (error_number) {
    case ENOENT:
      return {ErrorCode::kInvalidArgument,
              "bootstrap is there, but the program that runs it is not: the one behind \"#!\" or, "
              "for an ELF program, its dynamic loader; link the program statically, or name an "
              "interpreter that the sandbox has"};
    case EACCES:
      return {
          ErrorCode::kPermissionDenied,
          "bootstrap is executable, but the function's user may not execute it: check the modes "
          "of its folders and of its interpreter, and that its file system is not mounted "
          "noexec"};
    case ENOEXEC:
      return {
          ErrorCode::kInvalidArgument,
          "expected bootstrap to be a program that this machine can execute, the kernel refuses "
          "it; build it again"};
    default:
      return ErrnoError("start bootstrap", error_number);
  }
}

}  // namespace

Error ExplainStartFailure(const std::filesystem::path& code, const RunnerNote& note) {
  switch (note.step) {
    case RunnerStep::kExecute:
      return ExplainExecuteFailure(code, note.error_number);
    case RunnerStep::kOutput:
      return ErrnoError("connect the output of the sandbox", note.error_number);
    case RunnerStep::kCgroup:
      return ErrnoError("put the sandbox's process into its cgroups", note.error_number);
    case RunnerStep::kLimits:
      return ErrnoError("set the limits of the sandbox's process", note.error_number);
    case RunnerStep::kFolder:
      return ErrnoError(fmt::format("enter the package's folder {}", code.native()),
                        note.error_number);
    case RunnerStep::kUser:
      return ErrnoError("give the sandbox's process its own user", note.error_number);
    case RunnerStep::kReady:
      break;
  }
  return {ErrorCode::kInternal, "the sandbox's process reported a failure without a step"};
}

}  // namespace kelvin::sandbox
