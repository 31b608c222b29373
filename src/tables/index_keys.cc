#include "tables/index_keys.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "tables/key.h"

namespace kelvin::tables {
namespace {

std::string_view EmptyKind(const Value& value) {
  return value.type() == ValueType::kString ? "string" : "binary";
}

std::unexpected<Failure> EmptyKey(IndexKeySource source, const IndexDefinition& index,
                                  std::string_view name, const Value& value) {
  if (source == IndexKeySource::kUpdate) {
    return InvalidRequest(fmt::format(
        "One or more parameter values are not valid. The update expression attempted to update a "
        "secondary index key to a value that is not supported. The AttributeValue for a key "
        "attribute cannot contain an empty {} value.",
        EmptyKind(value)));
  }
  return InvalidRequest(fmt::format(
      "One or more parameter values are not valid. A value specified for a secondary index key is "
      "not supported. The AttributeValue for a key attribute cannot contain an empty {} value. "
      "IndexName: {}, IndexKey: {}",
      EmptyKind(value), index.name, name));
}

Outcome<void> CheckKey(const IndexDefinition& index, const KeyAttribute& key, KeyRole role,
                       const Item& item, IndexKeySource source) {
  const Value* value = item.Find(key.name);
  if (value == nullptr) return {};
  if (value->type() != key.type) {
    return InvalidParameter(
        fmt::format("Type mismatch for Index Key {} Expected: {} Actual: {} IndexName: {}",
                    key.name, TypeCode(key.type), TypeCode(value->type()), index.name));
  }
  if (SizeOf(*value) == 0) return EmptyKey(source, index, key.name, *value);
  return CheckKeyValue(role, key.name, *value);
}

}  // namespace

Outcome<void> CheckIndexKeys(const TableDefinition& definition, const Item& item,
                             IndexKeySource source,
                             const std::function<bool(std::string_view attribute)>& is_written) {
  // Messages name the first index in the order of names.
  std::vector<const IndexDefinition*> indexes;
  for (const IndexDefinition& index : definition.indexes) indexes.push_back(&index);
  std::ranges::sort(indexes, {}, &IndexDefinition::name);
  for (const IndexDefinition* index : indexes) {
    if (is_written(index->key.partition.name)) {
      auto ok = CheckKey(*index, index->key.partition, KeyRole::kPartition, item, source);
      if (!ok) return ok;
    }
    if (index->key.sort && is_written(index->key.sort->name)) {
      auto ok = CheckKey(*index, *index->key.sort, KeyRole::kSort, item, source);
      if (!ok) return ok;
    }
  }
  return {};
}

}  // namespace kelvin::tables
