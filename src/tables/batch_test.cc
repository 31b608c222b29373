#include "tables/tables_fixture.h"

namespace kelvin::tables {
namespace {

using ::testing::HasSubstr;

std::string Puts(int count, const std::string& table = "hash") {
  std::string requests;
  for (int i = 0; i < count; ++i) {
    requests += (i > 0 ? "," : "") + (R"({"PutRequest":{"Item":{"k":{"S":")" + std::to_string(i)) +
                "\"}}}}";
  }
  return "\"" + table + "\":[" + requests + "]";
}

class Batches : public ::testing::Test {
 protected:
  Batches() {
    tables_.MakeHashTable();
    tables_.MakeRangeTable();
  }
  std::string Refused(const std::string& operation, const std::string& items) {
    return tables_.Refusal(operation, R"({"RequestItems":{)" + items + "}}");
  }
  TestTables tables_;
};

TEST_F(Batches, WriteAndReadSeveralTables) {
  EXPECT_EQ(tables_.CallText("BatchWriteItem", R"({"ReturnConsumedCapacity":"TOTAL",
                "RequestItems":{"hash":[{"PutRequest":{"Item":{"k":{"S":"1"},"v":{"N":"1"}}}},
                  {"PutRequest":{"Item":{"k":{"S":"2"}}}}],
                "range":[{"PutRequest":{"Item":{"k":{"S":"1"},"s":{"S":"1"}}}}]}})"),
            R"({"UnprocessedItems":{},"ConsumedCapacity":[{"TableName":"hash","CapacityUnits":2},)"
            R"({"TableName":"range","CapacityUnits":1}]})");
  EXPECT_EQ(tables_.CallText("BatchGetItem", R"({"RequestItems":{
                "hash":{"Keys":[{"k":{"S":"1"}},{"k":{"S":"9"}}],"ProjectionExpression":"v"},
                "range":{"Keys":[{"k":{"S":"1"},"s":{"S":"1"}}],"ConsistentRead":true}},
                "ReturnConsumedCapacity":"TOTAL"})"),
            R"({"Responses":{"hash":[{"v":{"N":"1"}}],"range":[{"k":{"S":"1"},"s":{"S":"1"}}]},)"
            R"("UnprocessedKeys":{},"ConsumedCapacity":[{"TableName":"hash","CapacityUnits":1},)"
            R"({"TableName":"range","CapacityUnits":1}]})");
  tables_.Call("BatchWriteItem",
               R"({"RequestItems":{"hash":[{"DeleteRequest":{"Key":{"k":{"S":"1"}}}}]}})");
  EXPECT_EQ(tables_.Call("Scan", R"({"TableName":"hash"})").at("Count").as_int64(), 1);
}

TEST_F(Batches, LeaveKeysUnprocessedBeyondSixteenMegabytes) {
  const std::string text(399'000, 'x');
  std::string keys;
  for (int i = 0; i < 50; ++i) {
    const std::string key = R"({"k":{"S":")" + std::to_string(i) + "\"}";
    tables_.Call("PutItem",
                 R"({"TableName":"hash","Item":)" + key + R"(,"v":{"S":")" + text + "\"}}}");
    keys += (i > 0 ? "," : "") + key + "}";
  }
  const auto answer =
      tables_.Call("BatchGetItem", R"({"RequestItems":{"hash":{"Keys":[)" + keys + "]}}}");
  const auto read = answer.at("Responses").at("hash").as_array().size();
  const auto left = answer.at("UnprocessedKeys").at("hash").at("Keys").as_array().size();
  EXPECT_EQ(read, 43U);  // the first to make it 16 MB is the last
  EXPECT_EQ(read + left, 50U);
}

TEST_F(Batches, HaveLimits) {
  const std::string validation = "ValidationException: ";
  EXPECT_EQ(Refused("BatchWriteItem", ""),
            validation + "The requestItems parameter is required for BatchWriteItem");
  EXPECT_EQ(Refused("BatchGetItem", ""),
            validation + "The requestItems parameter is required for BatchGetItem");
  EXPECT_THAT(Refused("BatchWriteItem", Puts(26)),
              HasSubstr("at 'requestItems' failed to satisfy constraint: Map value must satisfy "
                        "constraint: [Member must have length less than or equal to 25, Member "
                        "must have length greater than or equal to 1]"));
  EXPECT_EQ(Refused("BatchWriteItem", Puts(20) + "," + Puts(6, "range")),
            validation + "Too many items requested for the BatchWriteItem call");
  std::string keys = R"({"k":{"S":"x"}})";
  for (int i = 0; i < 100; ++i) keys += R"(,{"k":{"S":")" + std::to_string(i) + "\"}}";
  EXPECT_EQ(Refused("BatchGetItem", R"("hash":{"Keys":[)" + keys + "]}"),
            validation +
                "1 validation error detected: Value at 'RequestItems.hash.member.Keys' failed to "
                "satisfy constraint: Member must have length less than or equal to 100");
}

TEST_F(Batches, ReportWhatIsWrongWithOneOfThem) {
  const std::string validation = "ValidationException: ";
  EXPECT_EQ(Refused("BatchWriteItem", R"("hash":[{"PutRequest":{"Item":{"k":{"S":"1"}}}},
                                                {"DeleteRequest":{"Key":{"k":{"S":"1"}}}}])"),
            validation + "Provided list of item keys contains duplicates");
  EXPECT_EQ(Refused("BatchGetItem", R"("hash":{"Keys":[{"k":{"S":"1"}},{"k":{"S":"1"}}]})"),
            validation + "Provided list of item keys contains duplicates");
  const std::string mismatch = validation + "The provided key element does not match the schema";
  EXPECT_EQ(Refused("BatchWriteItem", R"("hash":[{"PutRequest":{"Item":{"k":{"N":"1"}}}}])"),
            mismatch);
  EXPECT_EQ(Refused("BatchWriteItem", R"("hash":[{"PutRequest":{"Item":{"x":{"N":"1"}}}}])"),
            mismatch);
  EXPECT_EQ(Refused("BatchGetItem", R"("hash":{"Keys":[{"k":{"N":"1"}}]})"), mismatch);
  EXPECT_EQ(Refused("BatchWriteItem", Puts(1, "nope")),
            "ResourceNotFoundException: Requested resource not found");
  EXPECT_EQ(Refused("BatchWriteItem", R"("hash":[{}])"),
            validation +
                "Supplied AttributeValue has more than one datatypes set, must contain exactly "
                "one of the supported datatypes");
  EXPECT_EQ(Refused("BatchGetItem", R"("hash":{"Keys":[{"k":{"S":"1"}}],
                                      "ProjectionExpression":"a, a"})"),
            validation +
                "Invalid ProjectionExpression: Two document paths overlap with each other; must "
                "remove or rewrite one of these paths; path one: [a], path two: [a]");
  // The keys' values come after all else that a table is asked for.
  EXPECT_EQ(Refused("BatchGetItem", R"("hash":{"Keys":[{"k":{"N":"x"}}],
                                      "AttributesToGet":["a","a"]})"),
            validation +
                "One or more parameter values were invalid: Duplicate value in attribute name: a");
  EXPECT_EQ(Refused("BatchGetItem", R"("hash":{"Keys":[{"k":{"N":"x"}}]})"),
            validation + "The parameter cannot be converted to a numeric value: x");
  EXPECT_THAT(Refused("BatchGetItem", R"("hash":{"Keys":[{"k":{"S":"1"}}],"AttributesToGet":["k"],
                                        "ProjectionExpression":"k"})"),
              HasSubstr("Can not use both expression and non-expression parameters"));
  EXPECT_EQ(tables_.Refusal("BatchWriteItem", R"({"RequestItems":{"hash":{}}})"),
            "SerializationException: Start of structure or map found where not expected");
  // Nothing of a batch that was refused is there.
  EXPECT_EQ(tables_.Call("Scan", R"({"TableName":"hash"})").at("Count").as_int64(), 0);
}

}  // namespace
}  // namespace kelvin::tables
