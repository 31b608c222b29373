#pragma once

#include <string>
#include <vector>

#include "cli/host.h"

namespace kelvin::cli {

// kelvin template: gives the exit code back.
int Template(const std::vector<std::string>& arguments, const Host& host);

}  // namespace kelvin::cli
