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
            "ResourceNotFoundException: Requested resource not found: Index by-g for table hash");
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
  EXPECT_EQ(Refused(R"("GlobalSecondaryIndexUpdates":[{"Update":{"IndexName":"none",
                       "ProvisionedThroughput":{"ReadCapacityUnits":1,
                       "WriteCapacityUnits":1000000000001}}}])"),
            "ValidationException: This operation cannot be performed with given input values. "
            "Please contact DynamoDB service team for more info: Action Blocked: IndexUpdate");
  EXPECT_THAT(Update(R"("BillingMode":"PAY_PER_REQUEST")"),
              HasSubstr(R"("BillingMode":"PAY_PER_REQUEST")"));
  EXPECT_THAT(tables_.Refusal("UpdateTable", R"({"TableName":"hash"})"),
              HasSubstr("At least one of ProvisionedThroughput, BillingMode"));
  EXPECT_THAT(tables_.Refusal("UpdateTable", R"({"TableName":"nope","BillingMode":
                              "PAY_PER_REQUEST"})"),
              HasSubstr("Requested resource not found: Table: nope not found"));
}

TEST_F(Changes, ClassAndProtection) {
  EXPECT_EQ(Refused(R"("TableClass":"STANDARD","DeletionProtectionEnabled":true)"),
            "ValidationException: One or more parameter values were invalid: DeletionProtection "
            "modification must be the only operation in the request");
  EXPECT_THAT(Refused(R"("TableClass":"STANDARD","BillingMode":"PAY_PER_REQUEST")"),
              HasSubstr("TableClass modification must be the only operation in the request"));
  Update(R"("TableClass":"STANDARD_INFREQUENT_ACCESS")");
  Update(R"("DeletionProtectionEnabled":true)");
  EXPECT_THAT(Describe(), HasSubstr(R"("TableClass":"STANDARD_INFREQUENT_ACCESS")"));
  EXPECT_THAT(tables_.Refusal("DeleteTable", R"({"TableName":"hash"})"),
              HasSubstr("protected against deletion"));
  EXPECT_THAT(Describe(), HasSubstr(R"("LastUpdateDateTime":)"));
  EXPECT_EQ(Refused(R"("TableClass":"standard")"),
            "ValidationException: Invalid table-class parameter provided. Please try again with a "
            "valid table-class value: [STANDARD, STANDARD_INFREQUENT_ACCESS].");
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
              HasSubstr("Number of Tags exceed the current limit for the provided ResourceArn"));
  const auto refused = [&](const std::string& key, const std::string& value) {
    return tables_.Refusal("TagResource", "{" + arn + R"(,"Tags":[{"Key":")" + key +
                                              R"(","Value":")" + value + "\"}]}");
  };
  EXPECT_EQ(refused("aws:x", "1"),
            "ValidationException: Tag Key cannot be prefixed with aws:, Key: aws:x");
  EXPECT_EQ(refused("a!", "1"), "ValidationException: The Tag Key provided is invalid, Key: a!");
  EXPECT_EQ(refused("a", "50%"),
            "ValidationException: The Tag Value provided is invalid, Value: 50%");
  EXPECT_THAT(refused(std::string(129, 'x'), "1"), HasSubstr("The Tag Key provided is invalid"));
  EXPECT_THAT(refused("a", std::string(257, 'x')), HasSubstr("The Tag Value provided is invalid"));
  EXPECT_EQ(tables_.Refusal("TagResource", "{" + arn + R"(,"Tags":[{"Key":"a","Value":"1"},
                                                                    {"Key":"a","Value":"2"}]})"),
            "ValidationException: Duplicate Tag Keys provided as input: Duplicate Tag Key found a");
  // Lengths are of characters, and all tags are listed at once.
  std::string alphas;
  for (int i = 0; i < 128; ++i) alphas += "\u03b1";
  std::string greek = R"({"Key":")" + alphas + R"(","Value":")" + alphas + alphas + "\"}";
  for (int i = 1; i < 40; ++i) greek += R"(,{"Key":"/+@ )" + std::to_string(i) + R"(","Value":""})";
  EXPECT_EQ(tables_.Send("TagResource", "{" + arn + R"(,"Tags":[)" + greek + "]}").status, 200);
  EXPECT_THAT(tags(), HasSubstr(alphas));
  EXPECT_THAT(tags(), HasSubstr("/+@ 9"));
  EXPECT_THAT(tags(), Not(HasSubstr("NextToken")));
}

TEST_F(Changes, AnIndexIsWithoutItemsWhoseKeysItCannotHave) {
  const auto key = [](std::size_t bytes) {
    return R"(,"g":{"S":")" + std::string(bytes, 'g') + "\"}";
  };
  Put("empty", key(0));
  Put("fits", key(2048));
  Put("too long", key(2049));
  Update(kCreateIndex);
  EXPECT_EQ(Count(R"(,"IndexName":"by-g")"), 1);
  EXPECT_THAT(Describe(), HasSubstr(R"("ItemCount":1,"IndexArn")"));
  for (const char* k : {"empty", "fits", "too long"}) {
    tables_.Call("DeleteItem",
                 R"({"TableName":"hash","Key":{"k":{"S":")" + std::string(k) + "\"}}}");
  }
  EXPECT_THAT(Describe(), HasSubstr(R"("IndexSizeBytes":0,"ItemCount":0)"));
}

TEST_F(Changes, OfIndexesComeOneAtATime) {
  const std::string create = R"({"Create":{"IndexName":"by-g",
      "KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],
      "Projection":{"ProjectionType":"ALL"}}})";
  const auto updates = [](const std::string& list) {
    return R"("GlobalSecondaryIndexUpdates":[)" + list + "]";
  };
  const std::string defined =
      R"("AttributeDefinitions":[{"AttributeName":"g","AttributeType":"N"}],)";
  const std::string invalid = "ValidationException: One or more parameter values were invalid: ";
  EXPECT_EQ(Refused(defined + updates(create + R"(,{"Delete":{"IndexName":"old"}})")),
            "LimitExceededException: Subscriber limit exceeded: Only 1 online index can be created "
            "or deleted simultaneously per table");
  EXPECT_THAT(Refused(defined + updates(create) + R"(,"BillingMode":"PROVISIONED",
                  "ProvisionedThroughput":{"ReadCapacityUnits":3,"WriteCapacityUnits":4})"),
              HasSubstr("You cannot create or delete index while updating table IOPS"));
  EXPECT_EQ(Refused(updates(create)),
            invalid + "AttributeDefinitions is not specified for index: by-g");
  EXPECT_EQ(Refused(updates(R"({"Delete":{"IndexName":"one"},"Create":{"IndexName":"two",
                                "KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],
                                "Projection":{"ProjectionType":"ALL"}}})")),
            invalid +
                "Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate "
                "object");
  Update(kCreateIndex);
  EXPECT_EQ(Refused(defined + updates(R"({"Create":{"IndexName":"again",
                "KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],
                "Projection":{"ProjectionType":"ALL"}}})")),
            invalid +
                "Attributes cannot be redefined. Please check that your attribute has the same "
                "type as previously defined. Existing schema: Schema:[SchemaElement: "
                "key{g:S:HASH}] New schema: Schema:[SchemaElement: key{g:N:HASH}]");
  // What no new index needs is passed over.
  Update(defined + R"("DeletionProtectionEnabled":false)");
  EXPECT_THAT(Describe(), HasSubstr(R"({"AttributeName":"g","AttributeType":"S"})"));
}

TEST_F(Changes, WarmthOnlyGrows) {
  const auto warm = [](int read, int write) {
    return R"("WarmThroughput":{"ReadUnitsPerSecond":)" + std::to_string(read) +
           R"(,"WriteUnitsPerSecond":)" + std::to_string(write) + "}";
  };
  EXPECT_THAT(Describe(), Not(HasSubstr("WarmThroughput")));
  EXPECT_THAT(Update(warm(12240, 4080)),
              HasSubstr(R"("WarmThroughput":{"ReadUnitsPerSecond":12240,)"
                        R"("WriteUnitsPerSecond":4080,"Status":"ACTIVE"})"));
  EXPECT_EQ(Refused(warm(12240, 4079)),
            "ValidationException: One or more parameter values were invalid: Requested "
            "WriteUnitsPerSecond for WarmThroughput for table is lower than current "
            "WarmThroughput, decreasing WarmThroughput is not supported");
  Update(R"("WarmThroughput":{"WriteUnitsPerSecond":5000})");
  EXPECT_THAT(Describe(), HasSubstr(R"("ReadUnitsPerSecond":12240,"WriteUnitsPerSecond":5000)"));
  const auto create = [&](const std::string& name, const std::string& rest) {
    return R"({"TableName":")" + name + R"(","BillingMode":"PAY_PER_REQUEST",
        "AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"}],
        "KeySchema":[{"AttributeName":"k","KeyType":"HASH"}],)" +
           rest + "}";
  };
  EXPECT_THAT(tables_.Refusal("CreateTable", create("cold", warm(11999, 4000))),
              HasSubstr("Requested ReadUnitsPerSecond for WarmThroughput for table is lower than "
                        "initial throughput for OnDemand."));
  EXPECT_THAT(tables_.CallText("CreateTable",
                               create("half", R"("WarmThroughput":{"ReadUnitsPerSecond":13000})")),
              HasSubstr(R"("ReadUnitsPerSecond":13000,"WriteUnitsPerSecond":4000)"));
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
