#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/host.h"

namespace kelvin::cli {

// What the process ends with.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFinding = 1;      // it ran, and found a failure
inline constexpr int kExitUsage = 2;        // the command line or a file of the user's is wrong
inline constexpr int kExitEnvironment = 3;  // the host or an endpoint does not play along
inline constexpr int kExitInterrupted = 130;

// Writes "kelvin: <message>" to standard error and gives `exit_code` back.
int Fail(const Host& host, int exit_code, std::string_view message);

// As above, with the exit code that fits the error: kExitUsage for what the user can put right in
// what he wrote, kExitEnvironment for the rest.
int Fail(const Host& host, const Error& error);

}  // namespace kelvin::cli
