// A random sequence of operations, here and in a model of a few lines: the answers must be equal.
#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include "tables/tables_fixture.h"

namespace kelvin::tables {
namespace {

namespace json = boost::json;

// A table with a string partition key "k" and an integer sort key "s"; items have one number "v",
// by which a global index orders those that have a group "h".
class Model {
 public:
  using Key = std::pair<int, int>;
  struct Content {
    int value = 0;
    std::optional<int> group;
  };

  json::object Put(Key key, Content content) {
    json::object answer = Old(key);
    items_[key] = content;
    return answer;
  }
  json::object Delete(Key key) {
    json::object answer = Old(key);
    items_.erase(key);
    return answer;
  }
  json::object Add(Key key, int value) {
    items_[key].value += value;
    return json::object{{"Attributes", json::object{{"v", Number(items_[key].value)}}}};
  }
  json::object Get(Key key) const {
    const auto found = items_.find(key);
    if (found == items_.end()) return {};
    return json::object{{"Item", ItemOf(found->first, found->second)}};
  }
  bool Has(Key key) const { return items_.contains(key); }
  std::optional<int> ValueOf(Key key) const {
    const auto found = items_.find(key);
    return found == items_.end() ? std::nullopt : std::optional(found->second.value);
  }
  json::array Between(int partition, int low, int high, bool ascending) const {
    json::array found;
    for (const auto& [key, content] : items_) {
      const auto [k, s] = key;
      if (k == partition && s >= low && s <= high) {
        found.insert(ascending ? found.end() : found.begin(), ItemOf(key, content));
      }
    }
    return found;
  }
  // The values of a group up to `high`, in their order.
  std::vector<int> GroupUpTo(int group, int high) const {
    std::vector<int> values;
    for (const auto& [key, content] : items_) {
      if (content.group == group && content.value <= high) values.push_back(content.value);
    }
    std::ranges::sort(values);
    return values;
  }
  std::size_t size() const { return items_.size(); }

  static json::object KeyOf(Key key) {
    return {{"k", json::object{{"S", "p" + std::to_string(key.first)}}}, {"s", Number(key.second)}};
  }
  static json::object ItemOf(Key key, const Content& content) {
    json::object item = KeyOf(key);
    item["v"] = Number(content.value);
    if (content.group) item["h"] = Group(*content.group);
    return item;
  }
  static json::object Number(int value) { return {{"N", std::to_string(value)}}; }
  static json::object Group(int group) { return {{"S", "g" + std::to_string(group)}}; }

 private:
  json::object Old(Key key) const {
    const auto found = items_.find(key);
    if (found == items_.end()) return {};
    return json::object{{"Attributes", ItemOf(found->first, found->second)}};
  }
  std::map<Key, Content> items_;
};

class Runner {
 public:
  Runner(TestTables& tables, std::uint64_t seed) : tables_(tables), random_(seed) {
    tables_.Call("CreateTable", R"({"TableName":"range","BillingMode":"PAY_PER_REQUEST",
        "AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"},
          {"AttributeName":"s","AttributeType":"N"},{"AttributeName":"h","AttributeType":"S"},
          {"AttributeName":"v","AttributeType":"N"}],
        "KeySchema":[{"AttributeName":"k","KeyType":"HASH"},
                     {"AttributeName":"s","KeyType":"RANGE"}],
        "GlobalSecondaryIndexes":[{"IndexName":"by-v","KeySchema":[
            {"AttributeName":"h","KeyType":"HASH"},{"AttributeName":"v","KeyType":"RANGE"}],
            "Projection":{"ProjectionType":"KEYS_ONLY"}}]})");
  }

  void Step() {
    const Model::Key key = PickKey();
    json::object request{{"TableName", "range"}};
    switch (Pick(0, 12)) {
      case 0: {
        const Model::Content content = PickContent();
        request["Item"] = Model::ItemOf(key, content);
        request["ReturnValues"] = "ALL_OLD";
        return Expect("PutItem", request, model_.Put(key, content));
      }
      case 1:
        request["Key"] = Model::KeyOf(key);
        request["ReturnValues"] = "ALL_OLD";
        return Expect("DeleteItem", request, model_.Delete(key));
      case 2: {
        const int value = Pick(-50, 50);
        request["Key"] = Model::KeyOf(key);
        request["UpdateExpression"] = "ADD v :v";
        request["ExpressionAttributeValues"] = json::object{{":v", Model::Number(value)}};
        request["ReturnValues"] = "UPDATED_NEW";
        return Expect("UpdateItem", request, model_.Add(key, value));
      }
      case 3:
        request["Key"] = Model::KeyOf(key);
        return Expect("GetItem", request, model_.Get(key));
      case 4:
        return BatchWrite();
      case 5:
        return Transact();
      case 6:
        return QueryIndex();
      case 7:
        return TransactOnOthers();
      case 8:
        return TransactGet();
      case 9:
        return LegacyUpdate(key);
      case 10:
        return LegacyPut(key);
      default:
        return Query(key.first);
    }
  }

  void CheckCount() {
    const auto answer = tables_.Call("Scan", R"({"TableName":"range","Select":"COUNT"})");
    EXPECT_EQ(static_cast<std::size_t>(answer.at("Count").as_int64()), model_.size());
    const auto described = tables_.Call("DescribeTable", R"({"TableName":"range"})");
    EXPECT_EQ(described.at("Table").at("ItemCount").to_number<std::size_t>(), model_.size());
  }

 private:
  int Pick(int low, int high) {
    return low + static_cast<int>(random_() % static_cast<std::uint64_t>(high - low + 1));
  }
  Model::Key PickKey() { return {Pick(0, 3), Pick(-12, 12)}; }
  Model::Content PickContent() {
    Model::Content content{Pick(-50, 50), std::nullopt};
    if (Pick(0, 3) > 0) content.group = Pick(0, 2);
    return content;
  }
  void Expect(std::string_view operation, const json::object& request,
              const json::object& expected) {
    EXPECT_EQ(tables_.Call(operation, json::serialize(request)), expected) << request;
  }

  void BatchWrite() {
    std::set<Model::Key> keys;
    while (keys.size() < 4) keys.insert(PickKey());
    json::array writes;
    for (const Model::Key& key : keys) {
      if (Pick(0, 1) == 0) {
        writes.push_back(json::object{{"DeleteRequest", json::object{{"Key", Model::KeyOf(key)}}}});
        model_.Delete(key);
        continue;
      }
      const Model::Content content = PickContent();
      writes.push_back(
          json::object{{"PutRequest", json::object{{"Item", Model::ItemOf(key, content)}}}});
      model_.Put(key, content);
    }
    Expect("BatchWriteItem", {{"RequestItems", json::object{{"range", std::move(writes)}}}},
           {{"UnprocessedItems", json::object{}}});
  }

  // Puts one item where another is not there yet: both or neither.
  void Transact() {
    const Model::Key first = PickKey();
    const Model::Key second = PickKey();
    if (first == second) return;
    const Model::Content content = PickContent();
    const json::object request{
        {"TransactItems",
         json::array{json::object{{"Put", json::object{{"TableName", "range"},
                                                       {"Item", Model::ItemOf(first, content)}}}},
                     json::object{{"Put", json::object{{"TableName", "range"},
                                                       {"Item", Model::ItemOf(second, content)},
                                                       {"ConditionExpression",
                                                        "attribute_not_exists(k)"}}}}}}};
    const auto response = tables_.Send("TransactWriteItems", json::serialize(request));
    EXPECT_EQ(response.status, model_.Has(second) ? 400 : 200) << request;
    if (model_.Has(second)) return;
    model_.Put(first, content);
    model_.Put(second, content);
  }

  // Adds to one item and deletes another where a third has a value: all or nothing.
  void TransactOnOthers() {
    const Model::Key added = PickKey();
    const Model::Key deleted = PickKey();
    const Model::Key checked = PickKey();
    if (added == deleted || added == checked || deleted == checked) return;
    const int value = Pick(-50, 50);
    const json::object values{{":v", Model::Number(value)}};
    const json::object request{
        {"TransactItems",
         json::array{
             json::object{{"ConditionCheck", json::object{{"TableName", "range"},
                                                          {"Key", Model::KeyOf(checked)},
                                                          {"ConditionExpression", "v > :v"},
                                                          {"ExpressionAttributeValues", values}}}},
             json::object{{"Update", json::object{{"TableName", "range"},
                                                  {"Key", Model::KeyOf(added)},
                                                  {"UpdateExpression", "ADD v :v"},
                                                  {"ExpressionAttributeValues", values}}}},
             json::object{{"Delete", json::object{{"TableName", "range"},
                                                  {"Key", Model::KeyOf(deleted)}}}}}}};
    const bool holds = model_.ValueOf(checked).value_or(value) > value;
    const auto response = tables_.Send("TransactWriteItems", json::serialize(request));
    EXPECT_EQ(response.status, holds ? 200 : 400) << request;
    if (!holds) return;
    model_.Add(added, value);
    model_.Delete(deleted);
  }

  void TransactGet() {
    json::array gets;
    json::array expected;
    for (int i = 0; i < 3; ++i) {
      const Model::Key key = PickKey();
      gets.push_back(
          json::object{{"Get", json::object{{"TableName", "range"}, {"Key", Model::KeyOf(key)}}}});
      expected.push_back(model_.Get(key));
    }
    Expect("TransactGetItems", {{"TransactItems", std::move(gets)}},
           {{"Responses", std::move(expected)}});
  }

  void LegacyUpdate(Model::Key key) {
    const int value = Pick(-50, 50);
    Expect("UpdateItem",
           {{"TableName", "range"},
            {"Key", Model::KeyOf(key)},
            {"AttributeUpdates",
             json::object{{"v", json::object{{"Action", "ADD"}, {"Value", Model::Number(value)}}}}},
            {"ReturnValues", "UPDATED_NEW"}},
           model_.Add(key, value));
  }

  // Puts an item where the one that is there has some value.
  void LegacyPut(Model::Key key) {
    const Model::Content content = PickContent();
    const int low = Pick(-60, 60);
    const json::object request{
        {"TableName", "range"},
        {"Item", Model::ItemOf(key, content)},
        {"Expected", json::object{{"v", json::object{{"ComparisonOperator", "GE"},
                                                     {"AttributeValueList",
                                                      json::array{Model::Number(low)}}}}}}};
    const bool holds = model_.ValueOf(key).value_or(low - 1) >= low;
    EXPECT_EQ(tables_.Send("PutItem", json::serialize(request)).status, holds ? 200 : 400)
        << request;
    if (holds) model_.Put(key, content);
  }

  void QueryIndex() {
    const int group = Pick(0, 2);
    const int high = Pick(-40, 60);
    const json::object request{
        {"TableName", "range"},
        {"IndexName", "by-v"},
        {"KeyConditionExpression", "h = :h AND v <= :high"},
        {"ExpressionAttributeValues",
         json::object{{":h", Model::Group(group)}, {":high", Model::Number(high)}}}};
    std::vector<int> found;
    for (const auto& item : Pages(request)) {
      found.push_back(std::stoi(std::string(item.at("v").at("N").as_string())));
    }
    EXPECT_EQ(found, model_.GroupUpTo(group, high)) << request;
  }

  void Query(int partition) {
    const int low = Pick(-15, 10);
    const int high = Pick(low, 15);
    const bool ascending = Pick(0, 1) == 0;
    const json::object name{{"S", "p" + std::to_string(partition)}};
    json::object request{{"TableName", "range"}, {"ScanIndexForward", ascending}};
    if (Pick(0, 2) == 0) {
      request["KeyConditions"] = json::object{
          {"k",
           json::object{{"ComparisonOperator", "EQ"}, {"AttributeValueList", json::array{name}}}},
          {"s", json::object{
                    {"ComparisonOperator", "BETWEEN"},
                    {"AttributeValueList", json::array{Model::Number(low), Model::Number(high)}}}}};
    } else {
      request["KeyConditionExpression"] = "k = :k AND s BETWEEN :low AND :high";
      request["ExpressionAttributeValues"] =
          json::object{{":k", name}, {":low", Model::Number(low)}, {":high", Model::Number(high)}};
    }
    EXPECT_EQ(Pages(request), model_.Between(partition, low, high, ascending)) << request;
  }

  // All items of a query, page by page.
  json::array Pages(json::object request) {
    request["Limit"] = Pick(1, 8);
    json::array found;
    while (true) {
      const auto answer = tables_.Call("Query", json::serialize(request));
      for (const auto& item : answer.at("Items").as_array()) found.push_back(item);
      const auto* last = answer.if_contains("LastEvaluatedKey");
      if (last == nullptr) return found;
      request["ExclusiveStartKey"] = *last;
    }
  }

  TestTables& tables_;
  std::mt19937_64 random_;
  Model model_;
};

void RunSteps(TestTables& tables, int steps) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Runner runner(tables, seed);
  for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) runner.Step();
  runner.CheckCount();
}

TEST(Model, AgreesWithTablesInMemory) {
  TestTables tables;
  RunSteps(tables, 3000);
}

TEST(Model, AgreesWithTablesInAFile) {
  auto folder = TemporaryDirectory::Create();
  TestTables tables(folder->path());
  RunSteps(tables, 300);
}

}  // namespace
}  // namespace kelvin::tables
