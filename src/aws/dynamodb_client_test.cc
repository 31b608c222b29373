#include "aws/dynamodb_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/testing.h"
#include "base/crc32.h"
#include "base/fake_clock.h"

namespace kelvin::aws {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

DynamoDbClientOptions Options() {
  return {.endpoint = {Scheme::kHttp, {"127.0.0.1", 8000}, {}},
          .region = "us-east-1",
          .credentials = {"id", "secret", "token"},
          .retry = {.max_attempts = 4}};
}

std::string ErrorBody(std::string_view name) {
  return fmt::format(R"({{"__type":"com.amazonaws.dynamodb.v20120810#{}","message":"why"}})", name);
}

class DynamoDbClientTest : public ::testing::Test {
 protected:
  std::expected<Item, Error> Put() {
    return client_.PutItem({.table = "t", .item = {{"Id", "1"}}}, deadline_);
  }

  FakeClock clock_;
  CountingRandom random_;
  http::FakeConnector network_;
  DynamoDbClient client_{Options(), network_, clock_, random_};
  Clock::TimePoint deadline_ = kNoDeadline;
};

TEST_F(DynamoDbClientTest, SendsASignedRequest) {
  AddAnswers(network_, {Answer("200 OK", "{}")});
  ASSERT_TRUE(Put().has_value());
  EXPECT_THAT(network_.written().at(0),
              AllOf(StartsWith("POST / HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n"),
                    HasSubstr("\r\nContent-Type: application/x-amz-json-1.0\r\n"),
                    HasSubstr("\r\nX-Amz-Target: DynamoDB_20120810.PutItem\r\n"),
                    HasSubstr("\r\nX-Amz-Date: 20231114T221320Z\r\n"),
                    HasSubstr("\r\nX-Amz-Security-Token: token\r\n"),
                    HasSubstr("\r\nAuthorization: AWS4-HMAC-SHA256 "
                              "Credential=id/20231114/us-east-1/dynamodb/aws4_request, "
                              "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;"
                              "x-amz-target, Signature="),
                    EndsWith("\r\n\r\n"
                             R"({"TableName":"t","Item":{"Id":{"S":"1"}}})")));
}

TEST_F(DynamoDbClientTest, PutsWithAConditionAndGivesTheOldItem) {
  AddAnswers(network_, {Answer("200 OK", R"({"Attributes":{"Id":{"S":"1"}}})")});
  const auto old = client_.PutItem({.table = "t",
                                    .item = {{"Id", "1"}, {"n", 2}},
                                    .condition = "#n < :v",
                                    .attributes = {{{"#n", "n"}}, {{":v", 2}}},
                                    .return_values = ReturnValues::kAllOld},
                                   deadline_);
  ASSERT_TRUE(old.has_value()) << old.error().message;
  EXPECT_EQ(*old, (Item{{"Id", "1"}}));
  EXPECT_THAT(network_.written().at(0),
              EndsWith(R"({"TableName":"t","Item":{"Id":{"S":"1"},"n":{"N":"2"}},)"
                       R"("ConditionExpression":"#n < :v",)"
                       R"("ExpressionAttributeNames":{"#n":"n"},)"
                       R"("ExpressionAttributeValues":{":v":{"N":"2"}},)"
                       R"("ReturnValues":"ALL_OLD"})"));
}

TEST_F(DynamoDbClientTest, GetsAnItemOrNothing) {
  AddAnswers(network_, {Answer("200 OK", R"({"Item":{"Id":{"S":"1"},"n":{"N":"7"}}})"),
                        Answer("200 OK", "{}")});
  const GetItemInput input{.table = "t",
                           .key = {{"Id", "1"}},
                           .consistency = Consistency::kStrong,
                           .projection = "#n",
                           .names = {{"#n", "n"}}};
  const auto item = client_.GetItem(input, deadline_);
  ASSERT_TRUE(item.has_value()) << item.error().message;
  EXPECT_EQ(*item, (Item{{"Id", "1"}, {"n", 7}}));
  const auto nothing = client_.GetItem(input, deadline_);
  ASSERT_TRUE(nothing.has_value());
  EXPECT_EQ(*nothing, std::nullopt);
  EXPECT_THAT(network_.written().at(0),
              EndsWith(R"({"TableName":"t","Key":{"Id":{"S":"1"}},"ConsistentRead":true,)"
                       R"("ProjectionExpression":"#n","ExpressionAttributeNames":{"#n":"n"}})"));
}

TEST_F(DynamoDbClientTest, UpdatesAndDeletes) {
  AddAnswers(network_,
             {Answer("200 OK", R"({"Attributes":{"n":{"N":"8"}}})"), Answer("200 OK", "{}")});
  const auto updated = client_.UpdateItem({.table = "t",
                                           .key = {{"Id", "1"}},
                                           .update = "ADD n :one",
                                           .attributes = {{}, {{":one", 1}}},
                                           .return_values = ReturnValues::kUpdatedNew},
                                          deadline_);
  ASSERT_TRUE(updated.has_value()) << updated.error().message;
  EXPECT_EQ(*updated, (Item{{"n", 8}}));
  const auto removed =
      client_.DeleteItem({.table = "t", .key = {{"Id", "1"}}, .condition = "n = :n"}, deadline_);
  ASSERT_TRUE(removed.has_value()) << removed.error().message;
  EXPECT_TRUE(removed->empty());
  EXPECT_THAT(network_.written().at(0), AllOf(HasSubstr(R"("UpdateExpression":"ADD n :one")"),
                                              HasSubstr(R"("ReturnValues":"UPDATED_NEW"})"),
                                              HasSubstr("DynamoDB_20120810.DeleteItem"),
                                              EndsWith(R"("ConditionExpression":"n = :n"})")));
}

TEST_F(DynamoDbClientTest, QueriesPageByPage) {
  AddAnswers(network_,
             {Answer("200 OK", R"({"Items":[{"a":{"N":"1"}}],"LastEvaluatedKey":{"k":{"S":"x"}}})"),
              Answer("200 OK", R"({"Items":[]})")});
  QueryInput input{.table = "t",
                   .key_condition = "Id = :id",
                   .index = "by_time",
                   .attributes = {{}, {{":id", "1"}}},
                   .limit = 1,
                   .order = Order::kDescending};
  auto page = client_.Query(input, deadline_);
  ASSERT_TRUE(page.has_value()) << page.error().message;
  EXPECT_THAT(page->items, SizeIs(1));
  input.start_key = page->last_key;
  page = client_.Query(input, deadline_);
  ASSERT_TRUE(page.has_value()) << page.error().message;
  EXPECT_TRUE(page->items.empty() && page->last_key.empty());
  EXPECT_THAT(network_.written().at(0),
              EndsWith(R"({"TableName":"t","IndexName":"by_time",)"
                       R"("KeyConditionExpression":"Id = :id",)"
                       R"("ExpressionAttributeValues":{":id":{"S":"1"}},"Limit":1,)"
                       R"("ExclusiveStartKey":{"k":{"S":"x"}},"ScanIndexForward":false})"));
}

TEST_F(DynamoDbClientTest, CarriesDynamoDbsNameOfAnError) {
  AddAnswers(network_, {Answer("400 Bad Request", ErrorBody("ConditionalCheckFailedException"))});
  const auto put = Put();
  ASSERT_FALSE(put.has_value());
  EXPECT_EQ(put.error().remote_type, "ConditionalCheckFailedException");
  EXPECT_EQ(put.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(put.error().message,
            "DynamoDB PutItem failed: why (HTTP 400, ConditionalCheckFailedException)");
}

TEST_F(DynamoDbClientTest, TellsApartTheErrorsThatCallersActUpon) {
  for (const auto& [name, code] : std::initializer_list<std::pair<std::string_view, ErrorCode>>{
           {"ResourceNotFoundException", ErrorCode::kNotFound},
           {"ResourceInUseException", ErrorCode::kAlreadyExists},
           {"ValidationException", ErrorCode::kInvalidArgument},
           {"UnrecognizedClientException", ErrorCode::kPermissionDenied},
           {"ItemCollectionSizeLimitExceededException", ErrorCode::kResourceExhausted}}) {
    AddAnswers(network_, {Answer("400 Bad Request", ErrorBody(name), "Connection: close\r\n")});
    const auto put = Put();
    ASSERT_FALSE(put.has_value());
    EXPECT_EQ(put.error().code, code) << name;
    EXPECT_EQ(clock_.elapsed(), std::chrono::nanoseconds(0)) << name << " was tried again";
  }
}

TEST_F(DynamoDbClientTest, TriesAgainWhenThrottled) {
  AddAnswers(network_,
             {Answer("400 Bad Request", ErrorBody("ProvisionedThroughputExceededException")),
              Answer("400 Bad Request", ErrorBody("ThrottlingException")), Answer("200 OK", "{}")});
  EXPECT_TRUE(Put().has_value());
  EXPECT_GT(clock_.elapsed(), std::chrono::nanoseconds(0));
  EXPECT_THAT(network_.written(), SizeIs(1)) << "the connection was not kept";
}

TEST_F(DynamoDbClientTest, TriesAgainAfterAFailureOfTheService) {
  AddAnswers(network_, {Answer("500 Internal Server Error", ErrorBody("InternalServerError")),
                        Answer("503 Service Unavailable", "<html>"), Answer("200 OK", "{}")});
  EXPECT_TRUE(Put().has_value());
}

TEST_F(DynamoDbClientTest, TriesAgainWhenTheConnectionIsRefusedOrBreaks) {
  network_.RefuseConnection({ErrorCode::kUnavailable, "refused"});
  network_.AddConnection(
      {.reads = {std::unexpected(Error{ErrorCode::kUnavailable, "reset by peer"})}});
  AddAnswers(network_, {Answer("200 OK", "{}")});
  EXPECT_TRUE(Put().has_value());
  EXPECT_THAT(network_.written(), SizeIs(2));
}

TEST_F(DynamoDbClientTest, TriesAgainWhenAnAttemptTimesOut) {
  network_.AddConnection({.reads = {std::unexpected(Error{ErrorCode::kTimeout, "no answer"})}});
  AddAnswers(network_, {Answer("200 OK", "{}")});
  EXPECT_TRUE(Put().has_value());
}

TEST_F(DynamoDbClientTest, TriesAgainWhenTheAnswerWasDamaged) {
  const std::string right = fmt::format("x-amz-crc32: {}\r\n", Crc32("{}"));
  AddAnswers(network_,
             {Answer("200 OK", "{}", "x-amz-crc32: 1\r\n"),
              Answer("200 OK", "{}", "x-amz-crc32: x\r\n"), Answer("200 OK", "{}", right)});
  EXPECT_TRUE(Put().has_value());
}

TEST_F(DynamoDbClientTest, GivesUpAfterAllAttemptsWithTheLastError) {
  AddAnswers(network_, std::vector<std::string>(
                           4, Answer("400 Bad Request", ErrorBody("RequestLimitExceeded"))));
  const auto put = Put();
  ASSERT_FALSE(put.has_value());
  EXPECT_EQ(put.error().code, ErrorCode::kThrottled);
  EXPECT_THAT(put.error().message, EndsWith("(4 attempts)"));
}

TEST_F(DynamoDbClientTest, GivesUpWhenTheDeadlineLeavesNoTimeForAnotherAttempt) {
  deadline_ = clock_.Now();
  AddAnswers(network_, {Answer("500 Internal Server Error", "{}"), Answer("200 OK", "{}")});
  const auto put = Put();
  ASSERT_FALSE(put.has_value());
  EXPECT_EQ(put.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(clock_.elapsed(), std::chrono::nanoseconds(0));
}

TEST_F(DynamoDbClientTest, RefusesAnAnswerThatIsNotDynamoDbs) {
  for (const std::string_view body :
       {"", "[]", R"({"Attributes":7})", R"({"Attributes":{"a":1}})"}) {
    AddAnswers(network_, {Answer("200 OK", body, "Connection: close\r\n")});
    const auto put = Put();
    ASSERT_FALSE(put.has_value()) << body;
    EXPECT_EQ(put.error().code, ErrorCode::kCorrupt) << body;
  }
}

TEST(DynamoDbClientOptions, NameWhatTheEnvironmentLacks) {
  const auto options = DynamoDbClientOptionsFromEnvironment(
      [](std::string_view) -> std::optional<std::string> { return std::nullopt; });
  ASSERT_FALSE(options.has_value());
  EXPECT_THAT(options.error().message, HasSubstr("AWS_ACCESS_KEY_ID"));
}

}  // namespace
}  // namespace kelvin::aws
