#include "service/function_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/alias_api.h"
#include "service/publish.h"

namespace kelvin::service {
namespace {

using ::testing::HasSubstr;

// Gives the same number for ever.
class FixedRandom final : public Random {
 public:
  explicit FixedRandom(std::uint64_t number) : number_(number) {}
  std::uint64_t Next() override { return number_; }

 private:
  std::uint64_t number_;
};

FunctionRecord Record() {
  FunctionRecord record;
  record.latest.name = "f";
  record.latest.description = "one";
  FixedRandom random(7);
  PublishLatest(record, random, "first");
  record.latest.description = "two";
  PublishLatest(record, random, "");
  record.aliases["live"] = {.name = "live",
                            .version = "1",
                            .description = "",
                            .revision_id = "r",
                            .weights = {{"2", 0.25}}};
  return record;
}

TEST(FunctionRecord, ComesBackAsItWas) {
  FunctionRecord record = Record();
  record.reserved_concurrency = 0;
  record.provisioned["live"] = {.requested = 3, .last_modified = "now"};
  record.urls["$LATEST"] = {.id = "id",
                            .auth_type = "NONE",
                            .invoke_mode = "BUFFERED",
                            .cors = Cors{.allow_credentials = true,
                                         .allow_headers = {"a", "b"},
                                         .allow_methods = {},
                                         .allow_origins = {"*"},
                                         .expose_headers = {},
                                         .max_age = 5},
                            .created = "c",
                            .last_modified = "l"};
  record.event_invoke["1"] = {.retries = 0,
                              .max_age_seconds = {},
                              .on_success = "",
                              .on_failure = "arn",
                              .last_modified_ms = 12};
  record.recursive_loop = "Allow";
  record.update_runtime_on["1"] = "FunctionUpdate";
  record.policies[""]["s"] = "{\"Sid\":\"s\"}";
  const auto back = ReadStoredRecord(StoredJson(record));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, record);
}

TEST(FunctionRecord, SaysWhatIsWrongWithAStoredOne) {
  for (const std::string_view text :
       {"", "[]", "{}", R"({"version":9})", R"({"version":2,"latest":{}})"}) {
    const auto read = ReadStoredRecord(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
    EXPECT_THAT(read.error().message, HasSubstr("expected")) << text;
  }
}

TEST(FunctionRecord, FindsWhatAQualifierNames) {
  const auto record = std::make_shared<const FunctionRecord>(Record());
  EXPECT_EQ(FindTarget(record, "")->version(), "$LATEST");
  EXPECT_EQ(FindTarget(record, "$LATEST")->config->description, "two");
  EXPECT_EQ(FindTarget(record, "1")->config->description, "first");
  EXPECT_EQ(FindTarget(record, "live")->version(), "1");
  EXPECT_EQ(FindTarget(record, "live")->alias->name, "live");
  EXPECT_FALSE(FindTarget(record, "3"));
  EXPECT_FALSE(FindTarget(record, "other"));
}

TEST(PublishLatest, GivesTheSameVersionWhenNothingHasChanged) {
  FunctionRecord record = Record();
  FixedRandom random(7);
  EXPECT_EQ(PublishLatest(record, random, "new words").version, "2");
  record.latest.timeout_seconds = 9;
  EXPECT_EQ(PublishLatest(record, random, "").version, "3");
  record.versions.erase(3);
  EXPECT_EQ(PublishLatest(record, random, "").version, "4") << "a number is never given twice";
}

TEST(ChooseVersion, FollowsTheWeights) {
  const auto target = *FindTarget(std::make_shared<const FunctionRecord>(Record()), "live");
  FixedRandom low(0);
  FixedRandom below(std::uint64_t{1} << 61);  // an eighth
  FixedRandom above(std::uint64_t{1} << 62);  // a quarter
  FixedRandom high(~std::uint64_t{0});
  EXPECT_EQ(ChooseVersion(target, low).version, "2");
  EXPECT_EQ(ChooseVersion(target, below).version, "2");
  EXPECT_EQ(ChooseVersion(target, above).version, "1");
  EXPECT_EQ(ChooseVersion(target, high).version, "1");
}

TEST(FunctionRecord, ReadsFilesOfEarlierVersions) {
  const FunctionRecord record = Record();
  std::string text = StoredJson(record);
  const std::string_view later = R"(,"recursive_loop":"Terminate","update_runtime_on":{})";
  ASSERT_NE(text.find(later), text.npos) << text;
  text.erase(text.find(later), later.size());
  const auto read = ReadStoredRecord(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, record);
}

}  // namespace
}  // namespace kelvin::service
