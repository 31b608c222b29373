#include "tables/table_request.h"

#include <algorithm>
#include <array>
#include <limits>
#include <ranges>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace kelvin::tables {
namespace {

constexpr std::int64_t kMaxUnits = 1'000'000'000'000;
constexpr std::size_t kMaxKeyName = 255;

const NamedKey* FindDefinition(const std::vector<NamedKey>& definitions, std::string_view name) {
  const auto found = std::ranges::find(definitions, name, &NamedKey::name);
  return found == definitions.end() ? nullptr : &*found;
}

// One that no name of an attribute of a key passes where it is wrong.
std::string_view ReadKeyName(const Fields& fields) {
  return fields.StringOf({.min = 1, .max = kMaxKeyName}, "AttributeName", Presence::kRequired)
      .value_or("");
}

std::string NamesOf(const std::vector<NamedKey>& keys) {
  std::vector<std::string_view> names;
  for (const NamedKey& key : keys) names.push_back(key.name);
  return fmt::format("[{}]", fmt::join(names, ", "));
}

Outcome<void> CheckDefined(const std::vector<NamedKey>& schema,
                           const std::vector<NamedKey>& definitions) {
  for (const NamedKey& key : schema) {
    if (FindDefinition(definitions, key.name) != nullptr) continue;
    return InvalidParameter(
        fmt::format("Some index key attributes are not defined in AttributeDefinitions. Keys: {}, "
                    "AttributeDefinitions: {}",
                    NamesOf(schema), NamesOf(definitions)));
  }
  return {};
}

Outcome<void> CheckRoles(const std::vector<NamedKey>& schema) {
  if (schema.size() == 2 && schema[0].name == schema[1].name) {
    return Invalid(
        "Both the Hash Key and the Range Key element in the KeySchema have the same name");
  }
  if (schema[0].type != "HASH") {
    return Invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
  }
  if (schema.size() == 2 && schema[1].type != "RANGE") {
    return Invalid("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type");
  }
  return {};
}

std::optional<std::vector<std::string_view>> ReadProjected(const Fields& projection) {
  constexpr std::string_view kRule =
      "Member must satisfy constraint: [Member must have length less than or equal to 255, Member "
      "must have length greater than or equal to 1]";
  auto names = projection.Strings("NonKeyAttributes", {.min = 1, .max = 20});
  const auto is_wrong = [](std::string_view name) {
    return name.empty() || name.size() > kMaxKeyName;
  };
  if (names && std::ranges::any_of(*names, is_wrong)) {
    projection.faults().Constraint(fmt::format("[{}]", fmt::join(*names, ", ")),
                                   projection.PathOf("NonKeyAttributes"), kRule);
  }
  return names;
}

}  // namespace

std::optional<ThroughputRequest> ReadThroughput(const Fields& fields) {
  const auto throughput = fields.Struct("ProvisionedThroughput", "ProvisionedThroughput");
  if (!throughput) return std::nullopt;
  const auto units = [&](std::string_view name) {
    return throughput->Integer(name, Fields::Width::kLong, {.min = 1}, Presence::kRequired)
        .value_or(0);
  };
  const std::int64_t write = units("WriteCapacityUnits");
  return ThroughputRequest{units("ReadCapacityUnits"), write};
}

std::vector<NamedKey> ReadDefinitions(const Fields& fields, Presence presence) {
  constexpr std::array<std::string_view, 3> kTypes = {"B", "N", "S"};
  std::vector<NamedKey> definitions;
  for (const Fields& definition :
       fields.Structs("AttributeDefinitions", "AttributeDefinition", presence)) {
    const auto name = ReadKeyName(definition);
    const auto type = definition.Enum("AttributeType", kTypes, Presence::kRequired);
    definitions.push_back({name, type.value_or("S")});
  }
  return definitions;
}

std::vector<NamedKey> ReadKeySchema(const Fields& fields) {
  constexpr std::array<std::string_view, 2> kKeyTypes = {"HASH", "RANGE"};
  std::vector<NamedKey> schema;
  for (const Fields& element :
       fields.Structs("KeySchema", "KeySchemaElement", Presence::kRequired)) {
    const auto name = ReadKeyName(element);
    const auto type = element.Enum("KeyType", kKeyTypes, Presence::kRequired);
    schema.push_back({name, type.value_or("HASH")});
  }
  const auto* value = fields.Find("KeySchema");
  const auto* array = value != nullptr ? value->if_array() : nullptr;
  if (array == nullptr || (!array->empty() && array->size() <= 2)) return schema;
  std::vector<std::string> shown;
  for (const auto& [key, type] : schema) {
    shown.push_back(fmt::format("KeySchemaElement(attributeName={}, keyType={})", key, type));
  }
  fields.faults().Constraint(fmt::format("[{}]", fmt::join(shown, ", ")),
                             fields.PathOf("KeySchema"),
                             array->empty() ? "Member must have length greater than or equal to 1"
                                            : "Member must have length less than or equal to 2");
  return schema;
}

IndexRequest ReadIndex(const Fields& fields, IndexKind kind) {
  constexpr std::array<std::string_view, 3> kProjections = {"ALL", "INCLUDE", "KEYS_ONLY"};
  IndexRequest index;
  index.kind = kind;
  if (const auto name = fields.String("IndexName", Presence::kRequired)) {
    fields.CheckName("IndexName", *name);
    index.name = *name;
  }
  index.schema = ReadKeySchema(fields);
  if (const auto projection = fields.Struct("Projection", "Projection", Presence::kRequired)) {
    index.projection = projection->Enum("ProjectionType", kProjections);
    index.attributes = ReadProjected(*projection);
  }
  if (kind == IndexKind::kGlobal) {
    index.throughput = ReadThroughput(fields);
    index.warm = ReadWarmThroughput(fields);
  }
  return index;
}

std::optional<std::string_view> ReadBillingMode(const Fields& fields) {
  constexpr std::array<std::string_view, 2> kModes = {"PROVISIONED", "PAY_PER_REQUEST"};
  return fields.Enum("BillingMode", kModes);
}

std::optional<WarmRequest> ReadWarmThroughput(const Fields& fields) {
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  const auto warm = fields.Struct("WarmThroughput", "WarmThroughput");
  if (!warm) return std::nullopt;
  const auto units = [&](std::string_view name) {
    return warm->Integer(name, Fields::Width::kLong, {.min = kLeast});
  };
  return WarmRequest{units("ReadUnitsPerSecond"), units("WriteUnitsPerSecond")};
}

Throughput WarmOf(const WarmRequest& request) {
  return {request.read.value_or(0), request.write.value_or(0)};
}

Outcome<void> CheckWarm(const std::optional<WarmRequest>& request, const Throughput& least,
                        std::string_view of, std::string_view least_is) {
  if (!request) return {};
  const auto too_low = [&](std::string_view kind, std::string_view units) {
    return InvalidParameter(fmt::format(
        "Requested {}UnitsPerSecond for WarmThroughput for {} is lower than {}", kind, of,
        least_is.empty() ? fmt::format("{} of ProvisionedThroughput", units)
                         : std::string(least_is)));
  };
  if (request->read && *request->read < least.read) return too_low("Read", "ReadCapacityUnits");
  if (request->write && *request->write < least.write) {
    return too_low("Write", "WriteCapacityUnits");
  }
  return {};
}

std::optional<Throughput> ReadOnDemandMaximum(const Fields& fields) {
  const auto maximum = fields.Struct("OnDemandThroughput", "OnDemandThroughput");
  if (!maximum) return std::nullopt;
  const auto units = [&](std::string_view name) {
    return maximum->Integer(name, Fields::Width::kLong, {.min = -1}).value_or(-1);
  };
  return Throughput{units("MaxReadRequestUnits"), units("MaxWriteRequestUnits")};
}

std::optional<std::string> ReadEncryptionKey(const Fields& fields, std::string_view region,
                                             std::string_view account_id) {
  constexpr std::array<std::string_view, 2> kTypes = {"AES256", "KMS"};
  constexpr std::string_view kDefaultKey = "00000000-0000-4000-8000-000000000000";
  const auto encryption = fields.Struct("SSESpecification", "SSESpecification");
  if (!encryption) return std::nullopt;
  const bool enabled = encryption->Boolean("Enabled").value_or(false);
  (void)encryption->Enum("SSEType", kTypes);
  const auto key = encryption->String("KMSMasterKeyId");
  if (!enabled && !key) return std::string{};
  if (key && key->starts_with("arn:")) return std::string(*key);
  return fmt::format("arn:aws:kms:{}:{}:{}{}", region, account_id,
                     key && key->starts_with("alias/") ? "" : "key/", key.value_or(kDefaultKey));
}

Outcome<void> CheckTableClass(std::optional<std::string_view> table_class) {
  if (!table_class || table_class == "STANDARD" || table_class == "STANDARD_INFREQUENT_ACCESS") {
    return {};
  }
  return Invalid(
      "Invalid table-class parameter provided. Please try again with a valid table-class value: "
      "[STANDARD, STANDARD_INFREQUENT_ACCESS].");
}

Outcome<void> CheckUnits(const ThroughputRequest& throughput) {
  const auto out_of_bounds = [](std::int64_t units, std::string_view name) {
    return Invalid(fmt::format("Given value {} for {} is out of bounds", units, name));
  };
  if (throughput.read > kMaxUnits) return out_of_bounds(throughput.read, "ReadCapacityUnits");
  if (throughput.write > kMaxUnits) return out_of_bounds(throughput.write, "WriteCapacityUnits");
  return {};
}

Outcome<void> CheckUnitsOfIndex(const ThroughputRequest& throughput) {
  if (CheckUnits(throughput)) return {};
  return Invalid(
      "This operation cannot be performed with given input values. Please contact DynamoDB service "
      "team for more info: Action Blocked: IndexUpdate");
}

Outcome<void> CheckKeySchema(const std::vector<NamedKey>& schema,
                             const std::vector<NamedKey>& definitions) {
  if (schema.size() > definitions.size()) {
    return Invalid("Invalid KeySchema: Some index key attribute have no definition");
  }
  if (auto ok = CheckDefined(schema, definitions); !ok) return ok;
  return CheckRoles(schema);
}

Outcome<void> CheckIndex(const IndexRequest& index, const std::vector<NamedKey>& definitions) {
  if (auto ok = CheckDefined(index.schema, definitions); !ok) return ok;
  if (auto ok = CheckRoles(index.schema); !ok) return ok;
  if (index.kind == IndexKind::kLocal && index.schema.size() != 2) {
    return InvalidParameter(
        fmt::format("Index KeySchema does not have a range key for index: {}", index.name));
  }
  return {};
}

Outcome<void> CheckProjection(const IndexRequest& index) {
  if (!index.projection) return InvalidParameter("Unknown ProjectionType: null");
  if (index.attributes && *index.projection != "INCLUDE") {
    return InvalidParameter(
        fmt::format("ProjectionType is {}, but NonKeyAttributes is specified", *index.projection));
  }
  if (*index.projection == "INCLUDE" && !index.attributes) {
    return InvalidParameter("ProjectionType is INCLUDE, but NonKeyAttributes is not specified");
  }
  if (!index.attributes) return {};
  std::set<std::string_view> seen;
  for (const std::string_view name : *index.attributes) {
    if (seen.insert(name).second) continue;
    return InvalidParameter(fmt::format("Duplicate element in NonKeyAttributes: {}", name));
  }
  return {};
}

KeyAttribute AttributeOf(const NamedKey& definition) {
  return {std::string(definition.name), TypeOfCode(definition.type).value_or(ValueType::kString)};
}

KeySchema SchemaOf(const std::vector<NamedKey>& schema, const std::vector<NamedKey>& definitions) {
  KeySchema keys;
  keys.partition = AttributeOf(*FindDefinition(definitions, schema[0].name));
  if (schema.size() == 2) keys.sort = AttributeOf(*FindDefinition(definitions, schema[1].name));
  return keys;
}

IndexDefinition IndexOf(const IndexRequest& index, const std::vector<NamedKey>& definitions) {
  IndexDefinition definition;
  definition.kind = index.kind;
  definition.name = index.name;
  definition.key = SchemaOf(index.schema, definitions);
  definition.projection = *index.projection == "ALL"       ? ProjectionType::kAll
                          : *index.projection == "INCLUDE" ? ProjectionType::kInclude
                                                           : ProjectionType::kKeysOnly;
  if (index.attributes) {
    definition.attributes.assign(index.attributes->begin(), index.attributes->end());
  }
  if (index.throughput) definition.throughput = {index.throughput->read, index.throughput->write};
  if (index.warm) definition.warm = WarmOf(*index.warm);
  return definition;
}

Outcome<void> CheckNoStream(const Fields& fields) {
  const auto* value = fields.Find("StreamSpecification");
  const auto* stream = value != nullptr ? value->if_object() : nullptr;
  if (stream == nullptr) return {};
  const auto* enabled = stream->if_contains("StreamEnabled");
  if (enabled == nullptr || enabled->is_null()) {
    return Invalid(
        "1 validation error detected: Value null at 'streamSpecification.streamEnabled' failed to "
        "satisfy constraint: Member must not be null");
  }
  if (*enabled == true) {
    return InvalidParameter(
        "A stream is not supported by these local tables; leave StreamSpecification out");
  }
  if (!stream->contains("StreamViewType")) return {};
  return InvalidParameter(
      "Table is being created with a stream disabled, UpdateViewType should not be specified");
}

}  // namespace kelvin::tables
