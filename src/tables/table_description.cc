#include "tables/table_description.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

namespace kelvin::tables {
namespace {

constexpr std::array<std::string_view, 3> kStatus = {"ACTIVE", "CREATING", "UPDATING"};

void WriteKeyElement(JsonWriter& json, const KeyAttribute& key, std::string_view type) {
  json.BeginObject();
  json.Field("AttributeName", key.name);
  json.Field("KeyType", type);
  json.EndObject();
}

void WriteKeySchema(JsonWriter& json, const KeySchema& schema) {
  json.Key("KeySchema");
  json.BeginArray();
  WriteKeyElement(json, schema.partition, "HASH");
  if (schema.sort) WriteKeyElement(json, *schema.sort, "RANGE");
  json.EndArray();
}

void WriteThroughput(JsonWriter& json, const Throughput& throughput) {
  json.Key("ProvisionedThroughput");
  json.BeginObject();
  json.Field("NumberOfDecreasesToday", 0);
  json.Field("ReadCapacityUnits", throughput.read);
  json.Field("WriteCapacityUnits", throughput.write);
  json.EndObject();
}

void WriteWarm(JsonWriter& json, const std::optional<Throughput>& warm, const Throughput& least) {
  if (!warm) return;
  json.Key("WarmThroughput");
  json.BeginObject();
  json.Field("ReadUnitsPerSecond", std::max(warm->read, least.read));
  json.Field("WriteUnitsPerSecond", std::max(warm->write, least.write));
  json.Field("Status", "ACTIVE");
  json.EndObject();
}

void WriteBilling(JsonWriter& json, const TableDefinition& definition) {
  WriteThroughput(json, definition.throughput);
  if (definition.on_demand_since) {
    const bool on_demand = definition.billing == BillingMode::kPayPerRequest;
    json.Key("BillingModeSummary");
    json.BeginObject();
    json.Field("BillingMode", on_demand ? "PAY_PER_REQUEST" : "PROVISIONED");
    json.Key("LastUpdateToPayPerRequestDateTime");
    json.Decimal(EpochSeconds(*definition.on_demand_since));
    json.EndObject();
  }
  if (!definition.on_demand_maximum) return;
  json.Key("OnDemandThroughput");
  json.BeginObject();
  json.Field("MaxReadRequestUnits", definition.on_demand_maximum->read);
  json.Field("MaxWriteRequestUnits", definition.on_demand_maximum->write);
  json.EndObject();
}

void WriteProjection(JsonWriter& json, const IndexDefinition& index) {
  json.Key("Projection");
  json.BeginObject();
  json.Field("ProjectionType", ProjectionName(index.projection));
  if (index.projection == ProjectionType::kInclude) {
    json.Key("NonKeyAttributes");
    json.BeginArray();
    for (const std::string& name : index.attributes) json.String(name);
    json.EndArray();
  }
  json.EndObject();
}

struct IndexContext {
  std::string arn;  // of the table
  TableStatus status;
  const Store* store;
  Throughput least_warm;
};

void WriteIndex(JsonWriter& json, const IndexDefinition& index, const IndexContext& context) {
  // An index that has no container yet is being made.
  const bool exists = index.container != 0 && context.status != TableStatus::kCreating;
  const Totals totals =
      context.store != nullptr ? context.store->TotalsOf(index.container) : Totals{};
  json.BeginObject();
  json.Field("IndexName", index.name);
  WriteKeySchema(json, index.key);
  WriteProjection(json, index);
  if (index.kind == IndexKind::kGlobal) {
    json.Field("IndexStatus", exists ? "ACTIVE" : "CREATING");
    WriteThroughput(json, index.throughput);
    WriteWarm(json, index.warm, context.least_warm);
  }
  json.Field("IndexSizeBytes", totals.bytes);
  json.Field("ItemCount", totals.items);
  json.Field("IndexArn", context.arn + "/index/" + index.name);
  json.EndObject();
}

void WriteIndexes(JsonWriter& json, std::string_view key, IndexKind kind,
                  const TableDefinition& definition, const IndexContext& context) {
  if (std::ranges::find(definition.indexes, kind, &IndexDefinition::kind) ==
      definition.indexes.end()) {
    return;
  }
  json.Key(key);
  json.BeginArray();
  for (const IndexDefinition& index : definition.indexes) {
    if (index.kind == kind) WriteIndex(json, index, context);
  }
  json.EndArray();
}

}  // namespace

double EpochSeconds(Clock::WallTime time) {
  return std::chrono::duration<double>(
             std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch())
      .count();
}

Throughput LeastWarm(const TableDefinition& definition) {
  return definition.billing == BillingMode::kPayPerRequest ? kOnDemandWarm : definition.throughput;
}

void WriteDeleted(JsonWriter& json, const Table& table, std::string_view arn_prefix) {
  const TableDefinition& definition = table.definition;
  json.BeginObject();
  json.Field("TableName", definition.name);
  json.Field("TableStatus", "DELETING");
  WriteBilling(json, definition);
  json.Field("TableSizeBytes", 0);
  json.Field("ItemCount", 0);
  json.Field("TableArn", std::string(arn_prefix) + definition.name);
  json.Field("TableId", definition.id);
  json.Key("DeletionProtectionEnabled");
  json.Boolean(false);
  json.EndObject();
}

void WriteDescription(JsonWriter& json, const Table& table, TableStatus status,
                      std::string_view arn_prefix, const Store* store) {
  const TableDefinition& definition = table.definition;
  const Totals totals = store != nullptr ? store->TotalsOf(table.container) : Totals{};
  const IndexContext context{std::string(arn_prefix) + definition.name, status, store,
                             LeastWarm(definition)};
  json.BeginObject();
  json.Key("AttributeDefinitions");
  json.BeginArray();
  for (const KeyAttribute& key : definition.attributes) {
    json.BeginObject();
    json.Field("AttributeName", key.name);
    json.Field("AttributeType", TypeCode(key.type));
    json.EndObject();
  }
  json.EndArray();
  json.Field("TableName", definition.name);
  WriteKeySchema(json, definition.key);
  json.Field("TableStatus", kStatus[static_cast<std::size_t>(status)]);
  json.Key("CreationDateTime");
  json.Decimal(EpochSeconds(definition.created));
  WriteBilling(json, definition);
  WriteWarm(json, definition.warm, context.least_warm);
  json.Field("TableSizeBytes", totals.bytes);
  json.Field("ItemCount", totals.items);
  json.Field("TableArn", context.arn);
  json.Field("TableId", definition.id);
  WriteIndexes(json, "LocalSecondaryIndexes", IndexKind::kLocal, definition, context);
  WriteIndexes(json, "GlobalSecondaryIndexes", IndexKind::kGlobal, definition, context);
  if (!definition.table_class.empty()) {
    json.Key("TableClassSummary");
    json.BeginObject();
    json.Field("TableClass", definition.table_class);
    if (definition.table_class_changed) {
      json.Key("LastUpdateDateTime");
      json.Decimal(EpochSeconds(*definition.table_class_changed));
    }
    json.EndObject();
  }
  if (!definition.kms_key.empty()) {
    json.Key("SSEDescription");
    json.BeginObject();
    json.Field("Status", "ENABLED");
    json.Field("SSEType", "KMS");
    json.Field("KMSMasterKeyArn", definition.kms_key);
    json.EndObject();
  }
  json.Key("DeletionProtectionEnabled");
  json.Boolean(definition.deletion_protection == DeletionProtection::kOn);
  json.EndObject();
}

}  // namespace kelvin::tables
