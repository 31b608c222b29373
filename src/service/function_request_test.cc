#include "service/function_request.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"

namespace kelvin::service {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

const Place kPlace{"us-east-1", "123456789012"};
constexpr Machine kHost{Architecture::kX86};

json::object Body() {
  return {{"FunctionName", "f"},
          {"Runtime", "provided.al2023"},
          {"Role", "arn:aws:iam::123456789012:role/r"},
          {"Handler", "bootstrap"},
          {"Code", {{"ZipFile", Base64Encode("zip")}}}};
}

std::expected<CreateRequest, ApiError> Create(const json::object& body) {
  return ParseCreate(json::serialize(body), kPlace, kHost);
}

TEST(CreateRequest, TakesTheOtherArchitectureWhereItIsEmulated) {
  json::object body = Body();
  body["Architectures"] = json::array{"arm64"};
  const auto request =
      ParseCreate(json::serialize(body), kPlace, {Architecture::kX86, Emulation::kYes});
  ASSERT_TRUE(request);
  EXPECT_EQ(request->config.architecture, "arm64");
}

TEST(CreateRequest, FillsInWhatIsNotSaid) {
  const auto request = Create(Body());
  ASSERT_TRUE(request);
  EXPECT_EQ(request->config.memory_mb, 128);
  EXPECT_EQ(request->config.timeout_seconds, 3);
  EXPECT_EQ(request->config.tmp_mb, 512);
  EXPECT_EQ(request->config.log_group, "/aws/lambda/f");
  EXPECT_EQ(request->config.architecture, "x86_64");
  EXPECT_EQ(request->zip, "zip");
}

TEST(CreateRequest, ReadsEverything) {
  auto body = Body();
  body["MemorySize"] = 1024;
  body["Timeout"] = 30;
  body["Description"] = "d";
  body["Environment"] = {{"Variables", {{"KEY", "value"}}}};
  body["Tags"] = {{"team", "x"}};
  body["EphemeralStorage"] = {{"Size", 1024}};
  body["TracingConfig"] = {{"Mode", "Active"}};
  body["LoggingConfig"] = {{"LogFormat", "JSON"}, {"SystemLogLevel", "DEBUG"}};
  const auto request = Create(body);
  ASSERT_TRUE(request);
  const FunctionConfig& config = request->config;
  EXPECT_EQ(config.memory_mb, 1024);
  EXPECT_EQ(config.timeout_seconds, 30);
  EXPECT_EQ(config.environment.at("KEY"), "value");
  EXPECT_EQ(config.tags.at("team"), "x");
  EXPECT_EQ(config.tmp_mb, 1024);
  EXPECT_EQ(config.log_format, LogFormat::kJson);
  EXPECT_EQ(config.application_log_level, "INFO");
  EXPECT_EQ(config.system_log_level, "DEBUG");
}

struct Bad {
  const char* field;
  json::value value;
  ApiErrorKind kind;
  const char* message;
};

TEST(CreateRequest, RefusesInTheWordsOfAws) {
  const Bad cases[] = {
      {"FunctionName", "a b", ApiErrorKind::kValidation, "Value 'a b' at 'functionName'"},
      {"MemorySize", 64, ApiErrorKind::kValidation,
       "Value '64' at 'memorySize' failed to satisfy constraint: Member must have value greater "
       "than or equal to 128"},
      {"MemorySize", 10241, ApiErrorKind::kValidation, "less than or equal to 10240"},
      {"MemorySize", "big", ApiErrorKind::kInvalidRequestContent, "MemorySize"},
      {"Timeout", 0, ApiErrorKind::kValidation, "'timeout'"},
      {"Timeout", 901, ApiErrorKind::kValidation, "less than or equal to 900"},
      {"Role", "me", ApiErrorKind::kValidation, "at 'role'"},
      {"Handler", "a b", ApiErrorKind::kValidation, "at 'handler'"},
      {"Environment",
       {{"Variables", {{"AWS_REGION", "x"}}}},
       ApiErrorKind::kInvalidParameterValue,
       "Reserved keys used in this request: AWS_REGION"},
      {"Environment",
       {{"Variables", {{"9A", "x"}}}},
       ApiErrorKind::kValidation,
       "[a-zA-Z]([a-zA-Z0-9_])+"},
      {"Environment",
       {{"Variables", {{"BIG", std::string(4096, 'x')}}}},
       ApiErrorKind::kInvalidParameterValue,
       "exceeded the 4KB limit"},
      {"EphemeralStorage", {{"Size", 100}}, ApiErrorKind::kValidation, "ephemeralStorage.size"},
      {"Architectures", json::array{"arm64"}, ApiErrorKind::kInvalidParameterValue,
       "runs on x86_64 and cannot run arm64"},
      {"Architectures", json::array{"mips"}, ApiErrorKind::kValidation, "architectures"},
      {"PackageType", "Image", ApiErrorKind::kInvalidParameterValue, "Zip packages only"},
      {"Code", {{"S3Bucket", "b"}, {"S3Key", "k"}}, ApiErrorKind::kInvalidParameterValue, "S3"},
      {"Code", {{"ImageUri", "i"}}, ApiErrorKind::kInvalidParameterValue, "ImageUri"},
      {"Code", {{"ZipFile", "%"}}, ApiErrorKind::kInvalidRequestContent, "ZipFile"},
      {"Code", {{"ZipFile", ""}}, ApiErrorKind::kInvalidParameterValue, "non-empty zip"},
      {"LoggingConfig", {{"LogFormat", "XML"}}, ApiErrorKind::kValidation, "logFormat"},
      {"LoggingConfig",
       {{"SystemLogLevel", "INFO"}},
       ApiErrorKind::kInvalidParameterValue,
       "only be set when LogFormat is JSON"},
  };
  for (const Bad& bad : cases) {
    auto body = Body();
    body[bad.field] = bad.value;
    const auto request = Create(body);
    ASSERT_FALSE(request) << bad.field << " " << bad.value;
    EXPECT_EQ(request.error().kind, bad.kind) << bad.field << ": " << request.error().message;
    EXPECT_THAT(request.error().message, HasSubstr(bad.message));
  }
}

TEST(CreateRequest, WantsEachMandatoryField) {
  for (const char* field : {"FunctionName", "Role", "Runtime", "Handler", "Code"}) {
    auto body = Body();
    body.erase(field);
    EXPECT_FALSE(Create(body)) << field;
  }
}

TEST(CreateRequest, TakesSettingsThatAskForNothing) {
  auto body = Body();
  body["VpcConfig"] = {{"SubnetIds", json::array{}}, {"Ipv6AllowedForDualStack", false}};
  body["Layers"] = json::array{};
  body["KMSKeyArn"] = nullptr;
  EXPECT_TRUE(Create(body));
}

TEST(CreateRequest, RefusesAZipOverTheLimit) {
  auto body = Body();
  body["Code"] = {{"ZipFile", Base64Encode(std::string(52'428'801, 'z'))}};
  const auto request = Create(body);
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().kind, ApiErrorKind::kRequestTooLarge);
}

TEST(CreateRequest, RefusesWhatIsNotAJsonObject) {
  for (const char* body : {"", "{", "[]", "1"}) {
    const auto request = ParseCreate(body, kPlace, kHost);
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error().kind, ApiErrorKind::kInvalidRequestContent);
  }
}

TEST(ConfigurationRequest, ChangesOnlyWhatIsSaid) {
  FunctionConfig config = Create(Body())->config;
  config.environment = {{"KEEP", "me"}};
  const auto request =
      ParseConfiguration(R"({"MemorySize":256,"RevisionId":"r","Tags":{"a":"b"}})", config);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->revision_id, "r");
  config.memory_mb = 256;
  EXPECT_EQ(request->config, config);
}

TEST(ConfigurationRequest, EmptiesTheEnvironmentWhenItIsGivenEmpty) {
  FunctionConfig config;
  config.environment = {{"GO", "away"}};
  EXPECT_TRUE(ParseConfiguration(R"({"Environment":{}})", config)->config.environment.empty());
}

TEST(CodeRequest, ReadsItsParts) {
  const auto request = ParseCode(
      R"({"ZipFile":"emlw","RevisionId":"r","DryRun":true,"Architectures":["x86_64"]})", kHost);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->zip, "zip");
  EXPECT_EQ(request->revision_id, "r");
  EXPECT_TRUE(request->dry_run);
  EXPECT_EQ(request->architecture, "x86_64");
}

}  // namespace
}  // namespace kelvin::service
