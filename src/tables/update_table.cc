#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tables/operation.h"
#include "tables/table_description.h"
#include "tables/table_request.h"

namespace kelvin::tables {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxGlobalIndexes = 20;

// One element of GlobalSecondaryIndexUpdates: exactly one of the three.
struct IndexUpdate {
  std::optional<IndexRequest> create;
  std::optional<std::string_view> remove;
  std::optional<std::string_view> change;
  std::optional<ThroughputRequest> throughput;  // of change

  std::string_view name() const { return create ? create->name : remove ? *remove : *change; }
};

std::optional<std::string_view> ReadIndexName(const Fields& fields) {
  const auto name = fields.String("IndexName", Presence::kRequired);
  if (name) fields.CheckName("IndexName", *name);
  return name.value_or("");
}

struct UpdateRequest {
  Faults faults;
  Fields fields;
  std::string_view name;
  std::vector<NamedKey> definitions;
  std::optional<std::string_view> billing;
  std::optional<ThroughputRequest> throughput;
  std::optional<bool> deletion_protection;
  std::optional<std::string_view> table_class;
  std::optional<WarmRequest> warm;
  std::optional<Throughput> on_demand_maximum;
  std::optional<std::string> kms_key;
  std::vector<IndexUpdate> updates;
  bool has_empty_update = false;
  bool has_double_update = false;

  UpdateRequest(const json::object& body, const OperationContext& context)
      : fields(body, faults),
        name(fields.TableName()),
        definitions(ReadDefinitions(fields, Presence::kOptional)),
        billing(ReadBillingMode(fields)),
        throughput(ReadThroughput(fields)),
        deletion_protection(fields.Boolean("DeletionProtectionEnabled")),
        table_class(fields.String("TableClass")),
        warm(ReadWarmThroughput(fields)),
        on_demand_maximum(ReadOnDemandMaximum(fields)),
        kms_key(ReadEncryptionKey(fields, context.region, context.account_id)) {
    for (const Fields& update :
         fields.Structs("GlobalSecondaryIndexUpdates", "GlobalSecondaryIndexUpdate")) {
      ReadUpdate(update);
    }
  }
  UpdateRequest(const UpdateRequest&) = delete;
  UpdateRequest& operator=(const UpdateRequest&) = delete;

  bool changes_nothing() const {
    return !billing && !throughput && !deletion_protection && !table_class && !on_demand_maximum &&
           updates.empty() && !has_empty_update && !warm &&
           fields.Find("StreamSpecification") == nullptr && !kms_key;
  }

 private:
  void ReadUpdate(const Fields& fields_of_update) {
    IndexUpdate update;
    const auto given = [&](std::string_view name) {
      return fields_of_update.Find(name) != nullptr;
    };
    has_double_update |= given("Create") + given("Delete") + given("Update") > 1;
    if (const auto create = fields_of_update.Struct("Create", "CreateGlobalSecondaryIndexAction")) {
      update.create = ReadIndex(*create, IndexKind::kGlobal);
    } else if (const auto remove =
                   fields_of_update.Struct("Delete", "DeleteGlobalSecondaryIndexAction")) {
      update.remove = ReadIndexName(*remove);
    } else if (const auto change =
                   fields_of_update.Struct("Update", "UpdateGlobalSecondaryIndexAction")) {
      update.change = ReadIndexName(*change);
      update.throughput = ReadThroughput(*change);
      if (change->Find("ProvisionedThroughput") == nullptr) {
        faults.Constraint(std::nullopt, change->PathOf("ProvisionedThroughput"),
                          "Member must not be null");
      }
    } else {
      has_empty_update = true;
      return;
    }
    updates.push_back(std::move(update));
  }
};

bool ComesOrGoes(const IndexUpdate& update) {
  return update.create || update.remove;
}

// Most of what a table has is changed by a request of its own.
Outcome<void> CheckAlone(const UpdateRequest& request) {
  const bool sets_units = request.throughput.has_value();
  const int parts = (sets_units || request.billing) + request.on_demand_maximum.has_value() +
                    request.deletion_protection.has_value() + request.kms_key.has_value() +
                    request.table_class.has_value() + request.warm.has_value() +
                    !request.updates.empty();
  if (parts < 2) return {};
  for (const auto& [given, what] :
       {std::pair(request.deletion_protection.has_value(), "DeletionProtection modification"),
        std::pair(request.kms_key.has_value(), "Server-Side Encryption modification"),
        std::pair(request.table_class.has_value(), "TableClass modification"),
        std::pair(request.warm.has_value(), "WarmThroughput")}) {
    if (given) {
      return InvalidParameter(fmt::format("{} must be the only operation in the request", what));
    }
  }
  if (sets_units && std::ranges::any_of(request.updates, ComesOrGoes)) {
    return InvalidParameter("You cannot create or delete index while updating table IOPS");
  }
  return {};
}

Outcome<void> CheckMembers(const UpdateRequest& request) {
  if (request.changes_nothing()) {
    return Invalid(
        "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, "
        "GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required");
  }
  if (request.billing == "PROVISIONED" && !request.throughput) {
    return InvalidParameter(
        "ProvisionedThroughput must be specified when BillingMode is PROVISIONED");
  }
  if (request.throughput) {
    if (auto ok = CheckUnits(*request.throughput); !ok) return ok;
  }
  if (request.has_empty_update) {
    return InvalidParameter(
        "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "
        "GlobalSecondaryIndexUpdate.Delete must not be null");
  }
  if (auto ok = CheckAlone(request); !ok) return ok;
  if (request.has_double_update) {
    return InvalidParameter(
        "Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object");
  }
  if (auto ok = CheckTableClass(request.table_class); !ok) return ok;
  std::set<std::string_view> names;
  for (const IndexUpdate& update : request.updates) {
    if (update.create && request.definitions.empty()) {
      return InvalidParameter(
          fmt::format("AttributeDefinitions is not specified for index: {}", update.name()));
    }
    if (names.insert(update.name()).second) continue;
    return InvalidParameter(
        fmt::format("Only one global secondary index update per index is allowed simultaneously. "
                    "Index: {}",
                    update.name()));
  }
  return CheckNoStream(request.fields);
}

std::unexpected<Failure> SameThroughput(const Throughput& now) {
  return Invalid(fmt::format(
      "The provisioned throughput for the table will not change. The requested value equals the "
      "current value. Current ReadCapacityUnits provisioned for the table: {0}. Requested "
      "ReadCapacityUnits: {0}. Current WriteCapacityUnits provisioned for the table: {1}. "
      "Requested WriteCapacityUnits: {1}. Refer to the Amazon DynamoDB Developer Guide for current "
      "limits and how to request higher limits.",
      now.read, now.write));
}

Outcome<void> SetThroughput(Throughput& now, const ThroughputRequest& wanted) {
  if (now.read == wanted.read && now.write == wanted.write) return SameThroughput(now);
  now = {wanted.read, wanted.write};
  return {};
}

Outcome<void> ChangeBilling(const UpdateRequest& request, TableDefinition& definition,
                            Clock::WallTime now) {
  const bool was_on_demand = definition.billing == BillingMode::kPayPerRequest;
  const bool on_demand = request.billing ? *request.billing == "PAY_PER_REQUEST" : was_on_demand;
  if (request.throughput && on_demand) {
    return InvalidParameter(
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
        "PAY_PER_REQUEST");
  }
  if (request.throughput) {
    if (auto ok = SetThroughput(definition.throughput, *request.throughput); !ok) return ok;
  }
  if (on_demand == was_on_demand) return {};
  definition.billing = on_demand ? BillingMode::kPayPerRequest : BillingMode::kProvisioned;
  if (on_demand) {
    definition.on_demand_since = now;
    definition.throughput = {};
    for (IndexDefinition& index : definition.indexes) index.throughput = {};
    return {};
  }
  std::vector<std::string_view> without;
  for (const IndexDefinition& index : definition.indexes) {
    const bool given = std::ranges::any_of(
        request.updates, [&](const IndexUpdate& update) { return update.change == index.name; });
    if (index.kind == IndexKind::kGlobal && !given) without.push_back(index.name);
  }
  if (without.empty()) return {};
  return InvalidParameter(fmt::format("ProvisionedThroughput must be specified for index: {}",
                                      fmt::join(without, ",")));
}

// "HASH" or "RANGE"; nothing where the attribute is no key of an index that is to be made.
std::optional<std::string_view> RoleInNewIndex(const UpdateRequest& request,
                                               std::string_view attribute) {
  for (const IndexUpdate& update : request.updates) {
    if (!update.create) continue;
    const auto& schema = update.create->schema;
    const auto key = std::ranges::find(schema, attribute, &NamedKey::name);
    if (key != schema.end()) return key->type;
  }
  return std::nullopt;
}

// The definitions of old keys and of new ones. What no new index needs may say otherwise, and is
// then passed over.
Outcome<std::vector<NamedKey>> MergedDefinitions(const UpdateRequest& request,
                                                 const TableDefinition& definition) {
  std::vector<NamedKey> merged = request.definitions;
  for (const KeyAttribute& key : definition.attributes) {
    const auto found = std::ranges::find(merged, key.name, &NamedKey::name);
    if (found == merged.end()) {
      merged.push_back({key.name, TypeCode(key.type)});
    } else if (found->type != TypeCode(key.type)) {
      if (const auto role = RoleInNewIndex(request, key.name)) {
        return InvalidParameter(fmt::format(
            "Attributes cannot be redefined. Please check that your attribute has the same type as "
            "previously defined. Existing schema: Schema:[SchemaElement: key{{{0}:{1}:{3}}}] New "
            "schema: Schema:[SchemaElement: key{{{0}:{2}:{3}}}]",
            key.name, TypeCode(key.type), found->type, *role));
      }
      found->type = TypeCode(key.type);
    }
  }
  return merged;
}

Outcome<void> CreateIndex(const IndexRequest& index, const std::vector<NamedKey>& definitions,
                          TableDefinition& definition) {
  const bool on_demand = definition.billing == BillingMode::kPayPerRequest;
  if (auto ok = CheckIndex(index, definitions); !ok) return ok;
  if (auto ok = CheckProjection(index); !ok) return ok;
  if (definition.FindIndex(index.name) != nullptr) {
    return Invalid(
        fmt::format("Attempting to create an index which already exists: {}", index.name));
  }
  if (on_demand == index.throughput.has_value()) {
    return InvalidParameter(
        on_demand
            ? fmt::format("ProvisionedThroughput should not be specified for index: {} when "
                          "BillingMode is PAY_PER_REQUEST",
                          index.name)
            : fmt::format("ProvisionedThroughput must be specified for index: {}", index.name));
  }
  const auto globals =
      std::ranges::count(definition.indexes, IndexKind::kGlobal, &IndexDefinition::kind);
  if (static_cast<std::size_t>(globals) >= kMaxGlobalIndexes) {
    return InvalidParameter("GlobalSecondaryIndex count exceeds the per-table limit of 20");
  }
  definition.indexes.push_back(IndexOf(index, definitions));
  return {};
}

Outcome<void> UpdateIndex(const IndexUpdate& update, const std::vector<NamedKey>& definitions,
                          TableDefinition& definition) {
  if (update.create) return CreateIndex(*update.create, definitions, definition);
  if (update.throughput) {
    if (auto ok = CheckUnitsOfIndex(*update.throughput); !ok) return ok;
  }
  const auto index = std::ranges::find(definition.indexes, update.name(), &IndexDefinition::name);
  if (index == definition.indexes.end()) {
    return std::unexpected(
        Failure{FailureKind::kResourceNotFound,
                fmt::format("Requested resource not found: Index {} for table {}", update.name(),
                            definition.name)});
  }
  if (index->kind != IndexKind::kGlobal) {
    return Invalid(fmt::format("Cannot {} an index that is not a GlobalSecondaryIndex: {}",
                               update.remove ? "delete" : "update", index->name));
  }
  if (!update.remove) return SetThroughput(index->throughput, *update.throughput);
  definition.indexes.erase(index);
  return {};
}

// Takes new definitions, and keeps those that are keys. `definitions` must not point into
// `definition`.
void KeepKeysOnly(const std::vector<NamedKey>& definitions, TableDefinition& definition) {
  const auto is_key = [&](std::string_view name) {
    return definition.key.Has(name) ||
           std::ranges::any_of(definition.indexes,
                               [&](const IndexDefinition& index) { return index.key.Has(name); });
  };
  for (const NamedKey& key : definitions) {
    if (definition.FindAttribute(key.name) == nullptr) {
      definition.attributes.push_back(AttributeOf(key));
    }
  }
  std::erase_if(definition.attributes, [&](const KeyAttribute& key) { return !is_key(key.name); });
}

Outcome<void> CheckOneIndex(const UpdateRequest& request) {
  if (std::ranges::count_if(request.updates, ComesOrGoes) <= 1) return {};
  return std::unexpected(Failure{FailureKind::kLimitExceeded,
                                 "Subscriber limit exceeded: Only 1 online index can be created or "
                                 "deleted simultaneously per table"});
}

Outcome<void> WarmUp(const UpdateRequest& request, TableDefinition& definition) {
  if (!request.warm) return {};
  Throughput now = LeastWarm(definition);
  if (definition.warm) {
    now = {std::max(now.read, definition.warm->read), std::max(now.write, definition.warm->write)};
  }
  if (auto ok = CheckWarm(request.warm, now, "table",
                          "current WarmThroughput, decreasing WarmThroughput is not supported");
      !ok) {
    return ok;
  }
  definition.warm = {request.warm->read.value_or(now.read),
                     request.warm->write.value_or(now.write)};
  return {};
}

Outcome<void> Change(const UpdateRequest& request, TableDefinition& definition,
                     Clock::WallTime now) {
  if (auto ok = CheckOneIndex(request); !ok) return ok;
  if (auto ok = ChangeBilling(request, definition, now); !ok) return ok;
  const auto definitions = MergedDefinitions(request, definition);
  if (!definitions) return std::unexpected(definitions.error());
  for (const IndexUpdate& update : request.updates) {
    if (auto ok = UpdateIndex(update, *definitions, definition); !ok) return ok;
  }
  KeepKeysOnly(request.definitions, definition);
  if (request.deletion_protection) {
    definition.deletion_protection =
        *request.deletion_protection ? DeletionProtection::kOn : DeletionProtection::kOff;
  }
  if (request.table_class) {
    definition.table_class = *request.table_class;
    definition.table_class_changed = now;
  }
  if (auto ok = WarmUp(request, definition); !ok) return ok;
  if (request.on_demand_maximum) definition.on_demand_maximum = request.on_demand_maximum;
  if (request.kms_key) definition.kms_key = *request.kms_key;
  return {};
}

}  // namespace

Outcome<std::string> UpdateTable(OperationContext& context, const json::object& body) {
  const UpdateRequest request(body, context);
  if (auto ok = request.faults.Check(); !ok) return std::unexpected(std::move(ok.error()));
  if (auto ok = CheckMembers(request); !ok) return std::unexpected(std::move(ok.error()));
  if (!context.store.FindTable(request.name)) return TableNotFound(request.name);
  const auto now = context.clock.WallNow();
  auto updated = context.store.UpdateTable(
      request.name, [&](TableDefinition& definition) { return Change(request, definition, now); });
  if (!updated) return std::unexpected(std::move(updated.error()));
  std::string answer;
  JsonWriter out(answer);
  out.BeginObject();
  out.Key("TableDescription");
  WriteDescription(out, **updated, TableStatus::kUpdating, context.arn_prefix, &context.store);
  out.EndObject();
  return answer;
}

}  // namespace kelvin::tables
