// The parameters that expressions took the place of.
#include "tables/tables_fixture.h"

namespace kelvin::tables {
namespace {

using ::testing::HasSubstr;

class Legacy : public ::testing::Test {
 protected:
  Legacy() {
    tables_.MakeRangeTable("N");
    for (const char* s : {"1", "2", "3"}) {
      tables_.Call("PutItem", R"({"TableName":"range","Item":{"k":{"S":"p"},"s":{"N":")" +
                                  std::string(s) + R"("},"v":{"S":"v)" + s +
                                  R"("},"set":{"SS":["a","b"]},"list":{"L":[{"N":"1"}]}}})");
    }
  }
  std::string Query(const std::string& conditions, const std::string& rest = "") {
    const auto answer =
        tables_.Call("Query", R"({"TableName":"range","KeyConditions":{"k":{"AttributeValueList":
            [{"S":"p"}],"ComparisonOperator":"EQ"})" +
                                  conditions + "}" + rest + "}");
    std::string text;
    for (const auto& item : answer.at("Items").as_array()) {
      text += item.at("s").at("N").as_string();
    }
    return text;
  }
  std::string Update(const std::string& updates) {
    return boost::json::serialize(
        tables_.Call("UpdateItem", R"({"TableName":"range","Key":{"k":{"S":"p"},"s":{"N":"1"}},
            "ReturnValues":"UPDATED_NEW","AttributeUpdates":{)" +
                                       updates + "}}"));
  }
  std::string Put(const std::string& expected) {
    const auto response = tables_.Send("PutItem", R"({"TableName":"range",
        "Item":{"k":{"S":"p"},"s":{"N":"1"},"v":{"S":"v1"}},)" +
                                                      expected + "}");
    return response.status == 200
               ? "put"
               : boost::json::parse(response.body).at("__type").as_string().c_str();
  }
  TestTables tables_;
};

TEST_F(Legacy, KeyConditionsFindARange) {
  EXPECT_EQ(Query(""), "123");
  EXPECT_EQ(Query(R"(,"s":{"AttributeValueList":[{"N":"2"}],"ComparisonOperator":"GE"})"), "23");
  EXPECT_EQ(Query(R"(,"s":{"AttributeValueList":[{"N":"2"},{"N":"2"}],
                      "ComparisonOperator":"BETWEEN"})"),
            "2");
}

TEST_F(Legacy, FiltersJoinWithAndUnlessToldOtherwise) {
  const std::string filter = R"(,"QueryFilter":{"v":{"AttributeValueList":[{"S":"v1"},{"S":"v2"}],
      "ComparisonOperator":"IN"},"set":{"AttributeValueList":[{"S":"c"}],
      "ComparisonOperator":"CONTAINS"}})";
  EXPECT_EQ(Query("", filter), "");
  EXPECT_EQ(Query("", filter + R"(,"ConditionalOperator":"OR")"), "12");
  const auto scan = tables_.Call("Scan", R"({"TableName":"range","AttributesToGet":["v"],
      "ScanFilter":{"v":{"AttributeValueList":[{"S":"v3"}],"ComparisonOperator":"NE"},
                    "nope":{"ComparisonOperator":"NULL"}}})");
  EXPECT_EQ(boost::json::serialize(scan.at("Items")), R"([{"v":{"S":"v1"}},{"v":{"S":"v2"}}])");
}

TEST_F(Legacy, AttributeUpdatesPutAddAndDelete) {
  EXPECT_EQ(Update(R"("v":{"Value":{"S":"w"}},"n":{"Action":"ADD","Value":{"N":"5"}})"),
            R"({"Attributes":{"n":{"N":"5"},"v":{"S":"w"}}})");
  EXPECT_EQ(Update(R"("n":{"Action":"ADD","Value":{"N":"2"}},
                      "set":{"Action":"ADD","Value":{"SS":["c"]}})"),
            R"({"Attributes":{"n":{"N":"7"},"set":{"SS":["a","b","c"]}}})");
  EXPECT_EQ(Update(R"("set":{"Action":"DELETE","Value":{"SS":["a","z"]}},
                      "list":{"Action":"ADD","Value":{"L":[{"S":"x"}]}},
                      "v":{"Action":"DELETE"})"),
            R"({"Attributes":{"list":{"L":[{"N":"1"},{"S":"x"}]},"set":{"SS":["b","c"]}}})");
  EXPECT_EQ(Update(R"("fresh":{"Action":"ADD","Value":{"L":[]}})"),
            R"({"Attributes":{"fresh":{"L":[]}}})");
}

TEST_F(Legacy, ExpectedIsACondition) {
  EXPECT_EQ(Put(R"("Expected":{"v":{"Value":{"S":"v1"}}})"), "put");
  EXPECT_THAT(Put(R"("Expected":{"v":{"Value":{"S":"other"}}})"),
              HasSubstr("ConditionalCheckFailedException"));
  EXPECT_THAT(Put(R"("Expected":{"v":{"Exists":false}})"),
              HasSubstr("ConditionalCheckFailedException"));
  EXPECT_EQ(Put(R"("Expected":{"v":{"Exists":false},"k":{"ComparisonOperator":"NOT_NULL"}},
                   "ConditionalOperator":"OR")"),
            "put");
}

TEST_F(Legacy, ReportsWhatDoesNotFit) {
  const auto put = [&](const std::string& rest) {
    return tables_.Refusal("PutItem", R"({"TableName":"range",
        "Item":{"k":{"S":"p"},"s":{"N":"1"}},)" +
                                          rest + "}");
  };
  const std::string invalid = "ValidationException: One or more parameter values were invalid: ";
  EXPECT_EQ(put(R"("Expected":{"v":{"Exists":true}})"),
            invalid + "Value must be provided when Exists is true for Attribute: v");
  EXPECT_EQ(put(R"("Expected":{"v":{"Value":{"S":"a"},"AttributeValueList":[]}})"),
            invalid + "Value and AttributeValueList cannot be used together for Attribute: v");
  EXPECT_EQ(put(R"("Expected":{"v":{"ComparisonOperator":"LT"}})"),
            invalid +
                "Value or AttributeValueList must be used with ComparisonOperator: LT for "
                "Attribute: v");
  EXPECT_EQ(put(R"("Expected":{"v":{"ComparisonOperator":"BETWEEN",
                   "AttributeValueList":[{"S":"a"}]}})"),
            invalid + "Invalid number of argument(s) for the BETWEEN ComparisonOperator");
  EXPECT_EQ(put(R"json("Expected":{"v":{"Exists":false}},
                   "ConditionExpression":"attribute_not_exists(v)")json"),
            "ValidationException: Can not use both expression and non-expression parameters in the "
            "same request: Non-expression parameters: {Expected} Expression parameters: "
            "{ConditionExpression}");
  EXPECT_EQ(put(R"("Expected":{"v":{"ComparisonOperator":"X"}})"),
            "ValidationException: 1 validation error detected: Value 'X' at "
            "'expected.v.member.comparisonOperator' failed to satisfy constraint: Member must "
            "satisfy enum value set: [IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, "
            "LE, BEGINS_WITH, GE, CONTAINS]");
  const auto update = [&](const std::string& updates) {
    return tables_.Refusal("UpdateItem", R"({"TableName":"range",
        "Key":{"k":{"S":"p"},"s":{"N":"1"}},"AttributeUpdates":{)" +
                                             updates + "}}");
  };
  EXPECT_EQ(update(R"("v":{"Action":"PUT"})"),
            invalid + "Only DELETE action is allowed when no attribute value is specified");
  EXPECT_EQ(update(R"("v":{"Action":"ADD","Value":{"S":"x"}})"),
            invalid + "ADD action is not supported for the type S");
  EXPECT_EQ(update(R"("v":{"Action":"DELETE","Value":{"N":"1"}})"),
            invalid + "DELETE action with value is not supported for the type N");
  EXPECT_EQ(update(R"("v":{"Action":"ADD","Value":{"N":"1"}})"),
            "ValidationException: Type mismatch for attribute to update");
  EXPECT_EQ(update(R"("k":{"Value":{"S":"x"}})"),
            invalid + "Cannot update attribute k. This attribute is part of the key");
  EXPECT_EQ(tables_.Refusal("GetItem", R"({"TableName":"range","AttributesToGet":["a","a"],
                "Key":{"k":{"S":"p"},"s":{"N":"1"}}})"),
            invalid + "Duplicate value in attribute name: a");
  EXPECT_EQ(tables_.Refusal("Query", R"({"TableName":"range","KeyConditions":{}})"),
            "ValidationException: Conditions can be of length 1 or 2 only");
  EXPECT_EQ(tables_.Refusal("Query", R"({"TableName":"range","KeyConditions":{
                "k":{"ComparisonOperator":"NE","AttributeValueList":[{"S":"p"}]}}})"),
            "ValidationException: Attempted conditional constraint is not an indexable operation");
  EXPECT_THAT(tables_.Refusal("Query", R"({"TableName":"range","KeyConditions":{
                "k":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"p"}]}},
                "QueryFilter":{"s":{"ComparisonOperator":"NOT_NULL"}}})"),
              HasSubstr("QueryFilter can only contain non-primary key attributes: Primary key "
                        "attribute: s"));
}

TEST_F(Legacy, NotContainsWantsSomethingThatDoesNotContain) {
  EXPECT_EQ(Put(R"("Expected":{"v":{"ComparisonOperator":"NOT_CONTAINS",
                   "AttributeValueList":[{"S":"x"}]}})"),
            "put");
  EXPECT_THAT(Put(R"("Expected":{"nope":{"ComparisonOperator":"NOT_CONTAINS",
                   "AttributeValueList":[{"S":"x"}]}})"),
              HasSubstr("ConditionalCheckFailedException"));
  const std::string filter = R"(,"QueryFilter":{"nope":{"AttributeValueList":[{"S":"x"}],
      "ComparisonOperator":"NOT_CONTAINS"},"v":{"AttributeValueList":[{"S":"1"}],
      "ComparisonOperator":"NOT_CONTAINS"}})";
  EXPECT_EQ(Query("", filter), "");
  EXPECT_EQ(Query("", filter + R"(,"ConditionalOperator":"OR")"), "23");
}

// Of several faults the one in the member that is looked at first, and within an attribute of
// Expected that of its form before that of its value.
TEST_F(Legacy, ReportsTheFirstOfSeveralFaults) {
  const std::string bad_key = R"("KeyConditions":{"k":{"ComparisonOperator":"EQ",
      "AttributeValueList":[{}]}})";
  const auto query = [&](const std::string& rest) {
    return tables_.Refusal("Query", R"({"TableName":"range",)" + rest + "," + bad_key + "}");
  };
  const std::string invalid = "ValidationException: One or more parameter values were invalid: ";
  const std::string empty =
      "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes";
  EXPECT_EQ(query(R"("ScanIndexForward":true)"), "ValidationException: " + empty);
  EXPECT_EQ(query(R"("ExclusiveStartKey":{"k":{}})"),
            "ValidationException: The provided starting key is invalid: " + empty);
  EXPECT_EQ(query(R"("ExclusiveStartKey":{"k":{}},"AttributesToGet":["a","a"])"),
            invalid + "Duplicate value in attribute name: a");
  EXPECT_EQ(query(R"("ExclusiveStartKey":{"k":{}},"AttributesToGet":["a","a"],
                     "QueryFilter":{"v":{"ComparisonOperator":"EQ"}})"),
            invalid + "Invalid number of argument(s) for the EQ ComparisonOperator");
  EXPECT_EQ(tables_.Refusal("Scan", R"({"TableName":"range","AttributesToGet":["a","a"],
                "ScanFilter":{"v":{"ComparisonOperator":"EQ","AttributeValueList":[{}]}}})"),
            invalid + "Duplicate value in attribute name: a");
  const auto put = [&](const std::string& expected) {
    return tables_.Refusal("PutItem", R"({"TableName":"range","ReturnValues":"NONE",
        "Item":{"k":{"S":"p"},"s":{"N":"1"}},"Expected":{"v":{)" +
                                          expected + "}}}");
  };
  EXPECT_EQ(put(R"("Exists":true,"ComparisonOperator":"EQ","AttributeValueList":[{"N":"x"}])"),
            invalid + "Exists and ComparisonOperator cannot be used together for Attribute: v");
  EXPECT_EQ(put(R"("ComparisonOperator":"NULL","AttributeValueList":[{"N":"x"}])"),
            invalid + "Invalid number of argument(s) for the NULL ComparisonOperator");
  EXPECT_EQ(put(R"("ComparisonOperator":"LT","AttributeValueList":[{"N":"x"}])"),
            "ValidationException: The parameter cannot be converted to a numeric value: x");
  EXPECT_EQ(put(R"("Value":{"N":"x"})"),
            "ValidationException: The parameter cannot be converted to a numeric value: x");
}

TEST_F(Legacy, KeyConditionsAreCheckedInTheOrderOfTheKey) {
  const auto query = [&](const std::string& conditions) {
    return tables_.Refusal("Query",
                           R"({"TableName":"range","KeyConditions":{)" + conditions + "}}");
  };
  const std::string k = R"("k":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"p"}]})";
  EXPECT_EQ(query(R"("v":{"ComparisonOperator":"NULL"})"),
            "ValidationException: Query condition missed key schema element: k");
  EXPECT_EQ(query(k + R"(,"v":{"ComparisonOperator":"NULL"})"),
            "ValidationException: Query condition missed key schema element: s");
  EXPECT_EQ(query(R"("s":{"ComparisonOperator":"NULL"},
                     "k":{"ComparisonOperator":"GT","AttributeValueList":[{"S":"p"}]})"),
            "ValidationException: Query key condition not supported");
  EXPECT_EQ(query(R"("s":{"ComparisonOperator":"NULL"},
                     "k":{"ComparisonOperator":"EQ","AttributeValueList":[{"N":"1"}]})"),
            "ValidationException: One or more parameter values were invalid: Condition parameter "
            "type does not match schema type");
  EXPECT_EQ(query(k + R"(,"s":{"ComparisonOperator":"NOT_CONTAINS",
                               "AttributeValueList":[{"N":"1"}]})"),
            "ValidationException: Attempted conditional constraint is not an indexable operation");
}

}  // namespace
}  // namespace kelvin::tables
