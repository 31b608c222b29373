#pragma once

#include <string>
#include <vector>

#include "cli/host.h"

namespace kelvin::cli {

// kelvin destroy: gives the exit code back.
int Destroy(const std::vector<std::string>& arguments, const Host& host);

}  // namespace kelvin::cli
