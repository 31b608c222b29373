#pragma once

#include "tables/expression.h"
#include "tables/failure.h"
#include "tables/schema.h"
#include "tables/value.h"

namespace kelvin::tables {

// Fails where the update touches the key.
Outcome<void> CheckKeyUntouched(const Update& update, const KeySchema& schema);

// How a type that does not fit is reported.
enum class UpdateWording { kExpression, kLegacy };
// What an update starts from: an item, or no more than the key of one that it makes. From that
// nothing is removed, wherever a removal's path may lead.
enum class UpdateBase { kItem, kKey };

// The item after a checked update. Every operand is read from `item` as it was before.
Outcome<Item> Apply(const Update& update, const Item& item,
                    UpdateWording wording = UpdateWording::kExpression,
                    UpdateBase base = UpdateBase::kItem);

}  // namespace kelvin::tables
