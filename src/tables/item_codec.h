#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tables/json_writer.h"
#include "tables/value.h"

namespace kelvin::tables {

// The stored form of an item: per attribute its name, one byte for the type, and the value; numbers
// as their sort keys, lengths as variable-length integers. Two to four bytes an attribute on top of
// what it holds. The form is part of the file format: old files must stay readable.
std::string EncodeItem(const Item& item);

// Nothing where the bytes are damaged.
std::optional<Item> DecodeItem(std::string_view bytes);

// The item's size as SizeOf counts it. Nothing where the bytes are damaged.
std::optional<std::size_t> EncodedItemSize(std::string_view bytes);

// The size by which the pages of Query and Scan are cut, which is another: as DynamoDB is known to
// cut them, by a form with attribute numbers in place of names, in blocks that repeat the sort key.
// `sort_key` is the name of the table's, or empty. Nothing where the bytes are damaged.
std::optional<std::size_t> EncodedPageSize(std::string_view bytes, std::string_view sort_key);

// Writes the item's JSON straight from its stored form; returns its size as SizeOf counts it.
// Nothing, with half of an item written, where the bytes are damaged.
std::optional<std::size_t> WriteEncodedItem(JsonWriter& json, std::string_view bytes);

}  // namespace kelvin::tables
