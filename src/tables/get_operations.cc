#include <deque>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "tables/item_codec.h"
#include "tables/item_get.h"
#include "tables/operation.h"
#include "tables/value_json.h"

namespace kelvin::tables {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxBatchKeys = 100;
constexpr std::size_t kMaxBatchBytes = std::size_t{16} << 20;
constexpr std::size_t kMaxTransactionItems = 100;
constexpr std::size_t kMaxTransactionBytes = std::size_t{4} << 20;

const ExpressionForms kProjection{{"ProjectionExpression"}, {"AttributesToGet"}};
const ExpressionForms kProjectionOnly{{"ProjectionExpression"}, {}};

Outcome<void> CheckExpressions(const Fields& fields, Expressions& expressions) {
  if (auto ok = expressions.CheckForms(); !ok) return ok;
  if (auto ok = fields.Check(); !ok) return ok;
  if (auto ok = expressions.CheckLegacy(); !ok) return ok;
  return expressions.Parse();
}

// The keys of one table in a BatchGetItem.
struct TableKeys {
  std::string name;
  const json::object* body;
  Consistency consistency;
  std::vector<Item> keys;
  std::optional<Failure> key_fault;  // the first within a key's values
  Expressions expressions;

  TableKeys(std::string_view table, const Fields& fields, const json::object& object)
      : name(table),
        body(&object),
        consistency(ReadConsistency(fields)),
        expressions(fields, kProjection) {}
};

void ReadKeys(const Fields& fields, TableKeys& table) {
  const auto* value = fields.Find("Keys");
  const auto* array = value != nullptr ? value->if_array() : nullptr;
  if (value == nullptr) {
    fields.faults().Constraint(std::nullopt, fmt::format("requestItems.{}.member.keys", table.name),
                               "Member must not be null");
    return;
  }
  if (array == nullptr) {
    fields.faults().WrongType(value->is_object()
                                  ? "Start of structure or map found where not expected"
                                  : "Unexpected field type");
    return;
  }
  if (array->empty() || array->size() > kMaxBatchKeys) {
    fields.faults().ConstraintText(fmt::format(
        "Value at 'RequestItems.{}.member.Keys' failed to satisfy constraint: Member must have "
        "length {} than or equal to {}",
        table.name, array->empty() ? "greater" : "less", array->empty() ? 1U : kMaxBatchKeys));
    return;
  }
  for (const auto& key : *array) {
    const auto* object = key.if_object();
    if (object == nullptr) {
      fields.faults().WrongType(std::string(
          key.is_array() ? "Unrecognized collection type java.util.Map<java.lang.String, "
                           "com.amazonaws.dynamodb.v20120810.AttributeValue>"
                         : Fields::kNoCollection));
      return;
    }
    auto item = ReadItem(*object);
    if (item) {
      table.keys.push_back(std::move(*item));
    } else if (item.error().kind == FailureKind::kSerialization) {
      fields.faults().WrongType(std::move(item.error().message));
    } else if (!table.key_fault) {
      table.key_fault = std::move(item.error());
    }
  }
}

struct BatchGet {
  Faults faults;
  Fields fields;
  CapacityReport capacity = CapacityReport::kNone;
  std::deque<TableKeys> tables;

  explicit BatchGet(const json::object& body) : fields(body, faults) {
    CheckNames();
    capacity = ReadCapacityReport(fields);
    const auto maps = fields.StructMap("RequestItems", "KeysAndAttributes", Presence::kRequired);
    const auto* value = fields.Find("RequestItems");
    if (value != nullptr && value->is_object() && value->get_object().empty()) {
      faults.First(Failure{FailureKind::kValidation,
                           "The requestItems parameter is required for BatchGetItem"});
    }
    for (const auto& [name, table] : maps) {
      const auto& object = value->get_object().at(name).get_object();
      TableKeys& keys = tables.emplace_back(name, table, object);
      ReadKeys(table, keys);
    }
  }
  BatchGet(const BatchGet&) = delete;
  BatchGet& operator=(const BatchGet&) = delete;

 private:
  void CheckNames() {
    const auto* value = fields.Find("RequestItems");
    const auto* tables_asked = value != nullptr ? value->if_object() : nullptr;
    if (tables_asked == nullptr || Fields::AreTableNames(*tables_asked)) return;
    faults.Constraint(json::serialize(*value), "requestItems", Fields::kMapKeyRule);
  }
};

Outcome<void> CheckEachOnce(const std::vector<Item>& keys) {
  std::set<std::string> seen;
  for (const Item& key : keys) {
    if (seen.insert(EncodeItem(key)).second) continue;
    return Invalid("Provided list of item keys contains duplicates");
  }
  return {};
}

Outcome<void> CheckBatch(BatchGet& batch) {
  if (auto ok = batch.faults.CheckShape(); !ok) return ok;
  std::size_t count = 0;
  bool expressions = false;
  bool legacy = false;
  for (TableKeys& table : batch.tables) {
    if (auto ok = CheckExpressions(batch.fields, table.expressions); !ok) return ok;
    if (table.key_fault) return std::unexpected(*table.key_fault);
    expressions |= table.body->contains("ProjectionExpression");
    legacy |= table.expressions.has_attributes_to_get();
    if (auto ok = CheckEachOnce(table.keys); !ok) return ok;
    count += table.keys.size();
    if (count > kMaxBatchKeys) return Invalid("Too many items requested for the BatchGetItem call");
  }
  if (!expressions || !legacy) return {};
  return Invalid(
      "Can not use both expression and non-expression parameters in the same request: "
      "Non-expression parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}");
}

Outcome<std::vector<ItemPlace>> BindKeys(const Store& store, const TableKeys& table) {
  std::vector<ItemPlace> places;
  for (const Item& key : table.keys) {
    auto place = PlaceOf(store, table.name, key);
    if (!place) return std::unexpected(std::move(place.error()));
    if (auto ok = CheckKeyPaths(table.expressions.projection_paths(), place->table->definition);
        !ok) {
      return std::unexpected(std::move(ok.error()));
    }
    places.push_back(std::move(*place));
  }
  return places;
}

// Reads until the answer is as large as it may be; what is left over goes to `unprocessed`.
class BatchReader {
 public:
  BatchReader(Reader& reader, JsonWriter& responses, JsonWriter& unprocessed)
      : reader_(reader), responses_(responses), unprocessed_(unprocessed) {}

  Outcome<void> Read(const TableKeys& table, const std::vector<ItemPlace>& places,
                     Consumed& consumed) {
    responses_.Key(table.name);
    responses_.BeginArray();
    const auto projection = table.expressions.projection_paths();
    std::size_t next = 0;
    for (; next < places.size() && bytes_ < kMaxBatchBytes; ++next) {
      const auto size = WriteItemAt(reader_, places[next], projection, responses_, "");
      if (!size) return std::unexpected(size.error());
      bytes_ += *size;
      consumed.AddTable(ReadUnits(*size, table.consistency));
    }
    responses_.EndArray();
    if (next < places.size()) WriteRest(table, next);
    return {};
  }

 private:
  void WriteRest(const TableKeys& table, std::size_t from) {
    unprocessed_.Key(table.name);
    json::object rest = *table.body;
    json::array& keys = rest["Keys"].as_array();
    keys.erase(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(from));
    unprocessed_.Raw(json::serialize(rest));
  }

  Reader& reader_;
  JsonWriter& responses_;
  JsonWriter& unprocessed_;
  std::size_t bytes_ = 0;
};

}  // namespace

Outcome<std::string> GetItem(OperationContext& context, const json::object& body) {
  Faults faults;
  const Fields fields(body, faults);
  const std::string_view table_name = fields.ItemTableName();
  const auto key = fields.Attributes("Key", Presence::kRequired);
  const Consistency consistency = ReadConsistency(fields);
  const CapacityReport capacity = ReadCapacityReport(fields);
  Expressions expressions(fields, kProjection);
  if (auto ok = faults.CheckShape(); !ok) return std::unexpected(std::move(ok.error()));
  if (auto ok = CheckExpressions(fields, expressions); !ok) {
    return std::unexpected(std::move(ok.error()));
  }
  const auto place = PlaceOf(context.store, table_name, *key);
  if (!place) return std::unexpected(place.error());
  const auto projection = expressions.projection_paths();
  if (auto ok = CheckKeyPaths(projection, place->table->definition); !ok) {
    return std::unexpected(std::move(ok.error()));
  }
  std::string answer;
  JsonWriter out(answer);
  out.BeginObject();
  auto reader = context.store.Read();
  if (!reader) return std::unexpected(FromError(reader.error()));
  const auto size = WriteItemAt(*reader, *place, projection, out, "Item");
  if (!size) return std::unexpected(size.error());
  Consumed consumed(table_name);
  consumed.AddTable(ReadUnits(*size, consistency));
  WriteCapacity(out, capacity, consumed);
  out.EndObject();
  return answer;
}

Outcome<std::string> BatchGetItem(OperationContext& context, const json::object& body) {
  BatchGet batch(body);
  if (auto ok = CheckBatch(batch); !ok) return std::unexpected(std::move(ok.error()));
  std::vector<std::vector<ItemPlace>> places;
  for (const TableKeys& table : batch.tables) {
    auto bound = BindKeys(context.store, table);
    if (!bound) return std::unexpected(std::move(bound.error()));
    places.push_back(std::move(*bound));
  }
  std::string responses_text;
  std::string unprocessed_text;
  JsonWriter responses(responses_text);
  JsonWriter unprocessed(unprocessed_text);
  responses.BeginObject();
  unprocessed.BeginObject();
  auto reader = context.store.Read();
  if (!reader) return std::unexpected(FromError(reader.error()));
  BatchReader batch_reader(*reader, responses, unprocessed);
  std::map<std::string, Consumed> consumed;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const TableKeys& table = batch.tables[i];
    Consumed& of_table = consumed.try_emplace(table.name, table.name).first->second;
    if (auto read = batch_reader.Read(table, places[i], of_table); !read) {
      return std::unexpected(std::move(read.error()));
    }
  }
  responses.EndObject();
  unprocessed.EndObject();
  std::string answer;
  JsonWriter out(answer);
  out.BeginObject();
  out.Key("Responses");
  out.Raw(responses_text);
  out.Key("UnprocessedKeys");
  out.Raw(unprocessed_text);
  WriteCapacities(out, batch.capacity, consumed);
  out.EndObject();
  return answer;
}

namespace {

// One Get of a TransactGetItems.
struct TransactedGet {
  std::string_view table_name;
  std::optional<Item> key;
  Expressions expressions;

  explicit TransactedGet(const Fields& fields)
      : table_name(fields.ItemTableName()),
        key(fields.Attributes("Key", Presence::kRequired)),
        expressions(fields, kProjectionOnly) {}
};

// Finds the places; faults of one are the reason that cancels all.
Outcome<std::vector<ItemPlace>> BindGets(const Store& store, std::deque<TransactedGet>& gets) {
  std::vector<ItemPlace> places;
  std::vector<CancellationReason> reasons(gets.size());
  bool canceled = false;
  for (std::size_t i = 0; i < gets.size(); ++i) {
    auto place = PlaceOf(store, gets[i].table_name, *gets[i].key);
    if (place) {
      places.push_back(std::move(*place));
      continue;
    }
    const Failure& failure = place.error();
    if (failure.kind != FailureKind::kValidation || failure.reach == Reach::kRequest) {
      return std::unexpected(failure);
    }
    reasons[i] = {"ValidationError", failure.message, nullptr};
    canceled = true;
  }
  if (canceled) return std::unexpected(Canceled(std::move(reasons)));
  return places;
}

}  // namespace

Outcome<std::string> TransactGetItems(OperationContext& context, const json::object& body) {
  Faults faults;
  const Fields fields(body, faults);
  const CapacityReport capacity = ReadCapacityReport(fields);
  std::deque<TransactedGet> gets;
  for (const Fields& item :
       fields.Structs("TransactItems", "TransactGetItem", Presence::kRequired)) {
    if (const auto get = item.Struct("Get", "Get", Presence::kRequired)) gets.emplace_back(*get);
  }
  fields.CheckLength("TransactItems", {.min = 1, .max = kMaxTransactionItems});
  if (auto ok = faults.CheckShape(); !ok) return std::unexpected(std::move(ok.error()));
  for (TransactedGet& get : gets) {
    if (auto ok = CheckExpressions(fields, get.expressions); !ok) {
      return std::unexpected(std::move(ok.error()));
    }
  }
  const auto places = BindGets(context.store, gets);
  if (!places) return std::unexpected(places.error());
  std::string answer;
  JsonWriter out(answer);
  out.BeginObject();
  out.Key("Responses");
  out.BeginArray();
  std::map<std::string, Consumed> consumed;
  auto reader = context.store.Read();
  if (!reader) return std::unexpected(FromError(reader.error()));
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < gets.size(); ++i) {
    out.BeginObject();
    const auto size =
        WriteItemAt(*reader, (*places)[i], gets[i].expressions.projection_paths(), out, "Item");
    if (!size) return std::unexpected(size.error());
    out.EndObject();
    bytes += *size;
    const std::string name(gets[i].table_name);
    consumed.try_emplace(name, name, Consumed::Access::kTransactionRead)
        .first->second.AddTable(ReadUnits(*size, Consistency::kStrong));
  }
  if (bytes > kMaxTransactionBytes) {
    return Invalid(
        "Transaction request size has exceeded the maximum allowed size of 4194304 bytes");
  }
  out.EndArray();
  WriteCapacities(out, capacity, consumed);
  out.EndObject();
  return answer;
}

}  // namespace kelvin::tables
