#include "sandbox/start_error.h"

#include <cerrno>
#include <system_error>

#include <fmt/format.h>

#include "package/bootstrap.h"

namespace kelvin::sandbox {
namespace {

// Of the folder whose bootstrap was tried last.
std::expected<void, Error> CheckBootstrap(const SandboxFolders& folders) {
  for (const auto* folder : {&folders.runtime, &folders.code, &folders.layers}) {
    if (folder->empty()) continue;
    auto checked = package::CheckBootstrap(*folder);
    if (checked || checked.error().code != ErrorCode::kNotFound) return checked;
  }
  return package::CheckBootstrap(folders.code);
}

Error ExplainExecuteFailure(const SandboxFolders& folders, int error_number) {
  if (auto checked = CheckBootstrap(folders); !checked) return std::move(checked.error());
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

Error ExplainStartFailure(const SandboxFolders& folders, const RunnerNote& note) {
  switch (note.step) {
    case RunnerStep::kExecute:
      return ExplainExecuteFailure(folders, note.error_number);
    case RunnerStep::kOutput:
      return ErrnoError("connect the output of the sandbox", note.error_number);
    case RunnerStep::kCgroup:
      return ErrnoError("put the sandbox's process into its cgroups", note.error_number);
    case RunnerStep::kLimits:
      return ErrnoError("set the limits of the sandbox's process", note.error_number);
    case RunnerStep::kFolder:
      return ErrnoError(fmt::format("enter the package's folder {}", folders.code.native()),
                        note.error_number);
    case RunnerStep::kUser:
      return ErrnoError("give the sandbox's process its own user", note.error_number);
    case RunnerStep::kFilter:
      return ErrnoError("restrict what the sandbox's process may ask of the kernel",
                        note.error_number);
    case RunnerStep::kReady:
      break;
  }
  return {ErrorCode::kInternal, "the sandbox's process reported a failure without a step"};
}

Error ExplainExtensionFailure(const SandboxFolders& folders, std::string_view name,
                              const RunnerNote& note) {
  if (note.step != RunnerStep::kExecute) return ExplainStartFailure(folders, note);
  const auto failure = [&](ErrorCode code, std::string_view what) {
    return Error{code, fmt::format("fork/exec /opt/extensions/{}: {}", name, what)};
  };
  switch (note.error_number) {
    case EACCES:
      return failure(ErrorCode::kPermissionDenied, "permission denied");
    case ENOEXEC:
      return failure(ErrorCode::kInvalidArgument, "exec format error");
    case ENOENT:
      return failure(ErrorCode::kInvalidArgument, "no such file or directory");
    default:
      return failure(ErrorCode::kIo, std::system_category().message(note.error_number));
  }
}

}  // namespace kelvin::sandbox
