#pragma once

#include <string>
#include <vector>

#include "cli/host.h"

namespace kelvin::cli {

// kelvin serve: gives the exit code back.
int Serve(const std::vector<std::string>& arguments, const Host& host);

}  // namespace kelvin::cli
