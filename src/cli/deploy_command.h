#pragma once

#include <string>
#include <vector>

#include "cli/host.h"

namespace kelvin::cli {

// kelvin deploy: gives the exit code back.
int Deploy(const std::vector<std::string>& arguments, const Host& host);

}  // namespace kelvin::cli
