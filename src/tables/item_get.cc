#include "tables/item_get.h"

#include <utility>

#include <fmt/format.h>

#include "tables/condition.h"
#include "tables/item_codec.h"
#include "tables/value_json.h"

namespace kelvin::tables {

Outcome<ItemPlace> PlaceOf(const Store& store, std::string_view table_name, const Item& key) {
  auto table = FindTable(store, table_name);
  if (!table) return std::unexpected(std::move(table.error()));
  auto place = KeyOfRequest((*table)->definition.key, key);
  if (!place) return std::unexpected(std::move(place.error()));
  return ItemPlace{std::move(*table), std::move(*place)};
}

Outcome<std::size_t> WriteItemAt(Reader& reader, const ItemPlace& place,
                                 const std::vector<const Path*>& projection, JsonWriter& json,
                                 std::string_view key) {
  std::optional<std::size_t> size = 0;
  const auto read = reader.Get(place.table->container, place.key, [&](std::string_view bytes) {
    if (!key.empty()) json.Key(key);
    if (projection.empty()) {
      size = WriteEncodedItem(json, bytes);
    } else if (const auto item = DecodeItem(bytes)) {
      size = SizeOf(*item);
      WriteItem(json, Project(*item, projection));
    } else {
      size.reset();
    }
    return Visit::kStop;
  });
  if (!read) return std::unexpected(FromError(read.error()));
  if (size) return *size;
  return std::unexpected(
      FromError(Error{ErrorCode::kCorrupt, fmt::format("an item of table {} is damaged on disk",
                                                       place.table->definition.name)}));
}

}  // namespace kelvin::tables
