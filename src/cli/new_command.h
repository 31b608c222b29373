#pragma once

#include <string>
#include <vector>

#include "cli/host.h"

namespace kelvin::cli {

// kelvin new: writes the project of a new function; gives the exit code back.
int New(const std::vector<std::string>& arguments, const Host& host);

}  // namespace kelvin::cli
