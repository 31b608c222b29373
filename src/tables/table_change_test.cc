// What changes tables after they are made: UpdateTable, tags, time to live.
#include "tables/tables_fixture.h"

namespace kelvin::tables {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Changes : public ::testing::Test {
 protected:
  Changes() { tables_.MakeHashTable(); }
  std::string Describe() { return tables_.CallText("DescribeTable", R"({"TableName":"hash"})"); }
  std::string Update(const std::string& rest) {
    return tables_.CallText("UpdateTable", R"({"TableName":"hash",)" + rest + "}");
  }
  std::string Refused(const std::string& rest) {
    return tables_.Refusal("UpdateTable", R"({"TableName":"hash",)" + rest + "}");
  }
  void Put(const std::string& key, const std::string& rest) {
    tables_.Call("PutItem",
                 R"({"TableName":"hash","Item":{"k":{"S":")" + key + "\"}" + rest + "}}");
  }
  std::int64_t Count(const std::string& rest = "") {
    return tables_.Call("Scan", R"({"TableName":"hash")" + rest + "}").at("Count").as_int64();
  }
  static constexpr const char* kCreateIndex =
      R"("AttributeDefinitions":[{"AttributeName":"g","AttributeType":"S"}],
         "GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"by-g",
           "KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],
           "Projection":{"ProjectionType":"ALL"}}}])";
  TestTables tables_;
};

TEST_F(Changes, AnIndexComesWithTheItemsThatAreThereAndGoes) {
  for (int i = 0; i < 1200; ++i) {
    Put(std::to_string(i), i % 2 == 0 ? R"(,"g":{"S":"even"})" : "");
  }
  EXPECT_THAT(Update(kCreateIndex), HasSubstr(R"("TableStatus":"UPDATING")"));
  const std::string described = Describe();
  EXPECT_THAT(described, HasSubstr(R"("IndexStatus":"ACTIVE")"));
  EXPECT_THAT(described, HasSubstr(R"({"AttributeName":"g","AttributeType":"S"})"));
  EXPECT_EQ(Count(R"(,"IndexName":"by-g")"), 600);
  EXPECT_THAT(Refused(kCreateIndex), HasSubstr("already exists"));
  Update(R"("GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"by-g"}}])");
  EXPECT_THAT(Describe(), Not(HasSubstr("GlobalSecondaryIndexes")));
  EXPECT_THAT(Describe(), Not(HasSubstr(R"({"AttributeName":"g")")));
  EXPECT_EQ(Refused(R"("GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"by-g"}}])"),
            "ResourceNotFoundException: Requested resource not found");
  Put("x", R"(,"g":{"N":"1"})");
}

TEST_F(Changes, BillingAndThroughput) {
  EXPECT_THAT(Update(R"("BillingMode":"PROVISIONED","ProvisionedThroughput":
                        {"ReadCapacityUnits":3,"WriteCapacityUnits":4})"),
              HasSubstr(R"("ReadCapacityUnits":3,"WriteCapacityUnits":4)"));
  EXPECT_THAT(Refused(R"("ProvisionedThroughput":{"ReadCapacityUnits":3,"WriteCapacityUnits":4})"),
              HasSubstr("The provisioned throughput for the table will not change."));
  EXPECT_THAT(Refused(R"("BillingMode":"PAY_PER_REQUEST","ProvisionedThroughput":
                         {"ReadCapacityUnits":5,"WriteCapacityUnits":5})"),
              HasSubstr("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified"));
  EXPECT_THAT(Refused(R"("BillingMode":"PROVISIONED")"),
              HasSubstr("ProvisionedThroughput must be specified when BillingMode is PROVISIONED"));
  EXPECT_THAT(Refused(R"("ProvisionedThroughput":{"ReadCapacityUnits":0,"WriteCapacityUnits":4})"),
              HasSubstr("Member must have value greater than or equal to 1"));
  EXPECT_THAT(Update(R"("BillingMode":"PAY_PER_REQUEST")"),
              HasSubstr(R"("BillingMode":"PAY_PER_REQUEST")"));
  EXPECT_THAT(tables_.Refusal("UpdateTable", R"({"TableName":"hash"})"),
              HasSubstr("At least one of ProvisionedThroughput, BillingMode"));
  EXPECT_THAT(tables_.Refusal("UpdateTable", R"({"TableName":"nope","BillingMode":
                              "PAY_PER_REQUEST"})"),
              HasSubstr("Requested resource not found: Table: nope not found"));
}

TEST_F(Changes, ClassAndProtection) {
  Update(R"("TableClass":"STANDARD_INFREQUENT_ACCESS","DeletionProtectionEnabled":true)");
  EXPECT_THAT(Describe(), HasSubstr(R"("TableClass":"STANDARD_INFREQUENT_ACCESS")"));
  EXPECT_THAT(tables_.Refusal("DeleteTable", R"({"TableName":"hash"})"),
              HasSubstr("protected against deletion"));
  Update(R"("DeletionProtectionEnabled":false)");
  tables_.Call("DeleteTable", R"({"TableName":"hash"})");
}

TEST_F(Changes, Tags) {
  const std::string arn = R"("ResourceArn":"arn:aws:dynamodb:us-east-1:123456789012:table/hash")";
  const auto tags = [&] { return tables_.CallText("ListTagsOfResource", "{" + arn + "}"); };
  EXPECT_EQ(tables_
                .Send("TagResource", "{" + arn + R"(,"Tags":[{"Key":"a","Value":"1"},
                                                              {"Key":"b","Value":""}]})")
                .body,
            "");
  tables_.Send("TagResource", "{" + arn + R"(,"Tags":[{"Key":"a","Value":"2"}]})");
  EXPECT_EQ(tags(), R"({"Tags":[{"Key":"a","Value":"2"},{"Key":"b","Value":""}]})");
  EXPECT_EQ(tables_.Send("UntagResource", "{" + arn + R"(,"TagKeys":["a","z"]})").status, 200);
  EXPECT_EQ(tags(), R"({"Tags":[{"Key":"b","Value":""}]})");
  EXPECT_EQ(tables_.Refusal("TagResource", "{" + arn + R"(,"Tags":[]})"),
            "ValidationException: Atleast one Tag needs to be provided as Input.");
  EXPECT_EQ(tables_.Refusal("ListTagsOfResource", "{}"), "ValidationException: Invalid TableArn");
  EXPECT_THAT(
      tables_.Refusal("ListTagsOfResource", R"({"ResourceArn":"nope"})"),
      HasSubstr("is not authorized to perform: dynamodb:ListTagsOfResource on resource: nope"));
  EXPECT_THAT(tables_.Refusal("ListTagsOfResource",
                              R"({"ResourceArn":"arn:aws:dynamodb:us-east-1:9:table/nope"})"),
              HasSubstr("AccessDeniedException"));
  std::string many = R"({"Key":"0","Value":"x"})";
  for (int i = 1; i < 50; ++i) many += R"(,{"Key":")" + std::to_string(i) + R"(","Value":"x"})";
  EXPECT_THAT(tables_.Refusal("TagResource", "{" + arn + R"(,"Tags":[)" + many + "]}"),
              HasSubstr("limit of 50 tags"));
}

TEST_F(Changes, ExpiredItemsLeaveWithTheirIndexRows) {
  Update(kCreateIndex);
  const auto at = [&](std::chrono::seconds from_now) {
    const auto time = tables_.clock().WallNow() + from_now;
    return R"(,"g":{"S":"x"},"ttl":{"N":")" +
           std::to_string(
               std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count()) +
           "\"}";
  };
  Put("before", at(std::chrono::seconds(60)));
  tables_.Call("UpdateTimeToLive", R"({"TableName":"hash","TimeToLiveSpecification":
                                       {"AttributeName":"ttl","Enabled":true}})");
  Put("soon", at(std::chrono::seconds(60)));
  Put("later", at(std::chrono::seconds(3600)));
  Put("prolonged", at(std::chrono::seconds(60)));
  Put("prolonged", at(std::chrono::seconds(3600)));
  Put("never", R"(,"ttl":{"S":"1"})");
  Put("long ago", at(-std::chrono::hours(24 * 365 * 6)));
  EXPECT_EQ(tables_.tables().RemoveExpired().value(), 0U);
  tables_.clock().Advance(std::chrono::seconds(61));
  EXPECT_EQ(tables_.tables().RemoveExpired().value(), 2U);
  EXPECT_EQ(Count(), 4);
  EXPECT_EQ(Count(R"(,"IndexName":"by-g")"), 3);
  tables_.Call("UpdateTimeToLive", R"({"TableName":"hash","TimeToLiveSpecification":
                                       {"AttributeName":"ttl","Enabled":false}})");
  tables_.clock().Advance(std::chrono::hours(2));
  EXPECT_EQ(tables_.tables().RemoveExpired().value(), 0U);
}

TEST(Account, SaysItsLimitsAndItsEndpoint) {
  TestTables tables;
  EXPECT_THAT(tables.CallText("DescribeLimits", "{}"), HasSubstr("TableMaxReadCapacityUnits"));
  EXPECT_EQ(tables.CallText("DescribeEndpoints", "{}"),
            R"({"Endpoints":[{"Address":"dynamodb.us-east-1.amazonaws.com",)"
            R"("CachePeriodInMinutes":1440}]})");
  for (const char* operation :
       {"ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"}) {
    EXPECT_THAT(tables.Refusal(operation, R"({"Statement":"SELECT * FROM x"})"),
                HasSubstr("ValidationException: PartiQL is not supported"));
  }
}

TEST(TableChange, TellsOfEncryptionThatWasAskedFor) {
  TestTables tables;
  tables.Call("CreateTable", R"({"TableName":"locked","BillingMode":"PAY_PER_REQUEST",
      "AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"}],
      "KeySchema":[{"AttributeName":"k","KeyType":"HASH"}],
      "SSESpecification":{"Enabled":true,"SSEType":"KMS"}})");
  EXPECT_THAT(tables.CallText("DescribeTable", R"({"TableName":"locked"})"),
              HasSubstr(R"("SSEDescription":{"Status":"ENABLED","SSEType":"KMS",)"
                        R"("KMSMasterKeyArn":"arn:aws:kms:us-east-1:123456789012:key/)"));
  tables.Call("UpdateTable", R"({"TableName":"locked","SSESpecification":{"Enabled":false}})");
  EXPECT_THAT(tables.CallText("DescribeTable", R"({"TableName":"locked"})"),
              Not(HasSubstr("SSEDescription")));
}

TEST(Backups, AreThereToBeReadAndNotToBeAskedFor) {
  TestTables tables;
  tables.MakeHashTable();
  const std::string description =
      R"({"ContinuousBackupsDescription":{"ContinuousBackupsStatus":"ENABLED",)"
      R"("PointInTimeRecoveryDescription":{"PointInTimeRecoveryStatus":"DISABLED"}}})";
  EXPECT_EQ(tables.CallText("DescribeContinuousBackups", R"({"TableName":"hash"})"), description);
  EXPECT_EQ(tables.CallText("UpdateContinuousBackups", R"({"TableName":"hash",
      "PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":false}})"),
            description);
  EXPECT_THAT(tables.Refusal("UpdateContinuousBackups", R"({"TableName":"hash",
      "PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true}})"),
              HasSubstr("ValidationException: Point-in-time recovery is not supported"));
  EXPECT_EQ(tables.Refusal("DescribeContinuousBackups", R"({"TableName":"gone"})"),
            "TableNotFoundException: Table not found: gone");
}

}  // namespace
}  // namespace kelvin::tables
