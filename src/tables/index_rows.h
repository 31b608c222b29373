#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tables/key.h"
#include "tables/schema.h"
#include "tables/value.h"

namespace kelvin::tables {

// What an index holds for one item: its place there, and the item as far as it is projected.
struct IndexRow {
  Key place;
  std::string item;
  std::size_t bytes = 0;  // of the projected item, as SizeOf counts
};

// Nothing where the item lacks a key of the index, or has a value there that is none for a key: of
// another type, empty or too large.
std::optional<IndexRow> RowOf(const IndexDefinition& index, const KeySchema& table_key,
                              const Key& place, const Item& item);

// The place of an item among those of its table that expire; nothing where it never does.
std::optional<Key> ExpiryPlaceOf(const TimeToLive& time_to_live, const Key& place,
                                 const Item& item);
// Where expiries after `seconds` begin.
std::string ExpiryPartition(std::int64_t seconds);
// What ExpiryPlaceOf put into its place. Nothing where the bytes are damaged.
std::optional<Key> ItemPlaceOf(std::string_view expiry_sort);

// Whether the item's time has passed. Times more than five years ago are mistakes, as on AWS, and
// do not count.
bool IsExpired(const TimeToLive& time_to_live, const Item& item, std::int64_t now_seconds);

}  // namespace kelvin::tables
