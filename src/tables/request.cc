#include "tables/request.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace kelvin::tables {
namespace {

// In the order in which faults in them are reported.
constexpr std::array<std::string_view, 5> kExpressions = {
    "UpdateExpression", "ConditionExpression", "KeyConditionExpression", "FilterExpression",
    "ProjectionExpression"};

struct LegacyParameter {
  std::string_view name;
  std::string_view instead;
};
constexpr std::array<LegacyParameter, 7> kLegacy = {{
    {"AttributesToGet", "ProjectionExpression"},
    {"AttributeUpdates", "UpdateExpression"},
    {"ConditionalOperator", "AND and OR in an expression"},
    {"Expected", "ConditionExpression"},
    {"KeyConditions", "KeyConditionExpression"},
    {"QueryFilter", "FilterExpression"},
    {"ScanFilter", "FilterExpression"},
}};

constexpr std::size_t kWriteUnitBytes = 1024;
constexpr std::size_t kReadUnitBytes = 4096;

// The parameters that expressions took the place of are not passed over in silence.
Outcome<void> RefuseLegacy(const Fields& fields) {
  for (const auto& [name, instead] : kLegacy) {
    if (fields.Find(name) == nullptr) continue;
    return Invalid(
        fmt::format("The legacy parameter {} is not supported here; use {}", name, instead));
  }
  return {};
}

}  // namespace

Outcome<void> Expressions::Read(const Fields& fields,
                                std::initializer_list<std::string_view> allowed) {
  for (const std::string_view name : allowed) (void)fields.String(name);  // for its faults
  if (auto ok = fields.Check(); !ok) return ok;
  if (auto ok = RefuseLegacy(fields); !ok) return ok;
  const bool any_given =
      std::ranges::any_of(allowed, [&](auto name) { return fields.Find(name) != nullptr; });
  const auto* names = fields.Find("ExpressionAttributeNames");
  const auto* values = fields.Find("ExpressionAttributeValues");
  if (names != nullptr && !any_given) {
    return Invalid("ExpressionAttributeNames can only be specified when using expressions");
  }
  std::vector<std::string_view> with_values;
  for (const std::string_view name : allowed) {
    if (name != "ProjectionExpression") with_values.push_back(name);
  }
  const bool none_with_values =
      std::ranges::none_of(with_values, [&](auto name) { return fields.Find(name) != nullptr; });
  if (values != nullptr && !with_values.empty() && none_with_values) {
    return Invalid(fmt::format(
        "ExpressionAttributeValues can only be specified when using expressions: {} {} null",
        fmt::join(with_values, " and "), with_values.size() > 1 ? "are" : "is"));
  }
  auto placeholders = Placeholders::Read(names, with_values.empty() ? nullptr : values);
  if (!placeholders) return std::unexpected(std::move(placeholders.error()));
  placeholders_ = std::move(*placeholders);
  for (const std::string_view parameter : kExpressions) {
    if (std::ranges::find(allowed, parameter) == allowed.end()) continue;
    const auto text = fields.String(parameter);
    if (!text) continue;
    if (auto parsed = Parse(parameter, *text); !parsed) return parsed;
  }
  return placeholders_.CheckAllUsed();
}

Outcome<void> Expressions::Parse(std::string_view parameter, std::string_view text) {
  const auto keep = [](auto& place, auto parsed) -> Outcome<void> {
    if (!parsed) return std::unexpected(std::move(parsed.error()));
    place = std::move(*parsed);
    return {};
  };
  if (parameter == "UpdateExpression") return keep(update_, ParseUpdate(text, placeholders_));
  if (parameter == "ProjectionExpression") {
    return keep(projection_, ParseProjection(text, placeholders_));
  }
  std::optional<Node>& place = parameter == "ConditionExpression"      ? condition_
                               : parameter == "KeyConditionExpression" ? key_condition_
                                                                       : filter_;
  return keep(place, ParseCondition(text, parameter, placeholders_));
}

std::vector<const Path*> Expressions::projection_paths() const {
  std::vector<const Path*> paths;
  for (const Path& path : projection_) paths.push_back(&path);
  return paths;
}

CapacityReport ReadCapacityReport(const Fields& fields) {
  constexpr std::array<std::string_view, 3> kNames = {"INDEXES", "TOTAL", "NONE"};
  const auto name = fields.Enum("ReturnConsumedCapacity", kNames);
  if (name == "TOTAL") return CapacityReport::kTotal;
  return name == "INDEXES" ? CapacityReport::kIndexes : CapacityReport::kNone;
}

double WriteUnits(std::size_t bytes) {
  return static_cast<double>(
      std::max<std::size_t>(1, (bytes + kWriteUnitBytes - 1) / kWriteUnitBytes));
}

Consistency ReadConsistency(const Fields& fields) {
  return fields.Boolean("ConsistentRead").value_or(false) ? Consistency::kStrong
                                                          : Consistency::kEventual;
}

double ReadUnits(std::size_t bytes, Consistency consistency) {
  const auto blocks = std::max<std::size_t>(1, (bytes + kReadUnitBytes - 1) / kReadUnitBytes);
  return static_cast<double>(blocks) * (consistency == Consistency::kStrong ? 1 : 0.5);
}

void WriteCapacity(JsonWriter& json, CapacityReport report, std::string_view table, double units) {
  if (report == CapacityReport::kNone) return;
  json.Key("ConsumedCapacity");
  json.BeginObject();
  json.Field("TableName", table);
  json.Key("CapacityUnits");
  json.Decimal(units);
  if (report == CapacityReport::kIndexes) {
    json.Key("Table");
    json.BeginObject();
    json.Key("CapacityUnits");
    json.Decimal(units);
    json.EndObject();
  }
  json.EndObject();
}

Outcome<TablePtr> FindTable(const Store& store, std::string_view name) {
  if (TablePtr table = store.FindTable(name)) return table;
  return NotFound();
}

}  // namespace kelvin::tables
