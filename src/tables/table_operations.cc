#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <ranges>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tables/operation.h"
#include "tables/request.h"

namespace kelvin::tables {
namespace {

namespace json = boost::json;

constexpr std::int64_t kMaxUnits = 1'000'000'000'000;
constexpr std::size_t kMaxKeyName = 255;

struct NamedKey {
  std::string_view name;
  std::string_view type;
};

// CreateTable's members as they came, before any rule between them is checked.
struct CreateRequest {
  Faults faults;
  Fields fields;
  std::string_view name;
  std::vector<NamedKey> definitions;
  std::vector<NamedKey> schema;
  std::optional<std::string_view> billing;
  std::optional<Fields> throughput;
  std::optional<std::int64_t> read_units;
  std::optional<std::int64_t> write_units;
  bool deletion_protection = false;

  explicit CreateRequest(const json::object& request)
      : fields(request, faults), name(fields.TableName()) {
    constexpr std::array<std::string_view, 3> kTypes = {"B", "N", "S"};
    constexpr std::array<std::string_view, 2> kKeyTypes = {"HASH", "RANGE"};
    constexpr std::array<std::string_view, 2> kBilling = {"PROVISIONED", "PAY_PER_REQUEST"};
    const auto required = Presence::kRequired;
    for (const Fields& definition :
         fields.Structs("AttributeDefinitions", "AttributeDefinition", required)) {
      definitions.push_back({definition.String("AttributeName", required).value_or(""),
                             definition.Enum("AttributeType", kTypes, required).value_or("S")});
    }
    for (const Fields& element : fields.Structs("KeySchema", "KeySchemaElement", required)) {
      schema.push_back({element.String("AttributeName", required).value_or(""),
                        element.Enum("KeyType", kKeyTypes, required).value_or("HASH")});
    }
    CheckSchemaLength();
    billing = fields.Enum("BillingMode", kBilling);
    throughput = fields.Struct("ProvisionedThroughput", "ProvisionedThroughput");
    if (throughput) {
      read_units =
          throughput->Integer("ReadCapacityUnits", Fields::Width::kLong, {.min = 1}, required);
      write_units =
          throughput->Integer("WriteCapacityUnits", Fields::Width::kLong, {.min = 1}, required);
    }
    deletion_protection = fields.Boolean("DeletionProtectionEnabled").value_or(false);
  }
  CreateRequest(const CreateRequest&) = delete;
  CreateRequest& operator=(const CreateRequest&) = delete;

  void CheckSchemaLength() {
    const auto* value = fields.Find("KeySchema");
    const auto* array = value != nullptr ? value->if_array() : nullptr;
    if (array == nullptr || (!array->empty() && array->size() <= 2)) return;
    std::vector<std::string> shown;
    for (const auto& [key, type] : schema) {
      shown.push_back(fmt::format("KeySchemaElement(attributeName={}, keyType={})", key, type));
    }
    faults.Constraint(fmt::format("[{}]", fmt::join(shown, ", ")), "keySchema",
                      array->empty() ? "Member must have length greater than or equal to 1"
                                     : "Member must have length less than or equal to 2");
  }
};

Outcome<void> CheckBilling(const CreateRequest& request) {
  if (request.billing == "PAY_PER_REQUEST") {
    if (!request.throughput) return {};
    return InvalidParameter(
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
        "PAY_PER_REQUEST");
  }
  if (!request.read_units || !request.write_units) {
    return InvalidParameter(
        "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is "
        "PROVISIONED");
  }
  const auto out_of_bounds = [](std::int64_t units, std::string_view name) {
    return Invalid(fmt::format("Given value {} for {} is out of bounds", units, name));
  };
  if (*request.read_units > kMaxUnits) {
    return out_of_bounds(*request.read_units, "ReadCapacityUnits");
  }
  if (*request.write_units > kMaxUnits) {
    return out_of_bounds(*request.write_units, "WriteCapacityUnits");
  }
  return {};
}

const NamedKey* FindDefinition(const CreateRequest& request, std::string_view name) {
  const auto found = std::ranges::find(request.definitions, name, &NamedKey::name);
  return found == request.definitions.end() ? nullptr : &*found;
}

Outcome<void> CheckSchema(const CreateRequest& request) {
  const auto& schema = request.schema;
  if (schema.size() > request.definitions.size()) {
    return Invalid("Invalid KeySchema: Some index key attribute have no definition");
  }
  const auto name_of = [](const NamedKey& key) { return key.name; };
  for (const auto& key : schema) {
    if (FindDefinition(request, key.name) != nullptr) continue;
    return InvalidParameter(fmt::format(
        "Some index key attributes are not defined in AttributeDefinitions. Keys: [{}], "
        "AttributeDefinitions: [{}]",
        fmt::join(schema | std::views::transform(name_of), ", "),
        fmt::join(request.definitions | std::views::transform(name_of), ", ")));
  }
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
  for (const auto& key : schema) {
    if (!key.name.empty() && key.name.size() <= kMaxKeyName) continue;
    return InvalidParameter(
        fmt::format("Key attribute names must have 1 to 255 bytes, got {}", key.name.size()));
  }
  if (schema.size() != request.definitions.size()) {
    return InvalidParameter(
        "Number of attributes in KeySchema does not exactly match number of attributes defined in "
        "AttributeDefinitions");
  }
  return {};
}

// What would change how the table behaves, and is not there, is refused.
Outcome<void> CheckSupported(const CreateRequest& request) {
  for (const std::string_view name : {"GlobalSecondaryIndexes", "LocalSecondaryIndexes"}) {
    if (request.fields.Find(name) == nullptr) continue;
    return InvalidParameter(
        fmt::format("{} are not supported by these local tables; leave them out", name));
  }
  const auto* stream = request.fields.Find("StreamSpecification");
  const auto* specification = stream != nullptr ? stream->if_object() : nullptr;
  const auto* enabled =
      specification != nullptr ? specification->if_contains("StreamEnabled") : nullptr;
  if (enabled == nullptr || enabled->is_null() || *enabled == false) return {};
  return InvalidParameter(
      "Streams are not supported by these local tables; leave "
      "StreamSpecification out");
}

KeyAttribute KeyOf(const CreateRequest& request, const NamedKey& key) {
  const NamedKey* definition = FindDefinition(request, key.name);
  return {std::string(key.name), TypeOfCode(definition->type).value_or(ValueType::kString)};
}

enum class Status { kActive, kCreating, kDeleting };
constexpr std::array<std::string_view, 3> kStatus = {"ACTIVE", "CREATING", "DELETING"};

void WriteKeyElement(JsonWriter& json, const KeyAttribute& key, std::string_view type) {
  json.BeginObject();
  json.Field("AttributeName", key.name);
  json.Field("KeyType", type);
  json.EndObject();
}

void WriteDefinitionOf(JsonWriter& json, const KeyAttribute& key) {
  json.BeginObject();
  json.Field("AttributeName", key.name);
  json.Field("AttributeType", TypeCode(key.type));
  json.EndObject();
}

double EpochSeconds(Clock::WallTime time) {
  return std::chrono::duration<double>(
             std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch())
      .count();
}

void WriteBilling(JsonWriter& json, const TableDefinition& definition) {
  json.Key("ProvisionedThroughput");
  json.BeginObject();
  json.Field("NumberOfDecreasesToday", 0);
  json.Field("ReadCapacityUnits", definition.throughput.read);
  json.Field("WriteCapacityUnits", definition.throughput.write);
  json.EndObject();
  if (definition.billing == BillingMode::kProvisioned) return;
  json.Key("BillingModeSummary");
  json.BeginObject();
  json.Field("BillingMode", "PAY_PER_REQUEST");
  json.Key("LastUpdateToPayPerRequestDateTime");
  json.Decimal(EpochSeconds(definition.created));
  json.EndObject();
}

std::string DescriptionAnswer(std::string_view key, const OperationContext& context,
                              const TableDefinition& definition, Status status, Totals totals) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Key(key);
  json.BeginObject();
  json.Key("AttributeDefinitions");
  json.BeginArray();
  WriteDefinitionOf(json, definition.key.partition);
  if (definition.key.sort) WriteDefinitionOf(json, *definition.key.sort);
  json.EndArray();
  json.Field("TableName", definition.name);
  json.Key("KeySchema");
  json.BeginArray();
  WriteKeyElement(json, definition.key.partition, "HASH");
  if (definition.key.sort) WriteKeyElement(json, *definition.key.sort, "RANGE");
  json.EndArray();
  json.Field("TableStatus", kStatus[static_cast<std::size_t>(status)]);
  json.Key("CreationDateTime");
  json.Decimal(EpochSeconds(definition.created));
  WriteBilling(json, definition);
  json.Field("TableSizeBytes", totals.bytes);
  json.Field("ItemCount", totals.items);
  json.Field("TableArn", context.arn_prefix + definition.name);
  json.Field("TableId", definition.id);
  json.Key("DeletionProtectionEnabled");
  json.Boolean(definition.deletion_protection == DeletionProtection::kOn);
  json.EndObject();
  json.EndObject();
  return body;
}

std::unexpected<Failure> TableNotFound(std::string_view name) {
  return std::unexpected(
      Failure{FailureKind::kResourceNotFound,
              fmt::format("Requested resource not found: Table: {} not found", name)});
}

// The table that the request's only member names.
Outcome<TablePtr> NamedTable(const OperationContext& context, const json::object& body) {
  Faults faults;
  const Fields fields(body, faults);
  const std::string_view name = fields.TableName();
  if (auto ok = faults.Check(); !ok) return std::unexpected(std::move(ok.error()));
  if (TablePtr table = context.store.FindTable(name)) return table;
  return TableNotFound(name);
}

}  // namespace

Outcome<std::string> CreateTable(OperationContext& context, const json::object& body) {
  const CreateRequest request(body);
  if (auto ok = request.faults.Check(); !ok) return std::unexpected(std::move(ok.error()));
  for (const auto check : {CheckBilling, CheckSupported, CheckSchema}) {
    if (auto ok = check(request); !ok) return std::unexpected(std::move(ok.error()));
  }
  TableDefinition definition;
  definition.name = request.name;
  definition.id = NewUuid(context.random);
  definition.created = context.clock.WallNow();
  definition.key.partition = KeyOf(request, request.schema[0]);
  if (request.schema.size() == 2) definition.key.sort = KeyOf(request, request.schema[1]);
  if (request.billing == "PAY_PER_REQUEST") {
    definition.billing = BillingMode::kPayPerRequest;
  } else {
    definition.throughput = {*request.read_units, *request.write_units};
  }
  definition.deletion_protection =
      request.deletion_protection ? DeletionProtection::kOn : DeletionProtection::kOff;
  const auto created = context.store.CreateTable(std::move(definition));
  if (created) {
    return DescriptionAnswer("TableDescription", context, (*created)->definition, Status::kCreating,
                             Totals{});
  }
  if (created.error().code == ErrorCode::kAlreadyExists) {
    return std::unexpected(Failure{FailureKind::kResourceInUse,
                                   fmt::format("Table already exists: {}", request.name)});
  }
  return std::unexpected(FromError(created.error()));
}

Outcome<std::string> DescribeTable(OperationContext& context, const json::object& body) {
  const auto table = NamedTable(context, body);
  if (!table) return std::unexpected(table.error());
  const auto totals = context.store.CountItems(**table);
  if (!totals) return std::unexpected(FromError(totals.error()));
  return DescriptionAnswer("Table", context, (*table)->definition, Status::kActive, *totals);
}

Outcome<std::string> DeleteTable(OperationContext& context, const json::object& body) {
  const auto table = NamedTable(context, body);
  if (!table) return std::unexpected(table.error());
  const TableDefinition& definition = (*table)->definition;
  if (definition.deletion_protection == DeletionProtection::kOn) {
    return Invalid(
        "Resource cannot be deleted as it is currently protected against deletion. Disable "
        "deletion protection first.");
  }
  if (auto deleted = context.store.DeleteTable(definition.name); !deleted) {
    if (deleted.error().code == ErrorCode::kNotFound) return TableNotFound(definition.name);
    return std::unexpected(FromError(deleted.error()));
  }
  return DescriptionAnswer("TableDescription", context, definition, Status::kDeleting, Totals{});
}

Outcome<std::string> ListTables(OperationContext& context, const json::object& body) {
  constexpr std::int64_t kMaxLimit = 100;
  Faults faults;
  const Fields fields(body, faults);
  const auto after = fields.String("ExclusiveStartTableName").value_or("");
  const auto limit = static_cast<std::size_t>(
      fields.Integer("Limit", Fields::Width::kInteger, {.min = 1, .max = kMaxLimit})
          .value_or(kMaxLimit));
  if (auto ok = faults.Check(); !ok) return std::unexpected(std::move(ok.error()));
  std::vector<std::string> names = context.store.TableNames(after, limit + 1);
  const bool more = names.size() > limit;
  if (more) names.pop_back();
  std::string answer;
  JsonWriter json(answer);
  json.BeginObject();
  json.Key("TableNames");
  json.BeginArray();
  for (const std::string& name : names) json.String(name);
  json.EndArray();
  if (more) json.Field("LastEvaluatedTableName", names.back());
  json.EndObject();
  return answer;
}

Outcome<std::string> DescribeTimeToLive(OperationContext& context, const json::object& body) {
  const auto table = NamedTable(context, body);
  if (!table) return std::unexpected(table.error());
  const auto& attribute = (*table)->definition.time_to_live;
  std::string answer;
  JsonWriter json(answer);
  json.BeginObject();
  json.Key("TimeToLiveDescription");
  json.BeginObject();
  json.Field("TimeToLiveStatus", attribute ? "ENABLED" : "DISABLED");
  if (attribute) json.Field("AttributeName", *attribute);
  json.EndObject();
  json.EndObject();
  return answer;
}

Outcome<std::string> UpdateTimeToLive(OperationContext& context, const json::object& body) {
  Faults faults;
  const Fields fields(body, faults);
  const std::string_view name = fields.TableName();
  const auto specification =
      fields.Struct("TimeToLiveSpecification", "TimeToLiveSpecification", Presence::kRequired);
  const auto attribute =
      specification ? specification->String("AttributeName", Presence::kRequired) : std::nullopt;
  const auto enabled = specification ? specification->Boolean("Enabled") : std::nullopt;
  if (specification && specification->Find("Enabled") == nullptr) {
    faults.Constraint(std::nullopt, "timeToLiveSpecification.enabled", "Member must not be null");
  }
  if (auto ok = faults.Check(); !ok) return std::unexpected(std::move(ok.error()));
  const TablePtr table = context.store.FindTable(name);
  if (!table) return TableNotFound(name);
  TableDefinition definition = table->definition;
  if (*enabled && definition.time_to_live) {
    return Invalid(*definition.time_to_live == *attribute
                       ? "TimeToLive is already enabled"
                       : fmt::format("TimeToLive is active on a different AttributeName: current "
                                     "AttributeName is {}",
                                     *definition.time_to_live));
  }
  if (!*enabled && !definition.time_to_live) return Invalid("TimeToLive is already disabled");
  definition.time_to_live = *enabled ? std::optional(std::string(*attribute)) : std::nullopt;
  if (auto updated = context.store.UpdateTable(std::move(definition)); !updated) {
    return std::unexpected(FromError(updated.error()));
  }
  std::string answer;
  JsonWriter json(answer);
  json.BeginObject();
  json.Key("TimeToLiveSpecification");
  json.BeginObject();
  json.Field("AttributeName", *attribute);
  json.Key("Enabled");
  json.Boolean(*enabled);
  json.EndObject();
  json.EndObject();
  return answer;
}

}  // namespace kelvin::tables
