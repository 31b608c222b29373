#pragma once

#include <functional>
#include <string_view>

#include "tables/failure.h"
#include "tables/schema.h"
#include "tables/value.h"

namespace kelvin::tables {

enum class IndexKeySource { kItem, kUpdate };

// Fails where an attribute of `item` that is a key of an index has the wrong type, is empty or too
// large; only attributes that `is_written` accepts are looked at. `source` chooses the words.
Outcome<void> CheckIndexKeys(const TableDefinition& definition, const Item& item,
                             IndexKeySource source,
                             const std::function<bool(std::string_view attribute)>& is_written);

}  // namespace kelvin::tables
