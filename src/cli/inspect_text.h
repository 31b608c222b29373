#pragma once

#include <cstddef>
#include <string>

#include "lab/table.h"
#include "package/inspect.h"

namespace kelvin::cli {

// A report for a person: what it is, the largest files and sections, the findings by area with
// evidence and fix. Lists are cut at `shown` entries, which is said.
std::string InspectText(const package::InspectReport& report, std::size_t shown,
                        const lab::Style& style);

}  // namespace kelvin::cli
