#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "tables/condition.h"
#include "tables/item_codec.h"
#include "tables/operation.h"
#include "tables/request.h"
#include "tables/update.h"
#include "tables/value_json.h"

namespace kelvin::tables {
namespace {

namespace json = boost::json;

enum class ReturnValues { kNone, kAllOld, kUpdatedOld, kAllNew, kUpdatedNew };
constexpr std::array<std::string_view, 5> kReturnValues = {"NONE", "ALL_OLD", "UPDATED_OLD",
                                                           "ALL_NEW", "UPDATED_NEW"};
enum class OnFailure { kNothing, kOldItem };

// What every write of one item has.
struct WriteRequest {
  Faults faults;
  Fields fields;
  std::string_view table_name;
  CapacityReport capacity;
  ReturnValues return_values = ReturnValues::kNone;
  OnFailure on_failure = OnFailure::kNothing;
  Expressions expressions;

  explicit WriteRequest(const json::object& request)
      : fields(request, faults),
        table_name(fields.ItemTableName()),
        capacity(ReadCapacityReport(fields)) {
    constexpr std::array<std::string_view, 2> kMetrics = {"SIZE", "NONE"};
    constexpr std::array<std::string_view, 2> kOnFailure = {"ALL_OLD", "NONE"};
    (void)fields.Enum("ReturnItemCollectionMetrics", kMetrics);
    if (const auto name = fields.Enum("ReturnValues", kReturnValues)) {
      return_values = static_cast<ReturnValues>(std::ranges::find(kReturnValues, *name) -
                                                kReturnValues.begin());
    }
    if (fields.Enum("ReturnValuesOnConditionCheckFailure", kOnFailure) == "ALL_OLD") {
      on_failure = OnFailure::kOldItem;
    }
  }
  WriteRequest(const WriteRequest&) = delete;
  WriteRequest& operator=(const WriteRequest&) = delete;

  // PutItem and DeleteItem know the old item only.
  Outcome<void> CheckReturnsOldOnly() const {
    if (return_values == ReturnValues::kNone || return_values == ReturnValues::kAllOld) return {};
    return Invalid("Return values set to invalid value");
  }
};

Failure Damaged(const Table& table) {
  return FromError(Error{ErrorCode::kCorrupt,
                         "an item of table " + table.definition.name + " is damaged on disk"});
}

// The item as it was before a write, if it was there.
Outcome<std::optional<Item>> ReadOld(Transaction& transaction, const Table& table, const Key& key) {
  const auto bytes = transaction.Get(table, key);
  if (!bytes) return std::unexpected(FromError(bytes.error()));
  if (!*bytes) return std::nullopt;
  auto item = DecodeItem(**bytes);
  if (!item) return std::unexpected(Damaged(table));
  return item;
}

Outcome<void> CheckCondition(const WriteRequest& request, const std::optional<Item>& old) {
  const Node* condition = request.expressions.condition();
  if (condition == nullptr || Holds(*condition, old ? *old : Item{})) return {};
  Failure failure{FailureKind::kConditionalCheckFailed, "The conditional request failed"};
  if (old && request.on_failure == OnFailure::kOldItem) {
    failure.item = std::make_shared<const Item>(*old);
  }
  return std::unexpected(std::move(failure));
}

Outcome<void> Done(std::expected<void, Error> written) {
  if (!written) return std::unexpected(FromError(written.error()));
  return {};
}

std::string WriteAnswer(const WriteRequest& request, const Item* attributes, std::size_t bytes) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  if (attributes != nullptr) {
    json.Key("Attributes");
    WriteItem(json, *attributes);
  }
  WriteCapacity(json, request.capacity, request.table_name, WriteUnits(bytes));
  json.EndObject();
  return body;
}

std::size_t SizeOfOptional(const std::optional<Item>& item) {
  return item ? SizeOf(*item) : 0;
}

// A write that knows no old item needs to read none.
bool NeedsOld(const WriteRequest& request) {
  return request.expressions.condition() != nullptr ||
         request.return_values != ReturnValues::kNone || request.capacity != CapacityReport::kNone;
}

// The attributes that an UpdateItem answers with; nothing where it answers none.
std::optional<Item> UpdatedAttributes(const WriteRequest& request, const std::optional<Item>& old,
                                      const Item& updated) {
  std::vector<const Path*> paths;
  if (const Update* update = request.expressions.update()) {
    for (const UpdateAction& action : *update) paths.push_back(&action.path);
  }
  const auto unless_empty = [](Item item) {
    return item.empty() ? std::optional<Item>{} : std::optional(std::move(item));
  };
  switch (request.return_values) {
    case ReturnValues::kNone:
      return std::nullopt;
    case ReturnValues::kAllOld:
      return old;
    case ReturnValues::kAllNew:
      return updated;
    case ReturnValues::kUpdatedOld:
      return old ? unless_empty(Project(*old, paths)) : std::nullopt;
    case ReturnValues::kUpdatedNew:
      return unless_empty(Project(updated, paths));
  }
  std::unreachable();
}

Outcome<Item> UpdatedItem(const Update* update, const std::optional<Item>& old,
                          const Item& key_attributes) {
  const Item& before = old ? *old : key_attributes;
  if (update == nullptr) return before;
  auto updated = Apply(*update, before);
  if (!updated) return updated;
  if (SizeOf(*updated) > kMaxItemBytes) {
    return Invalid("Item size to update has exceeded the maximum allowed size");
  }
  if (NestingOf(*updated) > kMaxNesting) {
    return Invalid(
        "Nesting Levels have exceeded supported limits: Attributes have nesting levels beyond "
        "supported limit");
  }
  return updated;
}

}  // namespace

Outcome<std::string> PutItem(OperationContext& context, const json::object& body) {
  WriteRequest request(body);
  const auto item = request.fields.Attributes("Item", Presence::kRequired);
  if (auto ok = request.faults.Check(); !ok) return std::unexpected(std::move(ok.error()));
  if (auto ok = request.CheckReturnsOldOnly(); !ok) return std::unexpected(std::move(ok.error()));
  if (auto ok = request.expressions.Read(request.fields, {"ConditionExpression"}); !ok) {
    return std::unexpected(std::move(ok.error()));
  }
  const std::size_t size = SizeOf(*item);
  if (size > kMaxItemBytes) return Invalid("Item size has exceeded the maximum allowed size");
  const auto table = FindTable(context.store, request.table_name);
  if (!table) return std::unexpected(table.error());
  const auto key = KeyOfItem((*table)->definition.key, *item);
  if (!key) return std::unexpected(key.error());
  const std::string encoded = EncodeItem(*item);
  std::optional<Item> old;
  auto written = context.store.Write(**table, [&](Transaction& transaction) -> Outcome<void> {
    if (NeedsOld(request)) {
      auto read = ReadOld(transaction, **table, *key);
      if (!read) return std::unexpected(std::move(read.error()));
      old = std::move(*read);
    }
    if (auto holds = CheckCondition(request, old); !holds) return holds;
    return Done(transaction.Put(**table, *key, encoded));
  });
  if (!written) return std::unexpected(std::move(written.error()));
  const bool shows_old = request.return_values == ReturnValues::kAllOld && old;
  return WriteAnswer(request, shows_old ? &*old : nullptr, std::max(size, SizeOfOptional(old)));
}

Outcome<std::string> DeleteItem(OperationContext& context, const json::object& body) {
  WriteRequest request(body);
  const auto key_attributes = request.fields.Attributes("Key", Presence::kRequired);
  if (auto ok = request.faults.Check(); !ok) return std::unexpected(std::move(ok.error()));
  if (auto ok = request.CheckReturnsOldOnly(); !ok) return std::unexpected(std::move(ok.error()));
  if (auto ok = request.expressions.Read(request.fields, {"ConditionExpression"}); !ok) {
    return std::unexpected(std::move(ok.error()));
  }
  const auto table = FindTable(context.store, request.table_name);
  if (!table) return std::unexpected(table.error());
  const auto key = KeyOfRequest((*table)->definition.key, *key_attributes);
  if (!key) return std::unexpected(key.error());
  std::optional<Item> old;
  auto written = context.store.Write(**table, [&](Transaction& transaction) -> Outcome<void> {
    if (NeedsOld(request)) {
      auto read = ReadOld(transaction, **table, *key);
      if (!read) return std::unexpected(std::move(read.error()));
      old = std::move(*read);
    }
    if (auto holds = CheckCondition(request, old); !holds) return holds;
    return Done(transaction.Delete(**table, *key));
  });
  if (!written) return std::unexpected(std::move(written.error()));
  const bool shows_old = request.return_values == ReturnValues::kAllOld && old;
  return WriteAnswer(request, shows_old ? &*old : nullptr, SizeOfOptional(old));
}

Outcome<std::string> UpdateItem(OperationContext& context, const json::object& body) {
  WriteRequest request(body);
  const auto key_attributes = request.fields.Attributes("Key", Presence::kRequired);
  if (auto ok = request.faults.Check(); !ok) return std::unexpected(std::move(ok.error()));
  if (auto ok =
          request.expressions.Read(request.fields, {"UpdateExpression", "ConditionExpression"});
      !ok) {
    return std::unexpected(std::move(ok.error()));
  }
  const auto table = FindTable(context.store, request.table_name);
  if (!table) return std::unexpected(table.error());
  const KeySchema& schema = (*table)->definition.key;
  const auto key = KeyOfRequest(schema, *key_attributes);
  if (!key) return std::unexpected(key.error());
  const Update* update = request.expressions.update();
  if (update != nullptr) {
    if (auto ok = CheckKeyUntouched(*update, schema); !ok) {
      return std::unexpected(std::move(ok.error()));
    }
  }
  std::optional<Item> old;
  std::optional<Item> updated;
  auto written = context.store.Write(**table, [&](Transaction& transaction) -> Outcome<void> {
    auto read = ReadOld(transaction, **table, *key);
    if (!read) return std::unexpected(std::move(read.error()));
    old = std::move(*read);
    if (auto holds = CheckCondition(request, old); !holds) return holds;
    auto result = UpdatedItem(update, old, *key_attributes);
    if (!result) return std::unexpected(std::move(result.error()));
    updated = std::move(*result);
    return Done(transaction.Put(**table, *key, EncodeItem(*updated)));
  });
  if (!written) return std::unexpected(std::move(written.error()));
  const std::optional<Item> shown = UpdatedAttributes(request, old, *updated);
  const std::size_t size = request.capacity == CapacityReport::kNone
                               ? 0
                               : std::max(SizeOf(*updated), SizeOfOptional(old));
  return WriteAnswer(request, shown ? &*shown : nullptr, size);
}

Outcome<std::string> GetItem(OperationContext& context, const json::object& body) {
  Faults faults;
  const Fields fields(body, faults);
  const std::string_view table_name = fields.ItemTableName();
  const auto key_attributes = fields.Attributes("Key", Presence::kRequired);
  const Consistency consistency = ReadConsistency(fields);
  const CapacityReport capacity = ReadCapacityReport(fields);
  if (auto ok = faults.Check(); !ok) return std::unexpected(std::move(ok.error()));
  Expressions expressions;
  if (auto ok = expressions.Read(fields, {"ProjectionExpression"}); !ok) {
    return std::unexpected(std::move(ok.error()));
  }
  const auto table = FindTable(context.store, table_name);
  if (!table) return std::unexpected(table.error());
  const auto key = KeyOfRequest((*table)->definition.key, *key_attributes);
  if (!key) return std::unexpected(key.error());

  std::string answer;
  JsonWriter json(answer);
  json.BeginObject();
  std::optional<std::size_t> size = 0;
  const auto read = context.store.Get(**table, *key, [&](std::string_view bytes) {
    json.Key("Item");
    if (expressions.projection().empty()) {
      size = WriteEncodedItem(json, bytes);
    } else if (const auto item = DecodeItem(bytes)) {
      size = SizeOf(*item);
      WriteItem(json, Project(*item, expressions.projection_paths()));
    } else {
      size.reset();
    }
    return Visit::kStop;
  });
  if (!read) return std::unexpected(FromError(read.error()));
  if (!size) return std::unexpected(Damaged(**table));
  WriteCapacity(json, capacity, table_name, ReadUnits(*size, consistency));
  json.EndObject();
  return answer;
}

}  // namespace kelvin::tables
