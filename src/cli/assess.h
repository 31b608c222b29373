#pragma once

#include <string>
#include <vector>

#include "cli/host.h"

namespace kelvin::cli {

// kelvin assess: gives the exit code back.
int Assess(const std::vector<std::string>& arguments, const Host& host);

}  // namespace kelvin::cli
