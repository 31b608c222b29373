#include "deploy/template.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deploy/yaml.h"

namespace kelvin::deploy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TemplateInput Example() {
  FunctionSpec function;
  function.name = "create-item";
  function.environment = {{"TABLE_NAME", "items"}, {"ODD", "yes: \"no\""}};
  function.actions = {"dynamodb:PutItem"};
  function.tables = {"items"};
  function.zip_path = "create-item-aot.zip";
  return {.functions = {function}, .tables = {{.name = "items"}}};
}

TEST(MakeTemplate, GivesEachRoleOnlyWhatItsFunctionUses) {
  for (const TemplateFormat format :
       {TemplateFormat::kCloudFormation, TemplateFormat::kSam, TemplateFormat::kTerraform}) {
    const std::string text = MakeTemplate(Example(), format);
    EXPECT_THAT(text, HasSubstr("dynamodb:PutItem"));
    EXPECT_THAT(text, Not(HasSubstr("dynamodb:*")));
    EXPECT_THAT(text, HasSubstr("logs:PutLogEvents"));
    EXPECT_THAT(text, HasSubstr("ExpiresAt"));
  }
}

TEST(MakeTemplate, WritesTerraformThatIsJson) {
  const auto root = boost::json::parse(MakeTemplate(Example(), TemplateFormat::kTerraform));
  const auto& function = root.at("resource").at("aws_lambda_function").at("create_item");
  EXPECT_EQ(function.at("runtime"), "provided.al2023");
  EXPECT_EQ(function.at("environment").at("variables").at("TABLE_NAME"), "items");
  EXPECT_EQ(
      root.at("resource").at("aws_cloudwatch_log_group").at("create_item").at("retention_in_days"),
      14);
}

TEST(MakeTemplate, KnowsTheThreeStrategies) {
  TemplateInput input = Example();
  input.functions[0].strategy = Strategy::kImage;
  EXPECT_THAT(MakeTemplate(input, TemplateFormat::kCloudFormation),
              HasSubstr("PackageType: Image"));
  EXPECT_THAT(MakeTemplate(input, TemplateFormat::kTerraform),
              HasSubstr("\"package_type\": \"Image\""));
  input.functions[0].strategy = Strategy::kManaged;
  input.functions[0].runtime = "dotnet8";
  input.functions[0].handler = "App::App.Function::Handle";
  EXPECT_THAT(MakeTemplate(input, TemplateFormat::kSam), HasSubstr("Runtime: dotnet8"));
  EXPECT_EQ(ParseStrategy("image"), Strategy::kImage);
  EXPECT_FALSE(ParseStrategy("other"));
}

TEST(Yaml, QuotesWhatCouldBeTakenForAnythingElse) {
  const boost::json::value value{{"a", {"yes", "1", "plain-text", "with: colon", ""}},
                                 {"b", {{"c", boost::json::array{{{"d", 1}, {"e", true}}}}}},
                                 {"f", boost::json::object()}};
  EXPECT_EQ(Yaml(value),
            "a:\n  - \"yes\"\n  - \"1\"\n  - plain-text\n  - \"with: colon\"\n  - \"\"\n"
            "b:\n  c:\n    - d: 1\n      e: true\nf: {}\n");
}

TEST(DynamoDbActions, ReadsThemFromTheProgram) {
  using namespace std::string_literals;
  const std::string program = "DynamoDB_20120810.{}\0PutItem\0xQuery\0Get"s;
  EXPECT_THAT(DynamoDbActions(program), ElementsAre("dynamodb:PutItem"));
  EXPECT_TRUE(DynamoDbActions("\0PutItem\0"s).empty());
}

}  // namespace
}  // namespace kelvin::deploy
