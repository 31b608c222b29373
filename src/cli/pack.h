#pragma once

#include <string>
#include <vector>

#include "cli/host.h"

namespace kelvin::cli {

// kelvin pack: gives the exit code back.
int Pack(const std::vector<std::string>& arguments, const Host& host);

}  // namespace kelvin::cli
