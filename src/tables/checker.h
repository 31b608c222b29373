#pragma once

#include <string>
#include <vector>

#include "tables/expression.h"
#include "tables/placeholders.h"

namespace kelvin::tables {

// Each replaces placeholders within the tree by what they stand for, and returns the first fault in
// the order in which the protocol reports them, or an empty text.
std::string CheckCondition(Node& condition, Placeholders& placeholders);
std::string CheckProjection(std::vector<Path>& paths, Placeholders& placeholders);
std::string CheckUpdate(Update& update, std::string_view repeated_section,
                        Placeholders& placeholders);

}  // namespace kelvin::tables
