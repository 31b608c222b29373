#pragma once

#include <string>
#include <vector>

#include "cli/host.h"

namespace kelvin::cli {

// kelvin rollout: gives the exit code back.
int Rollout(const std::vector<std::string>& arguments, const Host& host);

}  // namespace kelvin::cli
