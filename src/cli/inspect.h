#pragma once

#include <string>
#include <vector>

#include "cli/host.h"

namespace kelvin::cli {

// kelvin inspect: gives the exit code back; kExitFinding when --fail-on is reached.
int Inspect(const std::vector<std::string>& arguments, const Host& host);

}  // namespace kelvin::cli
