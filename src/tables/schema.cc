#include "tables/schema.h"

#include <algorithm>
#include <array>
#include <chrono>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace kelvin::tables {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 3> kProjections = {"ALL", "INCLUDE", "KEYS_ONLY"};

bool IsKeyType(ValueType type) {
  return type == ValueType::kString || type == ValueType::kNumber || type == ValueType::kBinary;
}

json::object KeyJson(const KeyAttribute& key) {
  return {{"name", key.name}, {"type", TypeCode(key.type)}};
}

// Boost.JSON throws where something is not as expected, and so does this.
KeyAttribute ReadKey(const json::value& json) {
  const auto& object = json.as_object();
  const auto type = TypeOfCode(object.at("type").as_string());
  if (!type || !IsKeyType(*type)) throw std::invalid_argument("no type of a key");
  return {std::string(object.at("name").as_string()), *type};
}

KeySchema ReadSchema(const json::object& object) {
  KeySchema schema;
  schema.partition = ReadKey(object.at("partition_key"));
  if (const auto* sort = object.if_contains("sort_key")) schema.sort = ReadKey(*sort);
  return schema;
}

void AddSchema(json::object& object, const KeySchema& schema) {
  object["partition_key"] = KeyJson(schema.partition);
  if (schema.sort) object["sort_key"] = KeyJson(*schema.sort);
}

std::int64_t IntegerAt(const json::object& object, std::string_view name) {
  return object.at(name).to_number<std::int64_t>();
}

Throughput ReadThroughput(const json::object& object) {
  return {IntegerAt(object, "read_units"), IntegerAt(object, "write_units")};
}

void AddThroughput(json::object& object, const Throughput& throughput) {
  object["read_units"] = throughput.read;
  object["write_units"] = throughput.write;
}

std::int64_t Milliseconds(Clock::WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

Clock::WallTime TimeAt(const json::object& object, std::string_view name) {
  return Clock::WallTime(std::chrono::milliseconds(IntegerAt(object, name)));
}

void AddWarm(json::object& object, const std::optional<Throughput>& warm) {
  if (!warm) return;
  json::object units;
  AddThroughput(units, *warm);
  object["warm"] = std::move(units);
}

std::optional<Throughput> ReadWarm(const json::object& object) {
  const auto* warm = object.if_contains("warm");
  return warm != nullptr ? std::optional(ReadThroughput(warm->as_object())) : std::nullopt;
}

json::object IndexJson(const IndexDefinition& index) {
  json::object object = {{"name", index.name},
                         {"local", index.kind == IndexKind::kLocal},
                         {"container", index.container},
                         {"projection", ProjectionName(index.projection)}};
  AddSchema(object, index.key);
  AddThroughput(object, index.throughput);
  AddWarm(object, index.warm);
  json::array attributes;
  for (const std::string& name : index.attributes) attributes.emplace_back(name);
  object["attributes"] = std::move(attributes);
  return object;
}

IndexDefinition ReadIndex(const json::value& json) {
  const auto& object = json.as_object();
  IndexDefinition index;
  index.name = object.at("name").as_string();
  index.kind = object.at("local").as_bool() ? IndexKind::kLocal : IndexKind::kGlobal;
  index.container = IntegerAt(object, "container");
  const auto projection = std::ranges::find(kProjections, object.at("projection").as_string());
  if (projection == kProjections.end()) throw std::invalid_argument("no projection");
  index.projection = static_cast<ProjectionType>(projection - kProjections.begin());
  index.key = ReadSchema(object);
  index.throughput = ReadThroughput(object);
  index.warm = ReadWarm(object);
  for (const auto& name : object.at("attributes").as_array()) {
    index.attributes.emplace_back(name.as_string());
  }
  return index;
}

// Members that the first format did not have.
void ReadLaterMembers(const json::object& object, TableDefinition& definition) {
  if (const auto* attributes = object.if_contains("attributes")) {
    for (const auto& key : attributes->as_array()) definition.attributes.push_back(ReadKey(key));
  } else {
    definition.attributes.push_back(definition.key.partition);
    if (definition.key.sort) definition.attributes.push_back(*definition.key.sort);
  }
  if (const auto* indexes = object.if_contains("indexes")) {
    for (const auto& index : indexes->as_array()) definition.indexes.push_back(ReadIndex(index));
  }
  if (const auto* attribute = object.if_contains("time_to_live")) {
    definition.time_to_live = TimeToLive{std::string(attribute->as_string()), 0};
    if (const auto* container = object.if_contains("time_to_live_container")) {
      definition.time_to_live->container = container->to_number<std::int64_t>();
    }
  }
  if (const auto* tags = object.if_contains("tags")) {
    for (const auto& tag : tags->as_object()) {
      definition.tags[tag.key()] = tag.value().as_string();
    }
  }
  if (const auto* table_class = object.if_contains("table_class")) {
    definition.table_class = table_class->as_string();
  }
  if (object.contains("table_class_changed_ms")) {
    definition.table_class_changed = TimeAt(object, "table_class_changed_ms");
  }
  definition.warm = ReadWarm(object);
  if (const auto* key = object.if_contains("kms_key")) definition.kms_key = key->as_string();
  if (const auto* maximum = object.if_contains("on_demand_maximum")) {
    definition.on_demand_maximum = ReadThroughput(maximum->as_object());
  }
  if (object.contains("on_demand_since_ms")) {
    definition.on_demand_since = TimeAt(object, "on_demand_since_ms");
  } else if (definition.billing == BillingMode::kPayPerRequest) {
    definition.on_demand_since = definition.created;
  }
}

TableDefinition ReadObject(const json::object& object) {
  TableDefinition definition;
  definition.name = object.at("name").as_string();
  definition.id = object.at("id").as_string();
  definition.created = TimeAt(object, "created_ms");
  definition.key = ReadSchema(object);
  definition.billing =
      object.at("on_demand").as_bool() ? BillingMode::kPayPerRequest : BillingMode::kProvisioned;
  definition.throughput = ReadThroughput(object);
  definition.deletion_protection = object.at("deletion_protection").as_bool()
                                       ? DeletionProtection::kOn
                                       : DeletionProtection::kOff;
  ReadLaterMembers(object, definition);
  return definition;
}

}  // namespace

std::string_view ProjectionName(ProjectionType type) {
  return kProjections[static_cast<std::size_t>(type)];
}

const IndexDefinition* TableDefinition::FindIndex(std::string_view index) const {
  const auto found = std::ranges::find(indexes, index, &IndexDefinition::name);
  return found == indexes.end() ? nullptr : &*found;
}

const KeyAttribute* TableDefinition::FindAttribute(std::string_view attribute) const {
  const auto found = std::ranges::find(attributes, attribute, &KeyAttribute::name);
  return found == attributes.end() ? nullptr : &*found;
}

std::string WriteDefinition(const TableDefinition& definition) {
  json::object object = {
      {"name", definition.name},
      {"id", definition.id},
      {"created_ms", Milliseconds(definition.created)},
      {"on_demand", definition.billing == BillingMode::kPayPerRequest},
      {"deletion_protection", definition.deletion_protection == DeletionProtection::kOn},
  };
  AddSchema(object, definition.key);
  AddThroughput(object, definition.throughput);
  json::array attributes;
  for (const KeyAttribute& key : definition.attributes) attributes.push_back(KeyJson(key));
  object["attributes"] = std::move(attributes);
  json::array indexes;
  for (const IndexDefinition& index : definition.indexes) indexes.push_back(IndexJson(index));
  object["indexes"] = std::move(indexes);
  if (definition.time_to_live) {
    object["time_to_live"] = definition.time_to_live->attribute;
    object["time_to_live_container"] = definition.time_to_live->container;
  }
  json::object tags;
  for (const auto& [key, value] : definition.tags) tags[key] = value;
  object["tags"] = std::move(tags);
  if (!definition.table_class.empty()) object["table_class"] = definition.table_class;
  if (definition.table_class_changed) {
    object["table_class_changed_ms"] = Milliseconds(*definition.table_class_changed);
  }
  AddWarm(object, definition.warm);
  if (!definition.kms_key.empty()) object["kms_key"] = definition.kms_key;
  if (definition.on_demand_maximum) {
    json::object maximum;
    AddThroughput(maximum, *definition.on_demand_maximum);
    object["on_demand_maximum"] = std::move(maximum);
  }
  if (definition.on_demand_since) {
    object["on_demand_since_ms"] = Milliseconds(*definition.on_demand_since);
  }
  return json::serialize(object);
}

std::expected<TableDefinition, Error> ReadDefinition(std::string_view text) {
  try {
    return ReadObject(json::parse(text).as_object());
  } catch (const std::exception&) {
    // What was thrown says less than the message below.
  }
  return std::unexpected(
      Error{ErrorCode::kCorrupt,
            fmt::format("expected the definition of a table, got '{}'", text.substr(0, 200))});
}

}  // namespace kelvin::tables
