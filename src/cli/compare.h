#pragma once

#include <string>
#include <vector>

#include "cli/host.h"

namespace kelvin::cli {

// kelvin compare: gives the exit code back.
int Compare(const std::vector<std::string>& arguments, const Host& host);
// kelvin sweep, likewise.
int Sweep(const std::vector<std::string>& arguments, const Host& host);

}  // namespace kelvin::cli
