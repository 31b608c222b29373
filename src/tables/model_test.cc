// A random sequence of operations, here and in a model of a few lines: the answers must be equal.
#include <map>
#include <random>

#include "tables/tables_fixture.h"

namespace kelvin::tables {
namespace {

namespace json = boost::json;

// A table with a string partition key "k" and an integer sort key "s"; items have one number "v".
class Model {
 public:
  using Key = std::pair<int, int>;

  json::object Put(Key key, int value) {
    json::object answer = Old(key);
    items_[key] = value;
    return answer;
  }
  json::object Delete(Key key) {
    json::object answer = Old(key);
    items_.erase(key);
    return answer;
  }
  json::object Add(Key key, int value) {
    items_[key] += value;
    return json::object{{"Attributes", json::object{{"v", Number(items_[key])}}}};
  }
  json::object Get(Key key) const {
    const auto found = items_.find(key);
    if (found == items_.end()) return {};
    return json::object{{"Item", ItemOf(*found)}};
  }
  json::array Between(int partition, int low, int high, bool ascending) const {
    json::array found;
    for (const auto& entry : items_) {
      const auto [k, s] = entry.first;
      if (k == partition && s >= low && s <= high) {
        found.insert(ascending ? found.end() : found.begin(), ItemOf(entry));
      }
    }
    return found;
  }
  std::size_t size() const { return items_.size(); }

  static json::object KeyOf(Key key) {
    return {{"k", json::object{{"S", "p" + std::to_string(key.first)}}}, {"s", Number(key.second)}};
  }
  static json::object ItemOf(const std::pair<const Key, int>& entry) {
    json::object item = KeyOf(entry.first);
    item["v"] = Number(entry.second);
    return item;
  }
  static json::object Number(int value) { return {{"N", std::to_string(value)}}; }

 private:
  json::object Old(Key key) const {
    const auto found = items_.find(key);
    if (found == items_.end()) return {};
    return json::object{{"Attributes", ItemOf(*found)}};
  }
  std::map<Key, int> items_;
};

class Runner {
 public:
  Runner(TestTables& tables, std::uint64_t seed) : tables_(tables), random_(seed) {
    tables_.MakeRangeTable("N");
  }

  void Step() {
    const Model::Key key{Pick(0, 3), Pick(-12, 12)};
    const int value = Pick(-50, 50);
    json::object request{{"TableName", "range"}};
    switch (Pick(0, 4)) {
      case 0:
        request["Item"] = Model::ItemOf({key, value});
        request["ReturnValues"] = "ALL_OLD";
        Expect("PutItem", request, model_.Put(key, value));
        break;
      case 1:
        request["Key"] = Model::KeyOf(key);
        request["ReturnValues"] = "ALL_OLD";
        Expect("DeleteItem", request, model_.Delete(key));
        break;
      case 2:
        request["Key"] = Model::KeyOf(key);
        request["UpdateExpression"] = "ADD v :v";
        request["ExpressionAttributeValues"] = json::object{{":v", Model::Number(value)}};
        request["ReturnValues"] = "UPDATED_NEW";
        Expect("UpdateItem", request, model_.Add(key, value));
        break;
      case 3:
        request["Key"] = Model::KeyOf(key);
        Expect("GetItem", request, model_.Get(key));
        break;
      default:
        Query(key.first);
    }
  }

  void CheckCount() {
    const auto answer = tables_.Call("Scan", R"({"TableName":"range","Select":"COUNT"})");
    EXPECT_EQ(static_cast<std::size_t>(answer.at("Count").as_int64()), model_.size());
  }

 private:
  int Pick(int low, int high) {
    return low + static_cast<int>(random_() % static_cast<std::uint64_t>(high - low + 1));
  }
  void Expect(std::string_view operation, const json::object& request,
              const json::object& expected) {
    EXPECT_EQ(tables_.Call(operation, json::serialize(request)), expected) << request;
  }
  // Page by page.
  void Query(int partition) {
    const int low = Pick(-15, 10);
    const int high = Pick(low, 15);
    const bool ascending = Pick(0, 1) == 0;
    json::object request{{"TableName", "range"},
                         {"KeyConditionExpression", "k = :k AND s BETWEEN :low AND :high"},
                         {"ScanIndexForward", ascending},
                         {"Limit", Pick(1, 8)},
                         {"ExpressionAttributeValues",
                          json::object{{":k", json::object{{"S", "p" + std::to_string(partition)}}},
                                       {":low", Model::Number(low)},
                                       {":high", Model::Number(high)}}}};
    json::array found;
    while (true) {
      const auto answer = tables_.Call("Query", json::serialize(request));
      for (const auto& item : answer.at("Items").as_array()) found.push_back(item);
      const auto* last = answer.if_contains("LastEvaluatedKey");
      if (last == nullptr) break;
      request["ExclusiveStartKey"] = *last;
    }
    EXPECT_EQ(found, model_.Between(partition, low, high, ascending)) << request;
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
  RunSteps(tables, 200);
}

}  // namespace
}  // namespace kelvin::tables
