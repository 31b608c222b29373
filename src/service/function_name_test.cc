#include "service/function_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kelvin::service {
namespace {

using ::testing::HasSubstr;

const Place kPlace{"us-east-1", "123456789012"};

struct Case {
  std::string_view text;
  std::string_view name;
  std::string_view qualifier;
};

TEST(FunctionName, ReadsEveryForm) {
  constexpr Case kCases[] = {
      {"f", "f", ""},
      {"my-function_1", "my-function_1", ""},
      {"f:$LATEST", "f", "$LATEST"},
      {"f:prod", "f", "prod"},
      {"function:f", "f", ""},
      {"123456789012:function:f", "f", ""},
      {"123456789012:function:f:1", "f", "1"},
      {"us-east-1:123456789012:function:f", "f", ""},
      {"arn:aws:lambda:us-east-1:123456789012:function:f", "f", ""},
      {"arn:aws:lambda:us-east-1:123456789012:function:f:prod", "f", "prod"},
  };
  for (const Case& test : kCases) {
    const auto parsed = ParseFunctionName(test.text, kPlace);
    ASSERT_TRUE(parsed) << test.text;
    EXPECT_EQ(parsed->name, test.name) << test.text;
    EXPECT_EQ(parsed->qualifier, test.qualifier) << test.text;
  }
}

TEST(FunctionName, RefusesWhatBreaksTheRules) {
  for (const std::string& text :
       {std::string(), std::string("a b"), std::string("f/../g"), std::string("f:"),
        std::string("f:a:b"), std::string("arn:aws:s3:::bucket"), std::string("ä"),
        std::string("f:$OTHER"), std::string(65, 'f'), std::string(171, 'f')}) {
    const auto parsed = ParseFunctionName(text, kPlace);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind, ApiErrorKind::kValidation);
    EXPECT_THAT(parsed.error().message, HasSubstr("at 'functionName' failed to satisfy"));
  }
}

TEST(FunctionName, FindsNothingElsewhere) {
  for (const std::string_view text :
       {"arn:aws:lambda:eu-west-1:123456789012:function:f", "999999999999:function:f"}) {
    const auto parsed = ParseFunctionName(text, kPlace);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().kind, ApiErrorKind::kResourceNotFound);
  }
}

TEST(FunctionName, SaysThatARegionIsAnother) {
  const auto parsed = ParseFunctionName("arn:aws:lambda:eu-west-1:123456789012:function:f", kPlace);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().message,
            "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')");
}

TEST(FunctionName, ANewOneHasNoQualifier) {
  EXPECT_EQ(ParseNewFunctionName("f", kPlace).value(), "f");
  EXPECT_FALSE(ParseNewFunctionName("f:1", kPlace));
}

TEST(FunctionName, ANewOneIsNoLongerThanAwsLetsIt) {
  const auto name = ParseNewFunctionName(std::string(65, 'a'), kPlace);
  ASSERT_FALSE(name);
  EXPECT_EQ(name.error().kind, ApiErrorKind::kInvalidParameterValue);
  const std::string prefix = "arn:aws:lambda:us-east-1:123456789012:function:";
  const auto arn = ParseNewFunctionName(prefix + std::string(141 - prefix.size(), 'a'), kPlace);
  ASSERT_FALSE(arn);
  EXPECT_EQ(arn.error().kind, ApiErrorKind::kValidation);
  EXPECT_THAT(arn.error().message, HasSubstr("less than or equal to 140"));
}

}  // namespace
}  // namespace kelvin::service
