#pragma once

#include <cstddef>

#include "tables/expression.h"
#include "tables/value.h"

namespace kelvin::tables {

// How large DynamoDB takes an update of a single item to be, beside the size of the item that it
// makes: what it says and writes, and not what it leaves alone. In bytes, as SizeOf counts.
std::size_t CostOf(const Update& update, const Item& item);

}  // namespace kelvin::tables
