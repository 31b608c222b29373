#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tables/expression.h"
#include "tables/failure.h"
#include "tables/key.h"
#include "tables/schema.h"
#include "tables/value.h"

namespace kelvin::tables {

// Whether a checked condition holds for an item; one that is not there is an empty item.
bool Holds(const Node& condition, const Item& item);

// What stands at the path, or null.
const Value* FindAt(const Item& item, const Path& path);

// The parts of the item that the paths name, in the shape they have there; elements of lists move
// together.
Item Project(const Item& item, const std::vector<const Path*>& paths);

// What a KeyConditionExpression asks for.
struct KeyRange {
  std::string partition;
  SortRange sort;
};

// Whether sort keys lie as in a table or as in an index.
enum class SortLayout { kTable, kIndex };

// What of that can be said without the keys' names: fails where it is no conjunction of one or two
// comparisons of attributes with values.
Outcome<void> CheckKeyCondition(const Node& condition);

// Fails where the condition is no equality of the partition key with at most one comparison of the
// sort key.
Outcome<KeyRange> ReadKeyCondition(const Node& condition, const KeySchema& schema,
                                   SortLayout layout);

}  // namespace kelvin::tables
