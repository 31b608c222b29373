#pragma once

#include <filesystem>
#include <vector>

#include "cli/host.h"

namespace kelvin::cli {

// What an invoke costs when no process has to answer it: milliseconds as the client sees them, with
// a sandbox that is a thread of this process. Empty when it could not be measured; a run is worth
// no less for that. Every thread it starts has ended when it returns.
std::vector<double> MeasureOverhead(const std::filesystem::path& state, const Host& host);

}  // namespace kelvin::cli
