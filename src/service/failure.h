#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "sandbox/sandbox.h"
#include "service/report.h"

namespace kelvin::service {

// Why an init or an invoke did not end as it should.
struct Failure {
  RunStatus status = RunStatus::kError;
  std::string error_type = {};  // "Runtime.ExitError"
  std::string message = {};     // "Runtime exited with error: exit status 1"
  std::optional<std::string> body =
      {};  // what the runtime itself posted, which callers see as it is

  // What the caller of the invoke sees.
  std::string Payload(std::string_view request_id) const;
};

Failure ExitFailure(const sandbox::ExitStatus& status);
// "exit status 1", "signal: killed"
std::string ExitText(const sandbox::ExitStatus& status);
Failure StartFailure(const Error& error);
Failure TimeoutFailure(int timeout_seconds);
Failure PostedFailure(RunStatus status, std::string error_type, std::string body);
Failure ResponseTooLargeFailure();

}  // namespace kelvin::service
