#include "cli/exit_code.h"

#include <fmt/format.h>

namespace kelvin::cli {

int Fail(const Host& host, int exit_code, std::string_view message) {
  host.err.write(fmt::format("kelvin: {}\n", message));
  return exit_code;
}

int Fail(const Host& host, const Error& error) {
  const bool usage = error.code == ErrorCode::kInvalidArgument;
  return Fail(host, usage ? kExitUsage : kExitEnvironment, error.message);
}

}  // namespace kelvin::cli
