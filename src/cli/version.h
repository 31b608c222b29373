#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/host.h"

namespace kelvin::cli {

// "kelvin 0.1.0", as records name the tool that made them.
std::string_view ToolName();
// "0.1.0".
std::string_view ToolVersion();

// kelvin version: gives the exit code back.
int Version(const std::vector<std::string>& arguments, const Host& host);

}  // namespace kelvin::cli
