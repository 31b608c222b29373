#pragma once

#include <span>
#include <string>
#include <string_view>

#include "package/inspect.h"

namespace kelvin::package {

// The reports as one JSON document: {"packages": [...]}, each with what it is, sizes, sections and
// findings. Ends with a line feed.
std::string InspectJson(std::span<const InspectReport> reports);

// The findings as SARIF 2.1.0, for code scanning. `version` is the tool's.
std::string InspectSarif(std::span<const InspectReport> reports, std::string_view version);

}  // namespace kelvin::package
