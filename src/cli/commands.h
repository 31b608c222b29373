#pragma once

#include <string>
#include <vector>

#include "cli/host.h"

namespace kelvin::cli {

// Runs the subcommand that `arguments` (without the program's name) start with, and gives the
// process's exit code back.
int RunCommand(const std::vector<std::string>& arguments, const Host& host);

}  // namespace kelvin::cli
