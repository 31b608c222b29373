#pragma once

#include <optional>
#include <string_view>

#include "tables/capacity.h"
#include "tables/fields.h"
#include "tables/json_writer.h"
#include "tables/request.h"
#include "tables/store.h"

namespace kelvin::tables {

// Where an item is read from, and which of its attributes are shown.
struct ItemPlace {
  TablePtr table;
  Key key;
};
Outcome<ItemPlace> PlaceOf(const Store& store, std::string_view table_name, const Item& key);

// Writes the item, projected, to `json` after `key`, an empty view for none. Returns its size; 0
// where there is no such item, and then nothing was written.
Outcome<std::size_t> WriteItemAt(Reader& reader, const ItemPlace& place,
                                 const std::vector<const Path*>& projection, JsonWriter& json,
                                 std::string_view key);

}  // namespace kelvin::tables
