#include "tables/schema.h"

#include <chrono>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace kelvin::tables {
namespace {

namespace json = boost::json;

json::object KeyJson(const KeyAttribute& key) {
  return {{"name", key.name}, {"type", TypeCode(key.type)}};
}

KeyAttribute ReadKey(const json::value& json) {
  const auto& object = json.as_object();
  const auto type = TypeOfCode(object.at("type").as_string());
  return {std::string(object.at("name").as_string()), type.value_or(ValueType::kNull)};
}

bool IsKeyType(ValueType type) {
  return type == ValueType::kString || type == ValueType::kNumber || type == ValueType::kBinary;
}

TableDefinition ReadObject(const json::object& object) {
  TableDefinition definition;
  definition.name = object.at("name").as_string();
  definition.id = object.at("id").as_string();
  definition.created =
      Clock::WallTime(std::chrono::milliseconds(object.at("created_ms").to_number<std::int64_t>()));
  definition.key.partition = ReadKey(object.at("partition_key"));
  if (const auto* sort = object.if_contains("sort_key")) definition.key.sort = ReadKey(*sort);
  definition.billing =
      object.at("on_demand").as_bool() ? BillingMode::kPayPerRequest : BillingMode::kProvisioned;
  definition.throughput = {object.at("read_units").to_number<std::int64_t>(),
                           object.at("write_units").to_number<std::int64_t>()};
  definition.deletion_protection = object.at("deletion_protection").as_bool()
                                       ? DeletionProtection::kOn
                                       : DeletionProtection::kOff;
  if (const auto* attribute = object.if_contains("time_to_live")) {
    definition.time_to_live = std::string(attribute->as_string());
  }
  return definition;
}

}  // namespace

std::string WriteDefinition(const TableDefinition& definition) {
  const auto created_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(definition.created.time_since_epoch());
  json::object object = {
      {"name", definition.name},
      {"id", definition.id},
      {"created_ms", created_ms.count()},
      {"partition_key", KeyJson(definition.key.partition)},
      {"on_demand", definition.billing == BillingMode::kPayPerRequest},
      {"read_units", definition.throughput.read},
      {"write_units", definition.throughput.write},
      {"deletion_protection", definition.deletion_protection == DeletionProtection::kOn},
  };
  if (definition.key.sort) object["sort_key"] = KeyJson(*definition.key.sort);
  if (definition.time_to_live) object["time_to_live"] = *definition.time_to_live;
  return json::serialize(object);
}

std::expected<TableDefinition, Error> ReadDefinition(std::string_view text) {
  try {
    TableDefinition definition = ReadObject(json::parse(text).as_object());
    const KeySchema& key = definition.key;
    if (IsKeyType(key.partition.type) && (!key.sort || IsKeyType(key.sort->type))) {
      return definition;
    }
  } catch (const std::exception&) {
    // Boost.JSON throws for whatever is not as expected; the message below says more than it.
  }
  return std::unexpected(
      Error{ErrorCode::kCorrupt,
            fmt::format("expected the definition of a table, got '{}'", text.substr(0, 200))});
}

}  // namespace kelvin::tables
