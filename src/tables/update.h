#pragma once

#include "tables/expression.h"
#include "tables/failure.h"
#include "tables/schema.h"
#include "tables/value.h"

namespace kelvin::tables {

// Fails where the update touches the key.
Outcome<void> CheckKeyUntouched(const Update& update, const KeySchema& schema);

// The item after a checked update. Every operand is read from `item` as it was before.
Outcome<Item> Apply(const Update& update, const Item& item);

}  // namespace kelvin::tables
