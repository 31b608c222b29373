#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tables/operation.h"
#include "tables/table_description.h"
#include "tables/table_request.h"
#include "tables/tags.h"

namespace kelvin::tables {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxLocalIndexes = 5;
constexpr std::size_t kMaxGlobalIndexes = 20;

// CreateTable's members as they came, before any rule between them is checked.
struct CreateRequest {
  Faults faults;
  Fields fields;
  std::string_view name;
  std::vector<NamedKey> definitions;
  std::vector<NamedKey> schema;
  std::optional<std::string_view> billing;
  std::optional<ThroughputRequest> throughput;
  std::optional<std::string_view> table_class;
  std::optional<WarmRequest> warm;
  std::optional<Throughput> on_demand_maximum;
  std::optional<std::string> kms_key;
  std::optional<std::vector<IndexRequest>> global;
  std::optional<std::vector<IndexRequest>> local;
  std::vector<Tag> tags;
  bool deletion_protection = false;

  CreateRequest(const json::object& request, const OperationContext& context)
      : fields(request, faults),
        name(fields.TableName()),
        definitions(ReadDefinitions(fields, Presence::kRequired)),
        schema(ReadKeySchema(fields)),
        billing(ReadBillingMode(fields)),
        throughput(ReadThroughput(fields)),
        table_class(fields.String("TableClass")),
        warm(ReadWarmThroughput(fields)),
        on_demand_maximum(ReadOnDemandMaximum(fields)),
        kms_key(ReadEncryptionKey(fields, context.region, context.account_id)),
        global(ReadIndexes("GlobalSecondaryIndexes", "GlobalSecondaryIndex", IndexKind::kGlobal)),
        local(ReadIndexes("LocalSecondaryIndexes", "LocalSecondaryIndex", IndexKind::kLocal)),
        tags(ReadTags(fields)),
        deletion_protection(fields.Boolean("DeletionProtectionEnabled").value_or(false)) {}
  CreateRequest(const CreateRequest&) = delete;
  CreateRequest& operator=(const CreateRequest&) = delete;

 private:
  std::optional<std::vector<IndexRequest>> ReadIndexes(std::string_view member,
                                                       std::string_view class_name,
                                                       IndexKind kind) const {
    if (fields.Find(member) == nullptr) return std::nullopt;
    std::vector<IndexRequest> indexes;
    for (const Fields& index : fields.Structs(member, class_name)) {
      indexes.push_back(ReadIndex(index, kind));
    }
    return indexes;
  }
};

Outcome<void> CheckBilling(const CreateRequest& request) {
  if (request.billing == "PAY_PER_REQUEST") {
    if (!request.throughput) return {};
    return InvalidParameter(
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
        "PAY_PER_REQUEST");
  }
  if (!request.throughput) {
    return InvalidParameter(
        "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is "
        "PROVISIONED");
  }
  return CheckUnits(*request.throughput);
}

Outcome<void> CheckWarmth(const CreateRequest& request) {
  const bool on_demand = request.billing == "PAY_PER_REQUEST";
  const std::string_view least_is =
      on_demand ? "initial throughput for OnDemand. See: https://docs.aws.amazon.com/"
                  "amazondynamodb/latest/developerguide/on-demand-capacity-mode.html"
                  "#on-demand-capacity-mode-initial"
                : "";
  const auto least = [&](const std::optional<ThroughputRequest>& units) {
    return on_demand || !units ? kOnDemandWarm : Throughput{units->read, units->write};
  };
  auto ok = CheckWarm(request.warm, least(request.throughput), "table", least_is);
  if (!ok || !request.global) return ok;
  for (const IndexRequest& index : *request.global) {
    ok = CheckWarm(index.warm, least(index.throughput), fmt::format("index {}", index.name),
                   least_is);
    if (!ok) return ok;
  }
  return {};
}

// Twice the same attribute would be of two types.
Outcome<void> CheckDefinedOnce(const std::vector<NamedKey>& definitions) {
  std::set<std::string_view> defined;
  for (const NamedKey& key : definitions) {
    if (defined.insert(key.name).second) continue;
    return Invalid(fmt::format("Attribute Name is duplicated: {}", key.name));
  }
  return {};
}

Outcome<void> CheckSchema(const CreateRequest& request) {
  if (auto ok = CheckKeySchema(request.schema, request.definitions); !ok) return ok;
  if (auto ok = CheckDefinedOnce(request.definitions); !ok) return ok;
  if (request.local || request.global || request.schema.size() == request.definitions.size()) {
    return {};
  }
  return InvalidParameter(
      "Number of attributes in KeySchema does not exactly match number of attributes defined in "
      "AttributeDefinitions");
}

Outcome<void> TakeName(const IndexRequest& index, std::set<std::string_view>& names) {
  if (names.insert(index.name).second) return {};
  return InvalidParameter(fmt::format("Duplicate index name: {}", index.name));
}

Outcome<void> CheckLocalIndexes(const CreateRequest& request, std::set<std::string_view>& names) {
  if (!request.local) return {};
  if (request.local->empty()) return InvalidParameter("List of LocalSecondaryIndexes is empty");
  if (request.schema.size() != 2) {
    return InvalidParameter(
        "Table KeySchema does not have a range key, which is required when specifying a "
        "LocalSecondaryIndex");
  }
  const std::string_view hash = request.schema[0].name;
  for (const IndexRequest& index : *request.local) {
    if (auto ok = CheckIndex(index, request.definitions); !ok) return ok;
    if (index.schema[0].name != hash) {
      return InvalidParameter(fmt::format(
          "Index KeySchema does not have the same leading hash key as table KeySchema for index: "
          "{}. index hash key: {}, table hash key: {}",
          index.name, index.schema[0].name, hash));
    }
    if (auto ok = CheckProjection(index); !ok) return ok;
    if (auto ok = TakeName(index, names); !ok) return ok;
  }
  if (request.local->size() <= kMaxLocalIndexes) return {};
  return InvalidParameter("Number of LocalSecondaryIndexes exceeds per-table limit of 5");
}

Outcome<void> CheckGlobalIndexes(const CreateRequest& request, std::set<std::string_view>& names) {
  if (!request.global) return {};
  if (request.global->empty()) return InvalidParameter("List of GlobalSecondaryIndexes is empty");
  const bool on_demand = request.billing == "PAY_PER_REQUEST";
  for (const IndexRequest& index : *request.global) {
    if (auto ok = CheckIndex(index, request.definitions); !ok) return ok;
    if (auto ok = CheckProjection(index); !ok) return ok;
    if (on_demand && index.throughput) {
      return InvalidParameter(
          fmt::format("ProvisionedThroughput should not be specified for index: {} when "
                      "BillingMode is PAY_PER_REQUEST",
                      index.name));
    }
    if (!on_demand && !index.throughput) {
      return InvalidParameter(
          fmt::format("ProvisionedThroughput must be specified for index: {}", index.name));
    }
    if (index.throughput) {
      if (auto ok = CheckUnits(*index.throughput); !ok) return ok;
    }
    if (auto ok = TakeName(index, names); !ok) return ok;
  }
  if (request.global->size() <= kMaxGlobalIndexes) return {};
  return InvalidParameter("GlobalSecondaryIndex count exceeds the per-table limit of 20");
}

// Every definition must be a key somewhere.
Outcome<void> CheckAllUsed(const CreateRequest& request) {
  std::set<std::string_view> used;
  const auto use = [&](const std::vector<NamedKey>& schema) {
    for (const NamedKey& key : schema) used.insert(key.name);
  };
  use(request.schema);
  for (const auto* indexes : {&request.local, &request.global}) {
    if (!*indexes) continue;
    for (const IndexRequest& index : **indexes) use(index.schema);
  }
  if (request.definitions.size() == used.size()) return {};
  std::vector<std::string_view> keys(used.begin(), used.end());
  std::vector<std::string_view> names;
  for (const NamedKey& key : request.definitions) names.push_back(key.name);
  return InvalidParameter(
      fmt::format("Some AttributeDefinitions are not used. AttributeDefinitions: [{}], keys used: "
                  "[{}]",
                  fmt::join(names, ", "), fmt::join(keys, ", ")));
}

Outcome<void> CheckCreate(const CreateRequest& request) {
  if (auto ok = CheckBilling(request); !ok) return ok;
  if (auto ok = CheckNoStream(request.fields); !ok) return ok;
  if (auto ok = CheckSchema(request); !ok) return ok;
  std::set<std::string_view> names;
  if (auto ok = CheckLocalIndexes(request, names); !ok) return ok;
  if (auto ok = CheckGlobalIndexes(request, names); !ok) return ok;
  if (auto ok = CheckTags(request.tags, {}); !ok) return ok;
  if (auto ok = CheckTableClass(request.table_class); !ok) return ok;
  if (auto ok = CheckWarmth(request); !ok) return ok;
  return CheckAllUsed(request);
}

TableDefinition DefinitionOf(const CreateRequest& request, OperationContext& context) {
  TableDefinition definition;
  definition.name = request.name;
  definition.id = NewUuid(context.random);
  definition.created = context.clock.WallNow();
  definition.key = SchemaOf(request.schema, request.definitions);
  for (const NamedKey& key : request.definitions) {
    definition.attributes.push_back(AttributeOf(key));
  }
  for (const auto* indexes : {&request.local, &request.global}) {
    if (!*indexes) continue;
    for (const IndexRequest& index : **indexes) {
      definition.indexes.push_back(IndexOf(index, request.definitions));
    }
  }
  if (request.billing == "PAY_PER_REQUEST") {
    definition.billing = BillingMode::kPayPerRequest;
    definition.on_demand_since = definition.created;
  } else {
    definition.throughput = {request.throughput->read, request.throughput->write};
  }
  definition.deletion_protection =
      request.deletion_protection ? DeletionProtection::kOn : DeletionProtection::kOff;
  definition.table_class = request.table_class.value_or("");
  if (request.warm) definition.warm = WarmOf(*request.warm);
  definition.on_demand_maximum = request.on_demand_maximum;
  definition.kms_key = request.kms_key.value_or("");
  for (const Tag& tag : request.tags) definition.tags[std::string(tag.key)] = tag.value;
  return definition;
}

std::string DescriptionAnswer(std::string_view key, const OperationContext& context,
                              const Table& table, TableStatus status, const Store* store) {
  std::string body;
  JsonWriter out(body);
  out.BeginObject();
  out.Key(key);
  WriteDescription(out, table, status, context.arn_prefix, store);
  out.EndObject();
  return body;
}

}  // namespace

std::unexpected<Failure> TableNotFound(std::string_view name) {
  return std::unexpected(
      Failure{FailureKind::kResourceNotFound,
              fmt::format("Requested resource not found: Table: {} not found", name)});
}

Outcome<TablePtr> NamedTable(const OperationContext& context, const json::object& body) {
  Faults faults;
  const Fields fields(body, faults);
  const std::string_view name = fields.TableName();
  if (auto ok = faults.Check(); !ok) return std::unexpected(std::move(ok.error()));
  if (TablePtr table = context.store.FindTable(name)) return table;
  return TableNotFound(name);
}

Outcome<std::string> CreateTable(OperationContext& context, const json::object& body) {
  const CreateRequest request(body, context);
  if (auto ok = request.faults.Check(); !ok) return std::unexpected(std::move(ok.error()));
  if (auto ok = CheckCreate(request); !ok) return std::unexpected(std::move(ok.error()));
  const auto created = context.store.CreateTable(DefinitionOf(request, context));
  if (created) {
    return DescriptionAnswer("TableDescription", context, **created, TableStatus::kCreating,
                             nullptr);
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
  return DescriptionAnswer("Table", context, **table, TableStatus::kActive, &context.store);
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
  std::string answer;
  JsonWriter out(answer);
  out.BeginObject();
  out.Key("TableDescription");
  WriteDeleted(out, **table, context.arn_prefix);
  out.EndObject();
  return answer;
}

Outcome<std::string> ListTables(OperationContext& context, const json::object& body) {
  constexpr std::int64_t kMaxLimit = 100;
  Faults faults;
  const Fields fields(body, faults);
  const auto after = fields.String("ExclusiveStartTableName");
  if (after) fields.CheckName("ExclusiveStartTableName", *after);
  const auto limit = static_cast<std::size_t>(
      fields.Integer("Limit", Fields::Width::kInteger, {.min = 1, .max = kMaxLimit})
          .value_or(kMaxLimit));
  if (auto ok = faults.Check(); !ok) return std::unexpected(std::move(ok.error()));
  std::vector<std::string> names = context.store.TableNames(after.value_or(""), limit + 1);
  const bool more = names.size() > limit;
  if (more) names.pop_back();
  std::string answer;
  JsonWriter out(answer);
  out.BeginObject();
  out.Key("TableNames");
  out.BeginArray();
  for (const std::string& name : names) out.String(name);
  out.EndArray();
  if (more) out.Field("LastEvaluatedTableName", names.back());
  out.EndObject();
  return answer;
}

}  // namespace kelvin::tables
