#include "aws/dynamodb_json.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "aws/attribute_json.h"

namespace kelvin::aws {
namespace {

namespace json = boost::json;

// DynamoDB's values nest to 32 levels, each two of JSON deep, within an answer's own few.
constexpr std::size_t kMaxDepth = 80;

// Writes the members of one object, leaving out what is empty.
class BodyWriter {
 public:
  void Text(std::string_view name, std::string_view text) {
    if (text.empty()) return;
    Name(name);
    AppendJsonText(body_, text);
  }
  void Value(std::string_view name, const Item& item) {
    if (!item.empty()) Required(name, item);
  }
  // Even when it is empty, so that the service says what is wrong with it.
  void Required(std::string_view name, const Item& item) {
    Name(name);
    AppendJson(body_, item);
  }
  void Literal(std::string_view name, std::string_view literal) {
    Name(name);
    body_.append(literal);
  }
  void Names(const std::map<std::string, std::string>& names) {
    if (names.empty()) return;
    Name("ExpressionAttributeNames");
    char before = '{';
    for (const auto& [placeholder, name] : names) {
      body_ += before;
      before = ',';
      AppendJsonText(body_, placeholder);
      body_ += ':';
      AppendJsonText(body_, name);
    }
    body_ += '}';
  }
  void Attributes(const ExpressionAttributes& attributes) {
    Names(attributes.names);
    Value("ExpressionAttributeValues", attributes.values);
  }
  void Return(ReturnValues values);
  std::string Finish() { return std::move(body_) + "}"; }

 private:
  void Name(std::string_view name) {
    body_.append(body_.empty() ? "{\"" : ",\"").append(name).append("\":");
  }

  std::string body_;
};

void BodyWriter::Return(ReturnValues values) {
  switch (values) {
    case ReturnValues::kNone:
      return;
    case ReturnValues::kAllOld:
      return Text("ReturnValues", "ALL_OLD");
    case ReturnValues::kUpdatedOld:
      return Text("ReturnValues", "UPDATED_OLD");
    case ReturnValues::kAllNew:
      return Text("ReturnValues", "ALL_NEW");
    case ReturnValues::kUpdatedNew:
      return Text("ReturnValues", "UPDATED_NEW");
  }
}

Error Corrupt(std::string_view expected) {
  return Error{ErrorCode::kCorrupt,
               fmt::format("expected {} in DynamoDB's answer, got something else", expected)};
}

std::expected<json::object, Error> ParseObject(std::string_view body) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::error_code failure;
  json::value parsed = json::parse(body, failure, {}, options);
  if (failure || !parsed.is_object()) return std::unexpected(Corrupt("a JSON object"));
  return std::move(parsed.as_object());
}

// The item under `name`; nothing when there is none.
std::expected<std::optional<Item>, Error> ItemUnder(const json::object& parent,
                                                    std::string_view name) {
  const json::value* value = parent.if_contains(name);
  if (value == nullptr) return std::nullopt;
  auto item = ItemFromJson(*value);
  if (!item) return std::unexpected(std::move(item.error()));
  return std::optional(std::move(*item));
}

}  // namespace

std::string PutItemBody(const PutItemInput& input) {
  BodyWriter body;
  body.Text("TableName", input.table);
  body.Required("Item", input.item);
  body.Text("ConditionExpression", input.condition);
  body.Attributes(input.attributes);
  body.Return(input.return_values);
  return body.Finish();
}

std::string GetItemBody(const GetItemInput& input) {
  BodyWriter body;
  body.Text("TableName", input.table);
  body.Required("Key", input.key);
  if (input.consistency == Consistency::kStrong) body.Literal("ConsistentRead", "true");
  body.Text("ProjectionExpression", input.projection);
  body.Names(input.names);
  return body.Finish();
}

std::string UpdateItemBody(const UpdateItemInput& input) {
  BodyWriter body;
  body.Text("TableName", input.table);
  body.Required("Key", input.key);
  body.Text("UpdateExpression", input.update);
  body.Text("ConditionExpression", input.condition);
  body.Attributes(input.attributes);
  body.Return(input.return_values);
  return body.Finish();
}

std::string DeleteItemBody(const DeleteItemInput& input) {
  BodyWriter body;
  body.Text("TableName", input.table);
  body.Required("Key", input.key);
  body.Text("ConditionExpression", input.condition);
  body.Attributes(input.attributes);
  body.Return(input.return_values);
  return body.Finish();
}

std::string QueryBody(const QueryInput& input) {
  BodyWriter body;
  body.Text("TableName", input.table);
  body.Text("IndexName", input.index);
  body.Text("KeyConditionExpression", input.key_condition);
  body.Text("FilterExpression", input.filter);
  body.Text("ProjectionExpression", input.projection);
  body.Attributes(input.attributes);
  if (input.limit) body.Literal("Limit", std::to_string(*input.limit));
  body.Value("ExclusiveStartKey", input.start_key);
  if (input.order == Order::kDescending) body.Literal("ScanIndexForward", "false");
  if (input.consistency == Consistency::kStrong) body.Literal("ConsistentRead", "true");
  return body.Finish();
}

std::expected<Item, Error> ParseAttributes(std::string_view body) {
  const auto answer = ParseObject(body);
  if (!answer) return std::unexpected(answer.error());
  auto item = ItemUnder(*answer, "Attributes");
  if (!item) return std::unexpected(std::move(item.error()));
  return item->has_value() ? std::move(**item) : Item{};
}

std::expected<std::optional<Item>, Error> ParseGetItem(std::string_view body) {
  const auto answer = ParseObject(body);
  if (!answer) return std::unexpected(answer.error());
  return ItemUnder(*answer, "Item");
}

std::expected<QueryPage, Error> ParseQuery(std::string_view body) {
  const auto answer = ParseObject(body);
  if (!answer) return std::unexpected(answer.error());
  const json::value* items = answer->if_contains("Items");
  if (items == nullptr || !items->is_array()) return std::unexpected(Corrupt("a list of Items"));
  QueryPage page;
  for (const json::value& one : items->get_array()) {
    auto item = ItemFromJson(one);
    if (!item) return std::unexpected(std::move(item.error()));
    page.items.push_back(std::move(*item));
  }
  auto last_key = ItemUnder(*answer, "LastEvaluatedKey");
  if (!last_key) return std::unexpected(std::move(last_key.error()));
  if (last_key->has_value()) page.last_key = std::move(**last_key);
  return page;
}

}  // namespace kelvin::aws
