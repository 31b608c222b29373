#pragma once

#include "tables/fields.h"
#include "tables/item_write.h"
#include "tables/json_writer.h"
#include "tables/store.h"

namespace kelvin::tables {

// ReturnItemCollectionMetrics.
enum class MetricsReport { kNone, kSize };
MetricsReport ReadMetricsReport(const Fields& fields);

// Only tables with local indexes have item collections.
bool HasCollections(const Table& table);

// Of the collection that the written item is in: its key, and the whole gigabytes between which its
// size lies, which are counted item by item.
void WriteCollectionMetrics(JsonWriter& json, Store& store, const ItemWrite& write);

}  // namespace kelvin::tables
