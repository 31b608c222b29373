#include "settings.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace create_item {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::expected<Settings, kelvin::HandlerError> Read(const std::vector<std::string>& variables) {
  std::vector<const char*> block;
  for (const std::string& variable : variables) block.push_back(variable.c_str());
  block.push_back(nullptr);
  return ReadSettings(kelvin::Environment(block.data()));
}

TEST(Settings, NeedOnlyTheTable) {
  const auto settings = Read({"TABLE_NAME=items"});
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_EQ(settings->table_name, "items");
  EXPECT_EQ(settings->ttl, std::nullopt);
}

TEST(Settings, TakeTheLifeOfItemsInDays) {
  EXPECT_EQ(Read({"TABLE_NAME=items", "TTL_DAYS=30"})->ttl, std::chrono::days{30});
  EXPECT_EQ(Read({"TABLE_NAME=items", "TTL_DAYS=36500"})->ttl, std::chrono::days{36500});
}

TEST(Settings, TakeATablesArn) {
  const std::string arn = "arn:aws:dynamodb:us-east-1:123456789012:table/items";
  EXPECT_EQ(Read({"TABLE_NAME=" + arn})->table_name, arn);
}

TEST(Settings, SayThatTheTableIsMissing) {
  const auto settings = Read({"TTL_DAYS=30"});
  ASSERT_FALSE(settings.has_value());
  EXPECT_EQ(settings.error().type, "Function.InvalidSetting");
  EXPECT_THAT(settings.error().message, AllOf(HasSubstr("TABLE_NAME"), HasSubstr("not set")));
}

TEST(Settings, SayWhatIsWrongWithTheTablesName) {
  for (const std::string bad : {"", "ab", "my table", "items;drop"}) {
    const auto settings = Read({"TABLE_NAME=" + bad});
    ASSERT_FALSE(settings.has_value()) << bad;
    EXPECT_THAT(settings.error().message,
                AllOf(HasSubstr("TABLE_NAME"), HasSubstr("got '" + bad + "'")));
  }
  EXPECT_FALSE(Read({"TABLE_NAME=" + std::string(256, 'a')}).has_value());
}

TEST(Settings, SayWhatIsWrongWithTheDays) {
  for (const std::string bad :
       {"", "0", "-1", "36501", "7.5", "7d", " 7", "99999999999999999999"}) {
    const auto settings = Read({"TABLE_NAME=items", "TTL_DAYS=" + bad});
    ASSERT_FALSE(settings.has_value()) << bad;
    EXPECT_THAT(settings.error().message, AllOf(HasSubstr("TTL_DAYS"), HasSubstr("1 to 36500"),
                                                HasSubstr("got '" + bad + "'")));
  }
}

}  // namespace
}  // namespace create_item
