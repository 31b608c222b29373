#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tables/failure.h"
#include "tables/schema.h"
#include "tables/value.h"

namespace kelvin::tables {

// The place of an item. Both parts sort by memcmp: `partition` by the hash of the partition key and
// then by the key, so that a scan meets partitions in an order of its own and a segment of it is a
// range; `sort` as the protocol orders sort keys.
struct Key {
  std::string partition;
  std::string sort;  // empty where the table has no sort key
  bool operator==(const Key&) const = default;
};

// Sort keys from `low` to before `high`; no `high`: to the end.
struct SortRange {
  std::string low;
  std::optional<std::string> high;
};

// The key of an item that is to be written, with the protocol's messages for what is missing, of
// the wrong type, empty, or too large.
Outcome<Key> KeyOfItem(const KeySchema& schema, const Item& item);
// The same of a request's Key member, which must hold the key and nothing else.
Outcome<Key> KeyOfRequest(const KeySchema& schema, const Item& key);

// Checks one attribute of a key: not empty, not too large.
enum class KeyRole { kPartition, kSort };
Outcome<void> CheckKeyValue(KeyRole role, std::string_view name, const Value& value);

// Of values of a key's type: a string, number or binary.
std::string EncodePartition(const Value& value);
std::string EncodeSort(const Value& value);

// Sort places of an index end with the place of the item in its table, which tells rows with equal
// keys apart; an end mark between the two keeps them in the order of the sort key.
std::string EncodeIndexSort(const std::optional<Value>& sort, const Key& item_place);
// `bytes`, an EncodeSort, as an index has it: without the end mark, with it, and as the first place
// after all that have that sort key.
std::string IndexSortPrefix(std::string_view bytes);
std::string IndexSortBegin(std::string_view bytes);
std::string IndexSortAfter(std::string_view bytes);

// The first byte string after all that begin with `prefix`; none where there is no such.
std::optional<std::string> AfterPrefix(std::string prefix);
// The first byte string after `bytes`.
std::string After(std::string bytes);

// Only the key's attributes: what LastEvaluatedKey shows.
Item KeyAttributesOf(const KeySchema& schema, const Item& item);

// Where segment `segment` of `total` begins among partitions.
std::string SegmentStart(std::int64_t segment, std::int64_t total);

}  // namespace kelvin::tables
