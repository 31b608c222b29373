#include <array>
#include <utility>

#include "tables/collection_metrics.h"
#include "tables/item_write.h"
#include "tables/operation.h"
#include "tables/value_json.h"

namespace kelvin::tables {
namespace {

namespace json = boost::json;

// PutItem, DeleteItem and UpdateItem differ in what ItemWrite does.
Outcome<std::string> WriteOne(OperationContext& context, const json::object& body, WriteKind kind) {
  Faults faults;
  const Fields fields(body, faults);
  const CapacityReport capacity = ReadCapacityReport(fields);
  const MetricsReport metrics = ReadMetricsReport(fields);
  ItemWrite write(kind, WriteRole::kAlone, fields);
  if (auto ok = write.CheckRequest(); !ok) return std::unexpected(std::move(ok.error()));
  if (auto ok = write.Bind(context.store); !ok) return std::unexpected(std::move(ok.error()));
  auto written = context.Write([&](Transaction& transaction) -> Outcome<void> {
    if (auto decided = write.Decide(transaction); !decided) return decided;
    return write.Write(transaction);
  });
  if (!written) return std::unexpected(std::move(written.error()));
  std::string answer;
  JsonWriter out(answer);
  out.BeginObject();
  if (const auto shown = write.returned()) {
    out.Key("Attributes");
    WriteItem(out, *shown);
  }
  Consumed consumed(write.table_name());
  consumed.AddWrite(write.effect());
  WriteCapacity(out, capacity, consumed);
  if (metrics == MetricsReport::kSize && HasCollections(write.table())) {
    out.Key("ItemCollectionMetrics");
    WriteCollectionMetrics(out, context.store, write);
  }
  out.EndObject();
  return answer;
}

}  // namespace

Outcome<std::string> PutItem(OperationContext& context, const json::object& body) {
  return WriteOne(context, body, WriteKind::kPut);
}

Outcome<std::string> DeleteItem(OperationContext& context, const json::object& body) {
  return WriteOne(context, body, WriteKind::kDelete);
}

Outcome<std::string> UpdateItem(OperationContext& context, const json::object& body) {
  return WriteOne(context, body, WriteKind::kUpdate);
}

}  // namespace kelvin::tables
