#include "service/environment_variables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/managed_runtimes.h"

namespace kelvin::service {
namespace {

using ::testing::Contains;
using ::testing::Pair;

FunctionConfig Config() {
  FunctionConfig config;
  config.name = "f";
  config.handler = "main";
  config.memory_mb = 256;
  config.log_group = "/aws/lambda/f";
  return config;
}

StringMap Variables(const FunctionConfig& config, const EnvironmentVariables& defaults = {}) {
  const auto all = FunctionEnvironment(config, {"eu-west-1", "123456789012"}, defaults,
                                       {"127.0.0.1:9001", "2026/01/01/[$LATEST]ab"});
  return {all.begin(), all.end()};
}

TEST(FunctionEnvironment, IsWhatLambdaSets) {
  const auto variables = Variables(Config());
  EXPECT_THAT(variables, Contains(Pair("_HANDLER", "main")));
  EXPECT_THAT(variables, Contains(Pair("AWS_REGION", "eu-west-1")));
  EXPECT_THAT(variables, Contains(Pair("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001")));
  EXPECT_THAT(variables, Contains(Pair("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")));
  EXPECT_THAT(variables, Contains(Pair("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/01/[$LATEST]ab")));
  EXPECT_THAT(variables, Contains(Pair("TZ", ":UTC")));
  EXPECT_FALSE(variables.contains("AWS_EXECUTION_ENV"));
  EXPECT_FALSE(variables.contains("AWS_LAMBDA_LOG_FORMAT"));
}

TEST(FunctionEnvironment, NamesAManagedRuntimeOnly) {
  auto config = Config();
  config.runtime = "nodejs20.x";
  EXPECT_THAT(Variables(config), Contains(Pair("AWS_EXECUTION_ENV", "AWS_Lambda_nodejs20.x")));
  config.runtime = "provided.al2023";
  EXPECT_FALSE(Variables(config).contains("AWS_EXECUTION_ENV"));
}

TEST(ManagedRuntimes, AreThoseThatAreConfigured) {
  const ManagedRuntimes runtimes{{"nodejs20.x", {.runtime = "/r", .language = {}}}};
  EXPECT_TRUE(CheckRuntime(runtimes, "provided.al2023"));
  EXPECT_TRUE(CheckRuntime(runtimes, "nodejs20.x"));
  const auto refused = CheckRuntime(runtimes, "python3.12");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ApiErrorKind::kInvalidParameterValue);
  EXPECT_THAT(refused.error().message,
              testing::AllOf(testing::HasSubstr("Value python3.12 at 'runtime' failed to satisfy"),
                             testing::HasSubstr("provided.al2, nodejs20.x]"),
                             testing::HasSubstr("--runtime python3.12=FOLDER")));
}

TEST(FunctionEnvironment, NamesTheFormatOfJsonLogs) {
  auto config = Config();
  config.log_format = LogFormat::kJson;
  config.application_log_level = "DEBUG";
  const auto variables = Variables(config);
  EXPECT_THAT(variables, Contains(Pair("AWS_LAMBDA_LOG_FORMAT", "JSON")));
  EXPECT_THAT(variables, Contains(Pair("AWS_LAMBDA_LOG_LEVEL", "DEBUG")));
}

TEST(FunctionEnvironment, LetsTheUsersOwnValuesWin) {
  auto config = Config();
  config.environment = {{"AWS_ENDPOINT_URL", "mine"}, {"TZ", "here"}};
  const auto variables =
      Variables(config, {{"AWS_ENDPOINT_URL", "default"}, {"AWS_ACCESS_KEY_ID", "key"}});
  EXPECT_THAT(variables, Contains(Pair("AWS_ENDPOINT_URL", "mine")));
  EXPECT_THAT(variables, Contains(Pair("AWS_ACCESS_KEY_ID", "key")));
  EXPECT_THAT(variables, Contains(Pair("TZ", "here")));
}

TEST(IsReservedVariable, LeavesTheOverridableOnesAlone) {
  EXPECT_TRUE(IsReservedVariable("AWS_LAMBDA_RUNTIME_API"));
  for (const auto* name : {"LANG", "PATH", "LD_LIBRARY_PATH", "TZ", "AWS_XRAY_CONTEXT_MISSING"}) {
    EXPECT_FALSE(IsReservedVariable(name)) << name;
  }
}

}  // namespace
}  // namespace kelvin::service
