// Secondary indexes: what they hold, how they are read, and what they cost.
#include <set>

#include "tables/tables_fixture.h"

namespace kelvin::tables {
namespace {

using ::testing::HasSubstr;

// A table with keys k and s, a global index on g (and n) and local ones on l.
class Indexes : public ::testing::Test {
 protected:
  Indexes() {
    tables_.Call("CreateTable", R"({"TableName":"music","BillingMode":"PAY_PER_REQUEST",
        "AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"},
          {"AttributeName":"s","AttributeType":"S"},{"AttributeName":"g","AttributeType":"S"},
          {"AttributeName":"n","AttributeType":"N"},{"AttributeName":"l","AttributeType":"B"}],
        "KeySchema":[{"AttributeName":"k","KeyType":"HASH"},
                     {"AttributeName":"s","KeyType":"RANGE"}],
        "GlobalSecondaryIndexes":[{"IndexName":"by-g","KeySchema":[
            {"AttributeName":"g","KeyType":"HASH"},{"AttributeName":"n","KeyType":"RANGE"}],
            "Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["p"]}},
          {"IndexName":"all-g","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],
            "Projection":{"ProjectionType":"ALL"}}],
        "LocalSecondaryIndexes":[{"IndexName":"by-l","KeySchema":[
            {"AttributeName":"k","KeyType":"HASH"},{"AttributeName":"l","KeyType":"RANGE"}],
            "Projection":{"ProjectionType":"KEYS_ONLY"}}]})");
  }
  boost::json::object Put(const std::string& item) {
    return tables_.Call("PutItem", R"({"TableName":"music","ReturnConsumedCapacity":"INDEXES",
                                       "Item":)" +
                                       item + "}");
  }
  // The n's of what a query of by-g finds.
  std::string QueryG(const std::string& condition, const std::string& values = "",
                     const std::string& rest = "") {
    const auto answer = tables_.Call(
        "Query", R"({"TableName":"music","IndexName":"by-g","KeyConditionExpression":")" +
                     condition + R"(","ExpressionAttributeValues":{":g":{"S":"x"})" + values + "}" +
                     rest + "}");
    std::string text;
    for (const auto& item : answer.at("Items").as_array()) {
      text += std::string(item.at("n").at("N").as_string()) + " ";
    }
    return text;
  }
  std::string Count(const std::string& index) {
    return std::to_string(
        tables_.Call("Scan", R"({"TableName":"music","IndexName":")" + index + "\"}")
            .at("Count")
            .as_int64());
  }
  TestTables tables_;
};

std::string Item(const std::string& k, const std::string& rest) {
  return R"({"k":{"S":")" + k + R"("},"s":{"S":"1"})" + rest + "}";
}

TEST_F(Indexes, AreOrderedByTheirOwnSortKey) {
  for (const char* n : {"10", "-2", "3", "0", "2.5"}) {
    Put(Item(n, R"(,"g":{"S":"x"},"n":{"N":")" + std::string(n) + "\"}"));
  }
  Put(Item("twin", R"(,"g":{"S":"x"},"n":{"N":"3"})"));
  Put(Item("elsewhere", R"(,"g":{"S":"y"},"n":{"N":"1"})"));
  Put(Item("sparse", R"(,"g":{"S":"x"})"));
  EXPECT_EQ(QueryG("g = :g"), "-2 0 2.5 3 3 10 ");
  EXPECT_EQ(QueryG("g = :g", "", R"(,"ScanIndexForward":false)"), "10 3 3 2.5 0 -2 ");
  EXPECT_EQ(QueryG("g = :g AND n = :n", R"(,":n":{"N":"3.0"})"), "3 3 ");
  EXPECT_EQ(QueryG("g = :g AND n < :n", R"(,":n":{"N":"2.5"})"), "-2 0 ");
  EXPECT_EQ(QueryG("g = :g AND n <= :n", R"(,":n":{"N":"3"})"), "-2 0 2.5 3 3 ");
  EXPECT_EQ(QueryG("g = :g AND n > :n", R"(,":n":{"N":"3"})"), "10 ");
  EXPECT_EQ(QueryG("g = :g AND n >= :n", R"(,":n":{"N":"3"})"), "3 3 10 ");
  EXPECT_EQ(QueryG("g = :g AND n BETWEEN :n AND :m", R"(,":n":{"N":"0"},":m":{"N":"3"})"),
            "0 2.5 3 3 ");
  EXPECT_EQ(Count("all-g"), "8");
}

TEST_F(Indexes, GoOnWhereAPageEnded) {
  for (int i = 0; i < 7; ++i) {
    Put(Item(std::to_string(i), R"(,"g":{"S":"x"},"n":{"N":"7"})"));
  }
  for (const std::string operation : {"Query", "Scan"}) {
    std::set<std::string> found;
    std::string start;
    for (int page = 0; page < 10; ++page) {
      const std::string condition = operation == "Query"
                                        ? R"(,"KeyConditionExpression":"g = :g AND n = :n",
               "ExpressionAttributeValues":{":g":{"S":"x"},":n":{"N":"7"}})"
                                        : "";
      const auto answer =
          tables_.Call(operation, R"({"TableName":"music","IndexName":"by-g","Limit":2)" +
                                      condition + start + "}");
      for (const auto& item : answer.at("Items").as_array()) {
        EXPECT_TRUE(found.emplace(item.at("k").at("S").as_string()).second);
      }
      const auto* last = answer.if_contains("LastEvaluatedKey");
      if (last == nullptr) break;
      EXPECT_EQ(last->as_object().size(), 4U);  // k, s, g, n
      start = R"(,"ExclusiveStartKey":)" + boost::json::serialize(*last);
    }
    EXPECT_EQ(found.size(), 7U);
  }
}

TEST_F(Indexes, HoldWhatIsProjected) {
  Put(Item("a", R"(,"g":{"S":"x"},"n":{"N":"1"},"p":{"S":"p"},"q":{"S":"q"},"l":{"B":"AAE="})"));
  const std::string by_g = R"({"TableName":"music","KeyConditionExpression":"g = :g",
      "ExpressionAttributeValues":{":g":{"S":"x"}},"IndexName":")";
  EXPECT_EQ(
      boost::json::serialize(tables_.Call("Query", by_g + R"(by-g"})").at("Items").as_array()),
      R"([{"g":{"S":"x"},"k":{"S":"a"},"n":{"N":"1"},"p":{"S":"p"},"s":{"S":"1"}}])");
  const std::string by_l = R"({"TableName":"music","KeyConditionExpression":"k = :k",
      "ExpressionAttributeValues":{":k":{"S":"a"}},"IndexName":"by-l")";
  EXPECT_EQ(boost::json::serialize(tables_.Call("Query", by_l + "}").at("Items").as_array()),
            R"([{"k":{"S":"a"},"l":{"B":"AAE="},"s":{"S":"1"}}])");
  // A local index fetches what it does not have; a global one must not be asked.
  EXPECT_EQ(
      boost::json::serialize(
          tables_.Call("Query", by_l + R"(,"ProjectionExpression":"q"})").at("Items").as_array()),
      R"([{"q":{"S":"q"}}])");
  const auto all = tables_.Call(
      "Query", by_l + R"(,"Select":"ALL_ATTRIBUTES","ReturnConsumedCapacity":"INDEXES"})");
  EXPECT_EQ(all.at("Items").as_array()[0].as_object().size(), 7U);
  EXPECT_EQ(boost::json::serialize(all.at("ConsumedCapacity")),
            R"({"TableName":"music","CapacityUnits":1,"Table":{"CapacityUnits":5E-1},)"
            R"("LocalSecondaryIndexes":{"by-l":{"CapacityUnits":5E-1}}})");
  EXPECT_EQ(tables_.Refusal("Query", by_l + R"(,"Select":"ALL_ATTRIBUTES",
                "FilterExpression":"q = :k OR p = :k OR q = s"})"),
            "ValidationException: One or more parameter values were invalid: Secondary index by-l "
            "does not project one or more filter attributes: [p, q]");
  EXPECT_THAT(
      tables_.Refusal("Query", by_g + R"(by-g","FilterExpression":"q = :g"})"),
      HasSubstr("Secondary index by-g does not project one or more filter attributes: [q]"));
  tables_.Call("Query", by_g + R"(by-g","FilterExpression":"p = :g OR s = :g"})");
  EXPECT_THAT(tables_.Refusal("Query", by_g + R"(by-g","Select":"ALL_ATTRIBUTES"})"),
              HasSubstr("Select type ALL_ATTRIBUTES is not supported for global secondary index "
                        "by-g because its projection type is not ALL"));
  EXPECT_THAT(tables_.Refusal("Query", by_g + R"(by-g","ConsistentRead":true})"),
              HasSubstr("Consistent reads are not supported on global secondary indexes"));
}

TEST_F(Indexes, FollowEveryWrite) {
  const std::string key = R"({"TableName":"music","Key":{"k":{"S":"a"},"s":{"S":"1"}})";
  Put(Item("a", R"(,"g":{"S":"x"},"n":{"N":"1"})"));
  EXPECT_EQ(QueryG("g = :g"), "1 ");
  tables_.Call("UpdateItem", key + R"(,"UpdateExpression":"SET n = :n",
                                  "ExpressionAttributeValues":{":n":{"N":"2"}}})");
  EXPECT_EQ(QueryG("g = :g"), "2 ");
  tables_.Call("UpdateItem", key + R"(,"UpdateExpression":"REMOVE n"})");
  EXPECT_EQ(QueryG("g = :g"), "");
  EXPECT_EQ(Count("all-g"), "1");
  Put(Item("a", R"(,"g":{"S":"x"},"n":{"N":"3"})"));
  EXPECT_EQ(QueryG("g = :g"), "3 ");
  EXPECT_THAT(tables_.CallText("DescribeTable", R"({"TableName":"music"})"),
              HasSubstr(R"("IndexSizeBytes":9,"ItemCount":1)"));
  tables_.Call("DeleteItem", key + "}");
  EXPECT_EQ(Count("by-g") + Count("all-g") + Count("by-l"), "000");
}

// What was measured on AWS: an index costs only where what it stores changes, and moving a row
// costs its leaving and its coming.
TEST_F(Indexes, CostWhatChangesInThem) {
  const auto units = [](const boost::json::object& answer) {
    const auto& capacity = answer.at("ConsumedCapacity").as_object();
    std::string text = boost::json::serialize(capacity.at("CapacityUnits"));
    if (const auto* global = capacity.if_contains("GlobalSecondaryIndexes")) {
      text += " " + boost::json::serialize(*global);
    }
    return text;
  };
  const std::string item = Item("a", R"(,"g":{"S":"x"},"n":{"N":"1"},"q":{"S":"q"})");
  EXPECT_EQ(units(Put(item)), R"(3 {"all-g":{"CapacityUnits":1},"by-g":{"CapacityUnits":1}})");
  EXPECT_EQ(units(Put(item)), "1");
  const auto update = [&](const std::string& expression, const std::string& value) {
    return tables_.Call("UpdateItem", R"({"TableName":"music","Key":{"k":{"S":"a"},"s":{"S":"1"}},
        "ReturnConsumedCapacity":"INDEXES","UpdateExpression":")" +
                                          expression + R"(","ExpressionAttributeValues":{":v":)" +
                                          value + "}}");
  };
  EXPECT_EQ(units(update("SET q = :v", R"({"S":"r"})")), R"(2 {"all-g":{"CapacityUnits":1}})");
  EXPECT_EQ(units(update("SET n = :v", R"({"N":"2"})")),
            R"(4 {"all-g":{"CapacityUnits":1},"by-g":{"CapacityUnits":2}})");
}

TEST_F(Indexes, RefuseKeysThatDoNotFit) {
  const auto put = [&](const std::string& rest) {
    return tables_.Refusal("PutItem", R"({"TableName":"music","Item":)" + Item("a", rest) + "}");
  };
  EXPECT_EQ(put(R"(,"g":{"N":"1"})"),
            "ValidationException: One or more parameter values were invalid: Type mismatch for "
            "Index Key g Expected: S Actual: N IndexName: all-g");
  EXPECT_EQ(put(R"(,"g":{"S":""})"),
            "ValidationException: One or more parameter values are not valid. A value specified "
            "for a secondary index key is not supported. The AttributeValue for a key attribute "
            "cannot contain an empty string value. IndexName: all-g, IndexKey: g");
  EXPECT_EQ(tables_.Refusal("UpdateItem", R"({"TableName":"music",
                "Key":{"k":{"S":"a"},"s":{"S":"1"}},"UpdateExpression":"SET n = :n",
                "ExpressionAttributeValues":{":n":{"S":"1"}}})"),
            "ValidationException: One or more parameter values were invalid: Type mismatch for "
            "Index Key n Expected: N Actual: S IndexName: by-g");
  // Before any condition is looked at.
  EXPECT_THAT(tables_.Refusal("UpdateItem", R"json({"TableName":"music",
                "Key":{"k":{"S":"a"},"s":{"S":"1"}},"UpdateExpression":"SET g = :n",
                "ConditionExpression":"attribute_exists(k)",
                "ExpressionAttributeValues":{":n":{"N":"1"}}})json"),
              HasSubstr("Type mismatch for Index Key g Expected: S Actual: N IndexName: all-g"));
  EXPECT_THAT(tables_.Refusal("Scan", R"({"TableName":"music","IndexName":"nope"})"),
              HasSubstr("The table does not have the specified index: nope"));
  EXPECT_THAT(tables_.Refusal("Scan", R"({"TableName":"music","ProjectionExpression":"g.x"})"),
              HasSubstr("Key attributes must be scalars; list random access '[]' and map lookup "
                        "'.' are not allowed: IndexKey: g"));
}

TEST_F(Indexes, SayHowLargeAnItemCollectionIs) {
  const auto answer = tables_.Call("PutItem", R"({"TableName":"music",
      "ReturnItemCollectionMetrics":"SIZE","Item":)" +
                                                  Item("a", "") + "}");
  EXPECT_EQ(boost::json::serialize(answer.at("ItemCollectionMetrics")),
            R"({"ItemCollectionKey":{"k":{"S":"a"}},"SizeEstimateRangeGB":[0,1]})");
}

TEST(IndexKeys, KeepTheirOrderWithZeroBytesWithin) {
  TestTables tables;
  tables.Call("CreateTable", R"({"TableName":"zeros","BillingMode":"PAY_PER_REQUEST",
      "AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"},
        {"AttributeName":"g","AttributeType":"S"},{"AttributeName":"b","AttributeType":"B"}],
      "KeySchema":[{"AttributeName":"k","KeyType":"HASH"}],
      "GlobalSecondaryIndexes":[{"IndexName":"index","KeySchema":[
          {"AttributeName":"g","KeyType":"HASH"},{"AttributeName":"b","KeyType":"RANGE"}],
          "Projection":{"ProjectionType":"KEYS_ONLY"}}]})");
  // In ascending order: 00, 00 00, 00 01, 00 ff, 01, ff, ff ff.
  const std::vector<std::string> keys = {"AA==", "AAA=", "AAE=", "AP8=", "AQ==", "/w==", "//8="};
  for (std::size_t i = keys.size(); i-- > 0;) {
    tables.Call("PutItem", R"({"TableName":"zeros","Item":{"g":{"S":"x"},"k":{"S":")" +
                               std::to_string(i) + R"("},"b":{"B":")" + keys[i] + "\"}}}");
  }
  const auto query = [&](const std::string& condition, const std::string& value) {
    std::string found;
    const auto answer = tables.Call(
        "Query", R"({"TableName":"zeros","IndexName":"index","KeyConditionExpression":"g = :g)" +
                     condition + R"(","ExpressionAttributeValues":{":g":{"S":"x"})" +
                     (value.empty() ? "" : R"(,":b":{"B":")" + value + "\"}") + "}}");
    for (const auto& item : answer.at("Items").as_array()) {
      found += item.at("k").at("S").as_string();
    }
    return found;
  };
  EXPECT_EQ(query("", ""), "0123456");
  EXPECT_EQ(query(" AND begins_with(b, :b)", "AA=="), "0123");
  EXPECT_EQ(query(" AND begins_with(b, :b)", "/w=="), "56");
  EXPECT_EQ(query(" AND b > :b", "AA=="), "123456");
  EXPECT_EQ(query(" AND b <= :b", "AAE="), "012");
  EXPECT_EQ(query(" AND b = :b", "AAA="), "1");
}

}  // namespace
}  // namespace kelvin::tables
