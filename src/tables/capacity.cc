#include "tables/capacity.h"

#include <algorithm>
#include <array>

namespace kelvin::tables {
namespace {

constexpr std::size_t kWriteUnitBytes = 1024;
constexpr std::size_t kReadUnitBytes = 4096;

}  // namespace

CapacityReport ReadCapacityReport(const Fields& fields) {
  constexpr std::array<std::string_view, 3> kNames = {"INDEXES", "TOTAL", "NONE"};
  const auto name = fields.Enum("ReturnConsumedCapacity", kNames);
  if (name == "TOTAL") return CapacityReport::kTotal;
  return name == "INDEXES" ? CapacityReport::kIndexes : CapacityReport::kNone;
}

Consistency ReadConsistency(const Fields& fields) {
  return fields.Boolean("ConsistentRead").value_or(false) ? Consistency::kStrong
                                                          : Consistency::kEventual;
}

double WriteUnits(std::size_t bytes) {
  return static_cast<double>(
      std::max<std::size_t>(1, (bytes + kWriteUnitBytes - 1) / kWriteUnitBytes));
}

double ReadUnits(std::size_t bytes, Consistency consistency) {
  const auto blocks = std::max<std::size_t>(1, (bytes + kReadUnitBytes - 1) / kReadUnitBytes);
  return static_cast<double>(blocks) * (consistency == Consistency::kStrong ? 1 : 0.5);
}

void Consumed::AddIndex(IndexKind kind, const std::string& index, double units) {
  (kind == IndexKind::kLocal ? local_ : global_)[index] += units * Factor();
}

void Consumed::AddWrite(const WriteEffect& effect) {
  AddTable(WriteUnits(std::max(effect.bytes_before, effect.bytes_after)));
  for (const IndexChange& change : effect.indexes) {
    double units = 0;
    if (change.removed_bytes > 0) units += WriteUnits(change.removed_bytes);
    if (change.written_bytes > 0) units += WriteUnits(change.written_bytes);
    AddIndex(change.kind, change.index, units);
  }
}

double Consumed::SumOf(const ByIndex& units) {
  double sum = 0;
  for (const auto& [index, value] : units) sum += value;
  return sum;
}

void Consumed::WriteUnitsObject(JsonWriter& json, double units) const {
  json.BeginObject();
  json.Key("CapacityUnits");
  json.Decimal(units);
  if (access_ != Access::kPlain) {
    json.Key(access_ == Access::kTransactionRead ? "ReadCapacityUnits" : "WriteCapacityUnits");
    json.Decimal(units);
  }
  json.EndObject();
}

void Consumed::WriteIndexes(JsonWriter& json, std::string_view key, const ByIndex& units) const {
  if (units.empty()) return;
  json.Key(key);
  json.BeginObject();
  for (const auto& [index, value] : units) {
    json.Key(index);
    WriteUnitsObject(json, value);
  }
  json.EndObject();
}

void Consumed::Write(JsonWriter& json, CapacityReport report) const {
  const double total = table_units_ + SumOf(local_) + SumOf(global_);
  json.BeginObject();
  json.Field("TableName", table_);
  json.Key("CapacityUnits");
  json.Decimal(total);
  if (access_ != Access::kPlain) {
    json.Key(access_ == Access::kTransactionRead ? "ReadCapacityUnits" : "WriteCapacityUnits");
    json.Decimal(total);
  }
  if (report == CapacityReport::kIndexes) {
    json.Key("Table");
    WriteUnitsObject(json, table_units_);
    WriteIndexes(json, "LocalSecondaryIndexes", local_);
    WriteIndexes(json, "GlobalSecondaryIndexes", global_);
  }
  json.EndObject();
}

void WriteCapacity(JsonWriter& json, CapacityReport report, const Consumed& consumed) {
  if (report == CapacityReport::kNone) return;
  json.Key("ConsumedCapacity");
  consumed.Write(json, report);
}

void WriteCapacities(JsonWriter& json, CapacityReport report,
                     const std::map<std::string, Consumed>& consumed) {
  if (report == CapacityReport::kNone) return;
  json.Key("ConsumedCapacity");
  json.BeginArray();
  for (const auto& [table, of_table] : consumed) of_table.Write(json, report);
  json.EndArray();
}

}  // namespace kelvin::tables
