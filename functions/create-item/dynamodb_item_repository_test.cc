#include "dynamodb_item_repository.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fake_clock.h"
#include "http/fake_stream.h"

namespace create_item {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class CountingRandom final : public kelvin::Random {
 public:
  std::uint64_t Next() override { return value_++; }

 private:
  std::uint64_t value_ = 0;
};

const kelvin::aws::DynamoDbClientOptions kOptions{
    .endpoint = {kelvin::aws::Scheme::kHttp, {"127.0.0.1", 8000}, {}},
    .region = "us-east-1",
    .credentials = {"id", "secret", ""}};

std::string Answer(std::string_view status, std::string_view body) {
  return fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n\r\n{}", status, body.size(), body);
}

class DynamoDbItemRepositoryTest : public ::testing::Test {
 protected:
  DynamoDbItemRepository NewRepository(Settings settings) {
    auto connector = std::make_unique<kelvin::http::FakeConnector>();
    network_ = connector.get();
    return DynamoDbItemRepository(std::move(settings), kOptions, std::move(connector), clock_,
                                  random_);
  }

  kelvin::FakeClock clock_{kelvin::Clock::WallTime{std::chrono::seconds{1'755'857'730}}};
  CountingRandom random_;
  kelvin::http::FakeConnector* network_ = nullptr;
};

TEST_F(DynamoDbItemRepositoryTest, PutsOneRecordWithIdAndTime) {
  DynamoDbItemRepository repository = NewRepository({"items", std::nullopt});
  network_->AddConnection({.reads = {Answer("200 OK", "{}")}});
  const auto id = repository.Create(kelvin::kNoDeadline);
  ASSERT_TRUE(id.has_value()) << id.error().message;
  EXPECT_EQ(id->ToString(), "00000000-0000-4000-8000-000000000001");
  EXPECT_THAT(
      network_->written().at(0),
      AllOf(HasSubstr("X-Amz-Target: DynamoDB_20120810.PutItem\r\n"),
            EndsWith(R"({"TableName":"items","Item":{"CreatedAt":{"S":"2025-08-22T10:15:30.000Z"},)"
                     R"("Id":{"S":"00000000-0000-4000-8000-000000000001"}}})")));
}

TEST_F(DynamoDbItemRepositoryTest, AddsTheEndOfLifeInSeconds) {
  DynamoDbItemRepository repository = NewRepository({"items", std::chrono::days{30}});
  network_->AddConnection({.reads = {Answer("200 OK", "{}")}});
  ASSERT_TRUE(repository.Create(kelvin::kNoDeadline).has_value());
  EXPECT_THAT(network_->written().at(0), HasSubstr(R"("TTL":{"N":"1758449730"})"));
}

TEST_F(DynamoDbItemRepositoryTest, GivesEachItemItsOwnId) {
  DynamoDbItemRepository repository = NewRepository({"items", std::nullopt});
  network_->AddConnection({.reads = {Answer("200 OK", "{}"), Answer("200 OK", "{}")}});
  const auto first = repository.Create(kelvin::kNoDeadline);
  const auto second = repository.Create(kelvin::kNoDeadline);
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_NE(*first, *second);
}

TEST_F(DynamoDbItemRepositoryTest, NamesTheErrorAsDynamoDbDoes) {
  DynamoDbItemRepository repository = NewRepository({"items", std::nullopt});
  network_->AddConnection(
      {.reads = {Answer("400 Bad Request",
                        R"({"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",)"
                        R"("message":"Requested resource not found"})")}});
  const auto id = repository.Create(kelvin::kNoDeadline);
  ASSERT_FALSE(id.has_value());
  EXPECT_EQ(id.error().type, "ResourceNotFoundException");
  EXPECT_THAT(id.error().message, HasSubstr("Requested resource not found"));
}

TEST_F(DynamoDbItemRepositoryTest, NamesAFailureOfTheNetwork) {
  DynamoDbItemRepository repository = NewRepository({"items", std::nullopt});
  network_->RefuseConnection({kelvin::ErrorCode::kUnavailable, "connection refused"});
  const auto id = repository.Create(clock_.Now());
  ASSERT_FALSE(id.has_value());
  EXPECT_EQ(id.error().type, "Unavailable");
  EXPECT_THAT(id.error().message, HasSubstr("connection refused"));
}

std::expected<std::unique_ptr<ItemRepository>, kelvin::HandlerError> FromEnvironment(
    std::vector<const char*> block) {
  static const kelvin::FakeClock clock;
  static CountingRandom random;
  block.push_back(nullptr);
  return NewDynamoDbItemRepository(kelvin::Environment(block.data()), clock, random);
}

TEST(NewDynamoDbItemRepository, TakesWhatLambdaGivesToEveryFunction) {
  const auto repository =
      FromEnvironment({"TABLE_NAME=items", "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=id",
                       "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=token"});
  EXPECT_TRUE(repository.has_value()) << repository.error().message;
}

TEST(NewDynamoDbItemRepository, NamesTheVariableAtFault) {
  const auto message = [](std::vector<const char*> block) {
    const auto repository = FromEnvironment(std::move(block));
    return repository.has_value() ? "" : repository.error().message;
  };
  EXPECT_THAT(message({"AWS_REGION=us-east-1"}), HasSubstr("TABLE_NAME"));
  EXPECT_THAT(message({"TABLE_NAME=items", "TTL_DAYS=x"}), HasSubstr("TTL_DAYS"));
  EXPECT_THAT(message({"TABLE_NAME=items"}), HasSubstr("AWS_ACCESS_KEY_ID"));
  EXPECT_THAT(message({"TABLE_NAME=items", "AWS_ACCESS_KEY_ID=i", "AWS_SECRET_ACCESS_KEY=s"}),
              HasSubstr("AWS_REGION"));
  EXPECT_THAT(message({"TABLE_NAME=items", "AWS_ACCESS_KEY_ID=i", "AWS_SECRET_ACCESS_KEY=s",
                       "AWS_REGION=us-east-1", "AWS_ENDPOINT_URL=nonsense"}),
              StartsWith("AWS_ENDPOINT_URL: "));
}

}  // namespace
}  // namespace create_item
