#pragma once

#include <string>

#include "tables/expression.h"

namespace kelvin::tables {

// Whether the node calls size(), the only function of a condition that has a value.
bool IsSize(const Node& node);

// What is wrong with the types of a resolved node's operands, as far as the expression alone tells;
// empty where nothing is. Looks at this node only.
std::string CheckOperandTypes(const Node& node);

}  // namespace kelvin::tables
