#include "tables/collection_metrics.h"

#include <algorithm>
#include <array>

#include "tables/item_codec.h"
#include "tables/value_json.h"

namespace kelvin::tables {
namespace {

std::size_t SizeOfPartition(Reader& reader, std::int64_t container, std::string_view partition) {
  std::size_t bytes = 0;
  // A partition that cannot be read shows as smaller here, and as an error where it is asked for.
  (void)reader.Query(container, partition, {}, Order::kAscending, [&](std::string_view item) {
    bytes += EncodedItemSize(item).value_or(0);
    return Visit::kContinue;
  });
  return bytes;
}

}  // namespace

MetricsReport ReadMetricsReport(const Fields& fields) {
  constexpr std::array<std::string_view, 2> kNames = {"SIZE", "NONE"};
  return fields.Enum("ReturnItemCollectionMetrics", kNames) == "SIZE" ? MetricsReport::kSize
                                                                      : MetricsReport::kNone;
}

bool HasCollections(const Table& table) {
  return std::ranges::find(table.definition.indexes, IndexKind::kLocal, &IndexDefinition::kind) !=
         table.definition.indexes.end();
}

void WriteCollectionMetrics(JsonWriter& json, Store& store, const ItemWrite& write) {
  std::size_t bytes = 0;
  if (auto reader = store.Read()) {
    bytes = SizeOfPartition(*reader, write.table().container, write.key().partition);
    for (const IndexDefinition& index : write.table().definition.indexes) {
      if (index.kind != IndexKind::kLocal) continue;
      bytes += SizeOfPartition(*reader, index.container, write.key().partition);
    }
  }
  const auto gigabytes = static_cast<std::int64_t>(bytes >> 30);
  json.BeginObject();
  json.Key("ItemCollectionKey");
  WriteItem(json, write.collection_key());
  json.Key("SizeEstimateRangeGB");
  json.BeginArray();
  json.Integer(gigabytes);
  json.Integer(gigabytes + 1);
  json.EndArray();
  json.EndObject();
}

}  // namespace kelvin::tables
