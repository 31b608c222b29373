#include "service/failure.h"

#include <csignal>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "service/runtime_api.h"

namespace kelvin::service {
namespace {

// As Go names signals: Lambda's own runtime supervisor is written in it.
std::string SignalName(int number) {
  struct Row {
    int number;
    std::string_view name;
  };
  static constexpr Row kRows[] = {
      {SIGHUP, "hangup"},
      {SIGINT, "interrupt"},
      {SIGQUIT, "quit"},
      {SIGILL, "illegal instruction"},
      {SIGTRAP, "trace/breakpoint trap"},
      {SIGABRT, "aborted"},
      {SIGBUS, "bus error"},
      {SIGFPE, "floating point exception"},
      {SIGKILL, "killed"},
      {SIGUSR1, "user defined signal 1"},
      {SIGSEGV, "segmentation fault"},
      {SIGUSR2, "user defined signal 2"},
      {SIGPIPE, "broken pipe"},
      {SIGALRM, "alarm clock"},
      {SIGTERM, "terminated"},
      {SIGSYS, "bad system call"},
  };
  for (const Row& row : kRows) {
    if (row.number == number) return std::string(row.name);
  }
  return fmt::format("signal {}", number);
}

}  // namespace

std::string Failure::Payload(std::string_view request_id) const {
  if (body) return *body;
  // AWS names no request here: the runtime was there and could have.
  const std::string text = error_type == "Function.ResponseSizeTooLarge"
                               ? message
                               : fmt::format("RequestId: {} Error: {}", request_id, message);
  return boost::json::serialize(
      boost::json::object{{"errorType", error_type}, {"errorMessage", text}});
}

std::string ExitText(const sandbox::ExitStatus& status) {
  if (status.signaled) return fmt::format("signal: {}", SignalName(status.code));
  return status.code == 0 ? "exit code 0" : fmt::format("exit status {}", status.code);
}

Failure ExitFailure(const sandbox::ExitStatus& status) {
  Failure failure{.error_type = "Runtime.ExitError"};
  if (status.out_of_memory) failure.error_type = "Runtime.OutOfMemory";
  if (status.signaled || status.code != 0) {
    failure.message = "Runtime exited with error: " + ExitText(status);
  } else {
    failure.message = "Runtime exited without providing a reason";
  }
  return failure;
}

Failure StartFailure(const Error& error) {
  Failure failure{.error_type = "Runtime.InvalidEntrypoint"};
  switch (error.code) {
    case ErrorCode::kNotFound:
      failure.message = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]";
      break;
    case ErrorCode::kPermissionDenied:
      failure.message = "fork/exec /var/task/bootstrap: permission denied";
      break;
    case ErrorCode::kInvalidArgument:
      failure.message = "fork/exec /var/task/bootstrap: exec format error";
      break;
    default:
      failure.error_type = "Runtime.Unknown";
      failure.message = error.message;
  }
  return failure;
}

Failure TimeoutFailure(int timeout_seconds) {
  return {.status = RunStatus::kTimeout,
          .error_type = "Sandbox.Timedout",
          .message = fmt::format("Task timed out after {}.00 seconds", timeout_seconds)};
}

Failure PostedFailure(RunStatus status, std::string error_type, std::string body) {
  return {.status = status, .error_type = std::move(error_type), .body = std::move(body)};
}

Failure ResponseTooLargeFailure() {
  return {.status = RunStatus::kFailure,
          .error_type = "Function.ResponseSizeTooLarge",
          .message =
              fmt::format("Response payload size exceeded maximum allowed payload size ({} bytes).",
                          kMaxResponseBytes)};
}

}  // namespace kelvin::service
