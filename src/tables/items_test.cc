#include <set>

#include "tables/tables_fixture.h"

namespace kelvin::tables {
namespace {

using ::testing::HasSubstr;

constexpr const char* kPut = "PutItem";

TEST(Items, ComeBackAsTheyWerePutWithNumbersNormalised) {
  TestTables tables;
  tables.MakeHashTable("N");
  tables.Call(kPut, R"({"TableName":"hash","Item":{"k":{"N":"1.0"},"n":{"N":"+007e1"},
      "b":{"B":"AAEC"},"e":{"S":""},"l":{"L":[{"NULL":true},{"BOOL":false}]}}})");
  EXPECT_EQ(tables.CallText("GetItem", R"({"TableName":"hash","Key":{"k":{"N":"1"}}})"),
            R"({"Item":{"b":{"B":"AAEC"},"e":{"S":""},"k":{"N":"1"},)"
            R"("l":{"L":[{"NULL":true},{"BOOL":false}]},"n":{"N":"70"}}})");
  EXPECT_EQ(tables.CallText("GetItem", R"({"TableName":"hash","Key":{"k":{"N":"2"}}})"), "{}");
}

TEST(Items, AreProjected) {
  TestTables tables;
  tables.MakeHashTable();
  tables.Call(kPut, R"({"TableName":"hash","Item":{"k":{"S":"1"},"a":{"S":"x"},"b":{"S":"y"}}})");
  EXPECT_EQ(tables.CallText("GetItem", R"({"TableName":"hash","Key":{"k":{"S":"1"}},
                "ProjectionExpression":"#a","ExpressionAttributeNames":{"#a":"a"}})"),
            R"({"Item":{"a":{"S":"x"}}})");
}

TEST(Items, AreNotReachedBeyondTheirDepth) {
  TestTables tables;
  tables.MakeHashTable();
  const auto get = [](int levels) {
    std::string path = "a";
    for (int i = 1; i < levels; ++i) path += i % 2 == 0 ? ".b" : "[0]";
    return R"({"TableName":"hash","Key":{"k":{"S":"1"}},"ProjectionExpression":")" + path + "\"}";
  };
  tables.Call("GetItem", get(32));
  EXPECT_EQ(tables.Refusal("GetItem", get(33)),
            "ValidationException: Invalid ProjectionExpression: The document path has too many "
            "nesting levels; nesting levels: 33");
}

TEST(Items, PutAndDeleteReturnTheOldItemWhenAsked) {
  TestTables tables;
  tables.MakeHashTable();
  const std::string one = R"({"TableName":"hash","ReturnValues":"ALL_OLD",)";
  EXPECT_EQ(tables.CallText(kPut, one + R"("Item":{"k":{"S":"1"},"v":{"N":"1"}}})"), "{}");
  EXPECT_EQ(tables.CallText(kPut, one + R"("Item":{"k":{"S":"1"},"v":{"N":"2"}}})"),
            R"({"Attributes":{"k":{"S":"1"},"v":{"N":"1"}}})");
  EXPECT_EQ(tables.CallText("DeleteItem", one + R"("Key":{"k":{"S":"1"}}})"),
            R"({"Attributes":{"k":{"S":"1"},"v":{"N":"2"}}})");
  EXPECT_EQ(tables.CallText("DeleteItem", one + R"("Key":{"k":{"S":"1"}}})"), "{}");
  EXPECT_EQ(tables.Refusal(kPut, R"({"TableName":"hash","ReturnValues":"ALL_NEW",)"
                                 R"("Item":{"k":{"S":"1"}}})"),
            "ValidationException: ReturnValues can only be ALL_OLD or NONE");
}

TEST(Items, AreWrittenOnlyUnderTheirCondition) {
  TestTables tables;
  tables.MakeHashTable();
  const std::string once = R"json({"TableName":"hash","Item":{"k":{"S":"1"},"v":{"N":"1"}},
      "ConditionExpression":"attribute_not_exists(k)",
      "ReturnValuesOnConditionCheckFailure":"ALL_OLD"})json";
  tables.Call(kPut, once);
  EXPECT_EQ(tables.Send(kPut, once).body,
            R"({"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",)"
            R"("message":"The conditional request failed","Item":{"k":{"S":"1"},"v":{"N":"1"}}})");
  EXPECT_EQ(tables.Refusal("DeleteItem", R"({"TableName":"hash","Key":{"k":{"S":"1"}},
                "ConditionExpression":"v = :v","ExpressionAttributeValues":{":v":{"N":"2"}}})"),
            "ConditionalCheckFailedException: The conditional request failed");
}

TEST(Items, UpdateReturnsWhatWasAskedFor) {
  TestTables tables;
  tables.MakeHashTable();
  tables.Call(kPut, R"({"TableName":"hash","Item":{"k":{"S":"1"},"n":{"N":"1"},"o":{"S":"x"}}})");
  const auto update = [&](const std::string& values) {
    return tables.CallText("UpdateItem", R"({"TableName":"hash","Key":{"k":{"S":"1"}},
        "UpdateExpression":"SET n = n + :one REMOVE gone",
        "ExpressionAttributeValues":{":one":{"N":"1"}},"ReturnValues":")" +
                                             values + "\"}");
  };
  EXPECT_EQ(update("NONE"), "{}");
  EXPECT_EQ(update("UPDATED_OLD"), R"({"Attributes":{"n":{"N":"2"}}})");
  EXPECT_EQ(update("UPDATED_NEW"), R"({"Attributes":{"n":{"N":"4"}}})");
  EXPECT_EQ(update("ALL_OLD"), R"({"Attributes":{"k":{"S":"1"},"n":{"N":"4"},"o":{"S":"x"}}})");
  EXPECT_EQ(update("ALL_NEW"), R"({"Attributes":{"k":{"S":"1"},"n":{"N":"6"},"o":{"S":"x"}}})");
}

TEST(Items, UpdateMakesWhatIsNotThere) {
  TestTables tables;
  tables.MakeHashTable();
  tables.Call("UpdateItem", R"({"TableName":"hash","Key":{"k":{"S":"new"}}})");
  EXPECT_EQ(tables.CallText("GetItem", R"({"TableName":"hash","Key":{"k":{"S":"new"}}})"),
            R"({"Item":{"k":{"S":"new"}}})");
}

TEST(Items, UpdateThatOnlyTakesAwayMakesNothing) {
  TestTables tables;
  tables.MakeHashTable();
  const auto answer = [&](const std::string& rest) {
    return tables.CallText("UpdateItem",
                           R"({"TableName":"hash","Key":{"k":{"S":"new"}},)" + rest + "}");
  };
  const auto item = [&] {
    return tables.CallText("GetItem", R"({"TableName":"hash","Key":{"k":{"S":"new"}}})");
  };
  for (const std::string values : {"ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"}) {
    EXPECT_EQ(answer(R"("UpdateExpression":"REMOVE a DELETE b :b","ReturnValues":")" + values +
                     R"(","ExpressionAttributeValues":{":b":{"SS":["x"]}})"),
              "{}");
  }
  answer(R"("AttributeUpdates":{"a":{"Action":"DELETE"}})");
  EXPECT_EQ(answer(R"("UpdateExpression":"REMOVE a","ReturnConsumedCapacity":"TOTAL")"),
            R"({"ConsumedCapacity":{"TableName":"hash","CapacityUnits":1}})");
  EXPECT_EQ(item(), "{}");
  EXPECT_THAT(tables.CallText("DescribeTable", R"({"TableName":"hash"})"),
              HasSubstr(R"("ItemCount":0)"));
  answer(
      R"("UpdateExpression":"REMOVE a SET b = :b","ExpressionAttributeValues":{":b":{"N":"1"}})");
  EXPECT_EQ(item(), R"({"Item":{"b":{"N":"1"},"k":{"S":"new"}}})");
}

TEST(Items, NamesOfAttributesHaveALimitEverywhere) {
  TestTables tables;
  tables.MakeHashTable();
  const std::string longest(65535, 'n');
  const std::string key = R"({"TableName":"hash","Key":{"k":{"S":"1"}},)";
  const auto get = [&](const std::string& name) {
    return key + R"("ProjectionExpression":"#n","ExpressionAttributeNames":{"#n":")" + name +
           "\"}}";
  };
  const auto attributes = [&](const std::string& name) {
    return key + R"("AttributesToGet":[")" + name + "\"]}";
  };
  const auto update = [&](const std::string& name) {
    return key + R"("AttributeUpdates":{")" + name + R"(":{"Value":{"N":"1"}}}})";
  };
  tables.Call("UpdateItem", update(longest));
  EXPECT_EQ(tables.CallText("GetItem", get(longest)),
            R"({"Item":{")" + longest + R"(":{"N":"1"}}})");
  tables.Call("GetItem", attributes(longest));
  const std::string rule =
      "must satisfy constraint: [Member must have length less than or equal "
      "to 65535, Member must have length greater than or equal to 0]";
  EXPECT_THAT(tables.Refusal("GetItem", get(longest + "n")), HasSubstr("Map value " + rule));
  EXPECT_THAT(tables.Refusal("GetItem", attributes(longest + "n")), HasSubstr("Member " + rule));
  EXPECT_THAT(tables.Refusal("UpdateItem", update(longest + "n")), HasSubstr("Map keys " + rule));
}

TEST(Items, KeysAreChecked) {
  TestTables tables;
  tables.MakeRangeTable();
  const std::string invalid = "ValidationException: One or more parameter values were invalid: ";
  const auto put = [&](const std::string& item) {
    return tables.Refusal(kPut, R"({"TableName":"range","Item":)" + item + "}");
  };
  EXPECT_EQ(put(R"({"k":{"S":"1"}})"), invalid + "Missing the key s in the item");
  EXPECT_EQ(put(R"({"k":{"N":"1"},"s":{"S":"1"}})"),
            invalid + "Type mismatch for key k expected: S actual: N");
  EXPECT_EQ(put(R"({"k":{"S":""},"s":{"S":"1"}})"),
            "ValidationException: One or more parameter values are not valid. The AttributeValue "
            "for a key attribute cannot contain an empty string value. Key: k");
  EXPECT_EQ(put(R"({"k":{"S":")" + std::string(2049, 'x') + R"("},"s":{"S":"1"}})"),
            invalid + "Size of hashkey has exceeded the maximum size limit of2048 bytes");
  EXPECT_EQ(
      put(R"({"k":{"S":"1"},"s":{"S":")" + std::string(1025, 'x') + R"("}})"),
      invalid + "Aggregated size of all range keys has exceeded the size limit of 1024 bytes");
  const std::string mismatch =
      "ValidationException: The provided key element does not match the schema";
  const auto get = [&](const std::string& key) {
    return tables.Refusal("GetItem", R"({"TableName":"range","Key":)" + key + "}");
  };
  EXPECT_EQ(get(R"({"k":{"S":"1"}})"), mismatch);
  EXPECT_EQ(get(R"({"k":{"S":"1"},"x":{"S":"1"}})"), mismatch);
  EXPECT_EQ(get(R"({"k":{"S":"1"},"s":{"N":"1"}})"), mismatch);
  EXPECT_EQ(tables.Refusal("UpdateItem", R"({"TableName":"range","Key":{"k":{"S":"1"},
                "s":{"S":"1"}},"UpdateExpression":"REMOVE s"})"),
            invalid + "Cannot update attribute s. This attribute is part of the key");
}

TEST(Items, HaveASizeLimit) {
  TestTables tables;
  tables.MakeHashTable();
  const auto put = [](std::size_t bytes) {
    return R"({"TableName":"hash","Item":{"k":{"S":"1"},"v":{"S":")" + std::string(bytes, 'x') +
           R"("}}})";
  };
  const std::size_t most = 400 * 1024 - 3;
  tables.Call(kPut, put(most));
  EXPECT_EQ(tables.Refusal(kPut, put(most + 1)),
            "ValidationException: Item size has exceeded the maximum allowed size");
  EXPECT_EQ(tables.Refusal("UpdateItem", R"({"TableName":"hash","Key":{"k":{"S":"1"}},
                "UpdateExpression":"SET w = :w","ExpressionAttributeValues":{":w":{"S":"x"}}})"),
            "ValidationException: Item size to update has exceeded the maximum allowed size");
}

TEST(Items, UpdateKeepsTheNestingLimit) {
  TestTables tables;
  tables.MakeHashTable();
  std::string deep = R"({"L":[]})";
  for (int i = 1; i < 32; ++i) deep = R"({"L":[)" + deep + "]}";
  tables.Call(kPut, R"({"TableName":"hash","Item":{"k":{"S":"1"},"m":{"M":{}},"d":)" + deep + "}}");
  EXPECT_THAT(tables.Refusal("UpdateItem", R"({"TableName":"hash","Key":{"k":{"S":"1"}},
                  "UpdateExpression":"SET m.d = d"})"),
              HasSubstr("Nesting Levels have exceeded supported limits"));
}

TEST(Items, RefuseExpressionsThatDoNotFit) {
  TestTables tables;
  tables.MakeHashTable();
  const std::string key = R"({"TableName":"hash","Key":{"k":{"S":"1"}},)";
  EXPECT_EQ(tables.Refusal("GetItem", key + R"("ExpressionAttributeNames":{"#a":"a"}})"),
            "ValidationException: ExpressionAttributeNames can only be specified when using "
            "expressions");
  EXPECT_EQ(tables.Refusal("UpdateItem", key + R"("ExpressionAttributeValues":{":a":{"S":"a"}}})"),
            "ValidationException: ExpressionAttributeValues can only be specified when using "
            "expressions: UpdateExpression and ConditionExpression are null");
  const std::string remove = key + R"("UpdateExpression":"REMOVE a",)";
  EXPECT_EQ(tables.Refusal("UpdateItem", remove + R"("ExpressionAttributeNames":{}})"),
            "ValidationException: ExpressionAttributeNames must not be empty");
  EXPECT_EQ(
      tables.Refusal("UpdateItem", remove + R"("ExpressionAttributeNames":{"a":"b"}})"),
      "ValidationException: ExpressionAttributeNames contains invalid key: Syntax error; key: "
      "\"a\"");
  EXPECT_EQ(tables.Refusal("UpdateItem", remove + R"("ExpressionAttributeValues":{":a":{}}})"),
            "ValidationException: ExpressionAttributeValues contains invalid value: Supplied "
            "AttributeValue is empty, must contain exactly one of the supported datatypes for key "
            ":a");
  EXPECT_EQ(
      tables.Refusal("UpdateItem", remove + R"("ExpressionAttributeNames":{"#b":"b"}})"),
      "ValidationException: Value provided in ExpressionAttributeNames unused in expressions: "
      "keys: {#b}");
}

TEST(Items, ReportTheCapacityOnRequest) {
  TestTables tables;
  tables.MakeHashTable();
  EXPECT_EQ(tables.CallText(kPut, R"({"TableName":"hash","Item":{"k":{"S":"1"}},
                "ReturnConsumedCapacity":"TOTAL"})"),
            R"({"ConsumedCapacity":{"TableName":"hash","CapacityUnits":1}})");
  EXPECT_EQ(tables.CallText("GetItem", R"({"TableName":"hash","Key":{"k":{"S":"2"}},
                "ReturnConsumedCapacity":"INDEXES"})"),
            R"({"ConsumedCapacity":{"TableName":"hash","CapacityUnits":5E-1,)"
            R"("Table":{"CapacityUnits":5E-1}}})");
}

class Reads : public ::testing::Test {
 protected:
  Reads() {
    tables_.MakeRangeTable("N");
    for (const char* sort : {"10", "-2", "3", "0", "2.5"}) Put("p", sort);
    Put("other", "1");
  }
  void Put(const std::string& partition, const std::string& sort) {
    tables_.Call(kPut, R"({"TableName":"range","Item":{"k":{"S":")" + partition +
                           R"("},"s":{"N":")" + sort + R"("},"v":{"S":"v)" + sort + R"("}}})");
  }
  // The sort keys that a query finds, and where it goes on.
  std::string Query(const std::string& condition, const std::string& values,
                    const std::string& rest = "") {
    return Sorts(tables_.Call("Query", Body(condition, values, rest)));
  }
  static std::string Body(const std::string& condition, const std::string& values,
                          const std::string& rest = "") {
    return R"({"TableName":"range","KeyConditionExpression":")" + condition +
           R"(","ExpressionAttributeValues":{":k":{"S":"p"})" + values + "}" + rest + "}";
  }
  static std::string Sorts(const boost::json::object& answer) {
    std::string text;
    for (const auto& item : answer.at("Items").as_array()) {
      text += std::string(item.at("s").at("N").as_string()) + " ";
    }
    if (const auto* last = answer.if_contains("LastEvaluatedKey")) {
      text += "then " + std::string(last->at("s").at("N").as_string());
    }
    return text;
  }
  std::string Refused(const std::string& condition, const std::string& values = "",
                      const std::string& rest = "") {
    const std::string refusal = tables_.Refusal("Query", Body(condition, values, rest));
    return refusal.substr(refusal.find(": ") + 2);
  }
  TestTables tables_;
};

TEST_F(Reads, QueryFindsSortKeysInOrder) {
  EXPECT_EQ(Query("k = :k", ""), "-2 0 2.5 3 10 ");
  EXPECT_EQ(Query("k = :k", "", R"(,"ScanIndexForward":false)"), "10 3 2.5 0 -2 ");
  EXPECT_EQ(Query("k = :k AND s > :s", R"(,":s":{"N":"0"})"), "2.5 3 10 ");
  EXPECT_EQ(Query("k = :k AND s >= :s", R"(,":s":{"N":"0"})"), "0 2.5 3 10 ");
  EXPECT_EQ(Query("s < :s AND k = :k", R"(,":s":{"N":"2.50"})"), "-2 0 ");
  EXPECT_EQ(Query("k = :k AND :s >= s", R"(,":s":{"N":"2.5"})"), "-2 0 2.5 ");
  EXPECT_EQ(Query("(k = :k) AND (s BETWEEN :s AND :t)", R"(,":s":{"N":"0"},":t":{"N":"3"})",
                  R"(,"ScanIndexForward":false)"),
            "3 2.5 0 ");
  EXPECT_EQ(Query("k = :k AND s = :s", R"(,":s":{"N":"1e1"})"), "10 ");
}

TEST_F(Reads, QueryGoesOnWhereThePageEnded) {
  for (const std::string order : {"true", "false"}) {
    std::string found;
    std::string start;
    for (int page = 0; page < 10; ++page) {
      const auto answer = tables_.Call(
          "Query", Body("k = :k", "", R"(,"Limit":2,"ScanIndexForward":)" + order + start));
      for (const auto& item : answer.at("Items").as_array()) {
        found += std::string(item.at("s").at("N").as_string()) + " ";
      }
      const auto* last = answer.if_contains("LastEvaluatedKey");
      if (last == nullptr) break;
      start = R"(,"ExclusiveStartKey":)" + boost::json::serialize(*last);
    }
    EXPECT_EQ(found, order == "true" ? "-2 0 2.5 3 10 " : "10 3 2.5 0 -2 ");
  }
}

TEST_F(Reads, ALimitCountsBeforeTheFilter) {
  const auto answer = tables_.CallText(
      "Query", Body("k = :k", R"(,":v":{"S":"v0"})", R"(,"Limit":3,"FilterExpression":"v = :v")"));
  EXPECT_EQ(answer, R"({"Items":[{"k":{"S":"p"},"s":{"N":"0"},"v":{"S":"v0"}}],"Count":1,)"
                    R"("ScannedCount":3,"LastEvaluatedKey":{"k":{"S":"p"},"s":{"N":"2.5"}}})");
}

TEST_F(Reads, AFullPageSaysWhereItEndedThoughNothingFollows) {
  EXPECT_EQ(Query("k = :k", "", R"(,"Limit":5)"), "-2 0 2.5 3 10 then 10");
  EXPECT_EQ(Query("k = :k", "", R"(,"Limit":6)"), "-2 0 2.5 3 10 ");
}

TEST_F(Reads, QueryCountsAndProjects) {
  EXPECT_EQ(tables_.CallText("Query", Body("k = :k", "", R"(,"Select":"COUNT")")),
            R"({"Count":5,"ScannedCount":5})");
  EXPECT_EQ(tables_.CallText("Query", Body("k = :k AND s = :s", R"(,":s":{"N":"3"})",
                                           R"(,"ProjectionExpression":"v")")),
            R"({"Items":[{"v":{"S":"v3"}}],"Count":1,"ScannedCount":1})");
}

TEST_F(Reads, QueryChecksItsKeyCondition) {
  const std::string s = R"(,":s":{"N":"1"})";
  EXPECT_EQ(Refused("k = :k OR s = :s", s), "Invalid operator used in KeyConditionExpression: OR");
  EXPECT_EQ(Refused("k = :k AND s <> :s", s),
            "Invalid operator used in KeyConditionExpression: <>");
  EXPECT_EQ(Refused("k = :k AND attribute_exists(s)"),
            "Invalid operator used in KeyConditionExpression: attribute_exists");
  EXPECT_EQ(Refused("k > :k"), "Query key condition not supported");
  EXPECT_EQ(Refused("v = :k"), "Query condition missed key schema element: k");
  EXPECT_EQ(Refused("k = :k AND v = :s", s), "Query condition missed key schema element: s");
  EXPECT_EQ(
      Refused("k = :k AND k = :s", s),
      "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition "
      "per key");
  EXPECT_EQ(Refused("k.a = :k"),
            "KeyConditionExpressions cannot have conditions on nested attributes");
  EXPECT_EQ(Refused("k = :k AND size(s) = :s", s),
            "KeyConditionExpressions cannot contain nested operations");
  EXPECT_EQ(Refused("k = :k AND :s BETWEEN s AND :s", s),
            "Invalid condition in KeyConditionExpression: BETWEEN operator must have the key "
            "attribute as its first operand");
  for (const char* condition :
       {"k = :k AND :s BETWEEN v.x AND :s", "k = :k AND size(s) BETWEEN :s AND :s"}) {
    EXPECT_EQ(Refused(condition, s),
              "Invalid condition in KeyConditionExpression: BETWEEN operator must have the key "
              "attribute as its first operand");
  }
  EXPECT_EQ(Refused("begins_with(:k, :k)"),
            "Invalid condition in KeyConditionExpression: begins_with operator must have the key "
            "attribute as its first operand");
  EXPECT_EQ(Refused("k = :k AND s = :s", R"(,":s":{"S":"1"})"),
            "One or more parameter values were invalid: Condition parameter type does not match "
            "schema type");
  EXPECT_EQ(
      Refused("k = :k AND s = :s AND v = :s", s),
      "The number of query conditions (3) exceeds the number of key attributes defined in the "
      "schema (2)");
  EXPECT_EQ(tables_.Refusal("Query", R"({"TableName":"nope","KeyConditionExpression":"k <> :k",
                "ExpressionAttributeValues":{":k":{"S":"x"}}})"),
            "ValidationException: Invalid operator used in KeyConditionExpression: <>");
  EXPECT_EQ(Refused("k = :k", s, R"(,"FilterExpression":"s = :s")"),
            "Filter Expression can only contain non-primary key attributes: Primary key attribute: "
            "s");
  EXPECT_EQ(
      tables_.Refusal("Query", R"({"TableName":"range"})"),
      "ValidationException: Either the KeyConditions or KeyConditionExpression parameter must "
      "be specified in the request.");
  EXPECT_EQ(Refused("k = :k", "", R"(,"IndexName":"index")"),
            "The table does not have the specified index: index");
}

TEST_F(Reads, QueryChecksItsStartKey) {
  const auto start = [](const std::string& key) { return R"(,"ExclusiveStartKey":)" + key; };
  EXPECT_EQ(Refused("k = :k", "", start(R"({"k":{"S":"p"}})")),
            "The provided starting key is invalid");
  EXPECT_EQ(Refused("k = :k", "", start(R"({"k":{"S":"q"},"s":{"N":"1"}})")),
            "The provided starting key is outside query boundaries based on provided conditions");
  EXPECT_EQ(
      Refused("k = :k AND s > :s", R"(,":s":{"N":"1"})", start(R"({"k":{"S":"p"},"s":{"N":"0"}})")),
      "The provided starting key does not match the range key predicate");
}

TEST_F(Reads, SelectMustFitTheProjection) {
  const std::string invalid = "One or more parameter values were invalid: ";
  EXPECT_EQ(Refused("k = :k", "", R"(,"Select":"SPECIFIC_ATTRIBUTES")"),
            "1 validation error detected: "
            "Must specify the AttributesToGet or ProjectionExpression when choosing to "
            "get SPECIFIC_ATTRIBUTES");
  EXPECT_EQ(
      Refused("k = :k", "", R"(,"Select":"COUNT","ProjectionExpression":"v")"),
      "1 validation error detected: Cannot specify the ProjectionExpression when choosing to get "
      "only the Count");
  EXPECT_EQ(Refused("k = :k", "", R"(,"Select":"ALL_PROJECTED_ATTRIBUTES")"),
            invalid + "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName");
}

TEST_F(Reads, ScanMeetsEveryItemOnceInAnyPagesAndSegments) {
  for (int total = 1; total <= 3; ++total) {
    std::multiset<std::string> found;
    for (int segment = 0; segment < total; ++segment) {
      std::string start;
      for (int page = 0; page < 20; ++page) {
        const auto answer = tables_.Call(
            "Scan", R"({"TableName":"range","Limit":2,"Segment":)" + std::to_string(segment) +
                        R"(,"TotalSegments":)" + std::to_string(total) + start + "}");
        for (const auto& item : answer.at("Items").as_array()) {
          found.emplace(item.at("s").at("N").as_string());
        }
        const auto* last = answer.if_contains("LastEvaluatedKey");
        if (last == nullptr) break;
        start = R"(,"ExclusiveStartKey":)" + boost::json::serialize(*last);
      }
    }
    EXPECT_EQ(found, (std::multiset<std::string>{"-2", "0", "1", "10", "2.5", "3"}));
  }
}

TEST_F(Reads, ScanChecksItsSegments) {
  const auto refused = [&](const std::string& rest) {
    return tables_.Refusal("Scan", R"({"TableName":"range",)" + rest + "}");
  };
  EXPECT_EQ(refused(R"("Segment":1)"),
            "ValidationException: The TotalSegments parameter is required but was not present in "
            "the request when Segment parameter is present");
  EXPECT_EQ(refused(R"("TotalSegments":1)"),
            "ValidationException: The Segment parameter is required but was not present in the "
            "request when parameter TotalSegments is present");
  EXPECT_EQ(refused(R"("Segment":2,"TotalSegments":2)"),
            "ValidationException: The Segment parameter is zero-based and must be less than "
            "parameter TotalSegments: Segment: 2 is not less than TotalSegments: 2");
  EXPECT_EQ(refused(R"("ExclusiveStartKey":{"k":{"S":"p"}})"),
            "ValidationException: The provided starting key is invalid: The provided key element "
            "does not match the schema");
}

// The item that goes beyond the megabyte is still part of the page.
TEST(Pages, EndAtAMegabyte) {
  TestTables tables;
  tables.MakeRangeTable();
  const std::string text(300'000, 'x');
  for (int i = 0; i < 5; ++i) {
    tables.Call(kPut, R"({"TableName":"range","Item":{"k":{"S":"p"},"s":{"S":")" +
                          std::to_string(i) + R"("},"v":{"S":")" + text + R"("}}})");
  }
  const auto answer = tables.Call("Scan", R"({"TableName":"range"})");
  EXPECT_EQ(answer.at("Count").as_int64(), 4);
  EXPECT_EQ(answer.at("LastEvaluatedKey").at("s").at("S"), "3");
}

}  // namespace
}  // namespace kelvin::tables
