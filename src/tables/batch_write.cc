#include <algorithm>
#include <cctype>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tables/collection_metrics.h"
#include "tables/item_write.h"
#include "tables/operation.h"

namespace kelvin::tables {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxWrites = 25;

// As messages on a batch show what is in it.
std::string ShownAttributes(const json::value* attributes) {
  std::string shown;
  const auto* object = attributes != nullptr ? attributes->if_object() : nullptr;
  if (object == nullptr) return "null";
  for (const auto& [name, value] : *object) {
    const auto* typed = value.if_object();
    if (typed == nullptr || typed->empty()) continue;
    const auto& [type, content] = *typed->begin();
    std::string lower(type);
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
    fmt::format_to(
        std::back_inserter(shown), "{}{}=AttributeValue({}={})", shown.empty() ? "" : ", ",
        std::string_view(name), lower,
        content.is_string() ? std::string(content.get_string()) : json::serialize(content));
  }
  return fmt::format("{{{}}}", shown);
}

std::string ShownRequest(const json::value& value) {
  const auto* object = value.if_object();
  if (object == nullptr) return "null";
  const auto inside = [&](std::string_view kind, std::string_view member) -> const json::value* {
    const auto* request = object->if_contains(kind);
    return request != nullptr && request->is_object() ? request->get_object().if_contains(member)
                                                      : nullptr;
  };
  if (object->contains("PutRequest")) {
    return fmt::format("WriteRequest(putRequest=PutRequest(item={}))",
                       ShownAttributes(inside("PutRequest", "Item")));
  }
  return fmt::format("WriteRequest(deleteRequest=DeleteRequest(key={}))",
                     ShownAttributes(inside("DeleteRequest", "Key")));
}

std::string ShownTables(const json::object& tables) {
  std::string shown;
  for (const auto& [name, requests] : tables) {
    std::vector<std::string> of_table;
    if (const auto* array = requests.if_array()) {
      for (const auto& request : *array) of_table.push_back(ShownRequest(request));
    }
    fmt::format_to(std::back_inserter(shown), "{}{}=[{}]", shown.empty() ? "" : ", ",
                   std::string_view(name), fmt::join(of_table, ", "));
  }
  return fmt::format("{{{}}}", shown);
}

// BatchWriteItem's members as they came.
struct BatchRequest {
  Faults faults;
  Fields fields;
  CapacityReport capacity;
  MetricsReport metrics;
  std::deque<ItemWrite> writes;

  explicit BatchRequest(const json::object& body)
      : fields(body, faults),
        capacity(ReadCapacityReport(fields)),
        metrics(ReadMetricsReport(fields)) {
    const auto* value = fields.Find("RequestItems");
    if (value == nullptr) {
      faults.Constraint(std::nullopt, "requestItems", "Member must not be null");
      return;
    }
    const auto* tables = value->if_object();
    if (tables == nullptr) {
      faults.WrongType(value->is_array()
                           ? "Unrecognized collection type java.util.Map<java.lang.String, "
                             "java.util.List<com.amazonaws.dynamodb.v20120810.WriteRequest>>"
                           : "Unexpected field type");
      return;
    }
    if (tables->empty()) {
      faults.First(Failure{FailureKind::kValidation,
                           "The requestItems parameter is required for BatchWriteItem"});
    }
    for (const auto& table : *tables) ReadTable(table.key(), table.value());
    // Reported where no other member breaks its rules.
    if (faults.CheckShape() && !Fields::AreTableNames(*tables)) {
      faults.Constraint(ShownTables(*tables), "requestItems", Fields::kMapKeyRule);
    }
  }
  BatchRequest(const BatchRequest&) = delete;
  BatchRequest& operator=(const BatchRequest&) = delete;

 private:
  void ReadTable(std::string_view name, const json::value& value) {
    const auto* requests = value.if_array();
    if (requests == nullptr) {
      faults.WrongType(std::string(value.is_object()
                                       ? "Start of structure or map found where not expected"
                                       : Fields::kNoCollection));
      return;
    }
    if (requests->empty() || requests->size() > kMaxWrites) {
      faults.Constraint(fmt::format("{{{}={}}}", name, json::serialize(value)), "requestItems",
                        "Map value must satisfy constraint: [Member must have length less than or "
                        "equal to 25, Member must have length greater than or equal to 1]");
      return;
    }
    for (std::size_t i = 0; i < requests->size(); ++i) ReadRequest(name, i + 1, (*requests)[i]);
  }

  void ReadRequest(std::string_view name, std::size_t position, const json::value& value) {
    const auto* object = value.if_object();
    if (object == nullptr) {
      faults.WrongType(value.is_array() ? "Unrecognized collection type class "
                                          "com.amazonaws.dynamodb.v20120810.WriteRequest"
                                        : "Unexpected value type in payload");
      return;
    }
    const Fields request(*object, faults,
                         fmt::format("requestItems.{}.member.{}.member.", name, position));
    const auto put = request.Struct("PutRequest", "PutRequest");
    const auto remove = request.Struct("DeleteRequest", "DeleteRequest");
    if (put.has_value() == remove.has_value()) {
      faults.Later(Failure{FailureKind::kValidation,
                           "Supplied AttributeValue has more than one datatypes set, must contain "
                           "exactly one of the supported datatypes"});
      return;
    }
    writes
        .emplace_back(put ? WriteKind::kPut : WriteKind::kDelete, WriteRole::kInBatch,
                      put ? *put : *remove)
        .set_table_name(name);
  }
};

// In a batch a put's key is spoken of as a delete's is.
Outcome<void> BindWrite(ItemWrite& write, const Store& store) {
  auto bound = write.Bind(store);
  if (bound || bound.error().kind != FailureKind::kValidation) return bound;
  const std::string& message = bound.error().message;
  if (message.contains("Missing the key") || message.contains("Type mismatch for key")) {
    return Invalid("The provided key element does not match the schema");
  }
  return bound;
}

Outcome<void> BindAll(BatchRequest& request, const Store& store) {
  std::set<std::tuple<std::string_view, std::string, std::string>> seen;
  for (ItemWrite& write : request.writes) {
    if (auto ok = BindWrite(write, store); !ok) return ok;
    if (!seen.emplace(write.table_name(), write.key().partition, write.key().sort).second) {
      return Invalid("Provided list of item keys contains duplicates");
    }
  }
  return {};
}

void WriteMetrics(JsonWriter& out, Store& store, const BatchRequest& request) {
  std::map<std::string_view, std::vector<const ItemWrite*>> by_table;
  std::set<std::pair<std::string_view, std::string>> seen;
  for (const ItemWrite& write : request.writes) {
    if (!HasCollections(write.table())) continue;
    if (!seen.emplace(write.table_name(), write.key().partition).second) continue;
    by_table[write.table_name()].push_back(&write);
  }
  out.Key("ItemCollectionMetrics");
  out.BeginObject();
  for (const auto& [table, writes] : by_table) {
    out.Key(table);
    out.BeginArray();
    for (const ItemWrite* write : writes) WriteCollectionMetrics(out, store, *write);
    out.EndArray();
  }
  out.EndObject();
}

}  // namespace

Outcome<std::string> BatchWriteItem(OperationContext& context, const json::object& body) {
  BatchRequest request(body);
  if (auto ok = request.faults.Check(); !ok) return std::unexpected(std::move(ok.error()));
  if (request.writes.size() > kMaxWrites) {
    return Invalid("Too many items requested for the BatchWriteItem call");
  }
  for (ItemWrite& write : request.writes) {
    if (auto ok = write.CheckRequest(); !ok) return std::unexpected(std::move(ok.error()));
  }
  if (auto ok = BindAll(request, context.store); !ok) return std::unexpected(std::move(ok.error()));
  auto written = context.Write([&](Transaction& transaction) -> Outcome<void> {
    for (ItemWrite& write : request.writes) {
      if (auto ok = write.Decide(transaction); !ok) return ok;
      if (auto ok = write.Write(transaction); !ok) return ok;
    }
    return {};
  });
  if (!written) return std::unexpected(std::move(written.error()));
  std::map<std::string, Consumed> consumed;
  for (const ItemWrite& write : request.writes) {
    const std::string name(write.table_name());
    consumed.try_emplace(name, name).first->second.AddWrite(write.effect());
  }
  std::string answer;
  JsonWriter out(answer);
  out.BeginObject();
  out.Key("UnprocessedItems");
  out.BeginObject();
  out.EndObject();
  WriteCapacities(out, request.capacity, consumed);
  if (request.metrics == MetricsReport::kSize) WriteMetrics(out, context.store, request);
  out.EndObject();
  return answer;
}

}  // namespace kelvin::tables
