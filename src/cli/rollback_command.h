#pragma once

#include <string>
#include <vector>

#include "cli/host.h"

namespace kelvin::cli {

// kelvin rollback: gives the exit code back.
int Rollback(const std::vector<std::string>& arguments, const Host& host);

}  // namespace kelvin::cli
