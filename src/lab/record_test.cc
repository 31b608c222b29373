#include "lab/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kelvin::lab {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

Record ExampleRecord() {
  Record record;
  record.tool = "kelvin 0.1.0";
  record.seed = 7;
  record.settings = {.cold = 1, .warm_up = 0, .warm = 1};
  record.functions = {Function{.name = "f-aot", .mode = "aot", .code_sha256 = "abc="}};
  record.samples = {
      Sample{.kind = SampleKind::kCold,
             .request_id = "1",
             .init_ms = 2.5,
             .duration_ms = 1.25,
             .billed_ms = 4,
             .report = "REPORT\tRequestId: 1"},
      Sample{.kind = SampleKind::kWarm, .outcome = Outcome::kFailed, .reason = "Function.Bad"}};
  return record;
}

TEST(Record, KeepsEverySampleAsJson) {
  const json::value document = json::parse(RecordJson(ExampleRecord()));
  EXPECT_EQ(document.at("schema_version").to_number<int>(), kSchemaVersion);
  EXPECT_EQ(document.at("seed").to_number<int>(), 7);
  EXPECT_EQ(document.at("functions").at(0).at("name").as_string(), "f-aot");
  const json::value& cold = document.at("samples").at(0);
  EXPECT_EQ(cold.at("kind").as_string(), "cold");
  EXPECT_EQ(cold.at("outcome").as_string(), "ok");
  EXPECT_DOUBLE_EQ(cold.at("init_ms").as_double(), 2.5);
  EXPECT_EQ(cold.at("report").as_string(), "REPORT\tRequestId: 1");
  const json::value& warm = document.at("samples").at(1);
  EXPECT_EQ(warm.at("kind").as_string(), "warm");
  EXPECT_EQ(warm.at("outcome").as_string(), "failed");
  EXPECT_EQ(warm.at("reason").as_string(), "Function.Bad");
  EXPECT_TRUE(warm.at("init_ms").is_null());
}

TEST(Record, HasOneSampleALine) {
  const std::string text = RecordJson(ExampleRecord());
  EXPECT_THAT(text, HasSubstr("\n    {\"function\":0,\"kind\":\"cold\""));
  EXPECT_THAT(text, HasSubstr("\n    {\"function\":0,\"kind\":\"warm\""));
  EXPECT_THAT(RecordJson(Record{}), HasSubstr("\"samples\": []"));
}

}  // namespace
}  // namespace kelvin::lab
