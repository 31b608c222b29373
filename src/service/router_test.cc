#include "service/router.h"

#include <gtest/gtest.h>

namespace kelvin::service {
namespace {

struct Case {
  std::string_view method;
  std::string_view target;
  std::string_view operation;
  std::string_view placeholder = "FunctionName";
  std::string_view value = "";
};

TEST(Router, FindsEveryKindOfCall) {
  constexpr Case kCases[] = {
      {"POST", "/2015-03-31/functions", "CreateFunction"},
      {"GET", "/2015-03-31/functions/", "ListFunctions"},
      {"GET", "/2015-03-31/functions/f", "GetFunction", "FunctionName", "f"},
      {"DELETE", "/2015-03-31/functions/f?Qualifier=1", "DeleteFunction", "FunctionName", "f"},
      {"PUT", "/2015-03-31/functions/f/configuration", "UpdateFunctionConfiguration",
       "FunctionName", "f"},
      {"POST", "/2015-03-31/functions/arn%3Aaws%3Alambda/invocations", "Invoke", "FunctionName",
       "arn:aws:lambda"},
      {"GET", "/2018-10-31/layers?find=LayerVersion&Arn=a", "GetLayerVersionByArn"},
      {"GET", "/2018-10-31/layers?find=Other", "ListLayers"},
      {"GET", "/2018-10-31/layers/l/versions/7", "GetLayerVersion", "VersionNumber", "7"},
  };
  for (const Case& test : kCases) {
    const auto route = FindRoute(test.method, test.target);
    ASSERT_TRUE(route) << test.target;
    EXPECT_EQ(route->operation, test.operation) << test.target;
    EXPECT_EQ(route->InPath(test.placeholder), test.value) << test.target;
  }
}

TEST(Router, DecodesTheQuery) {
  const auto route = FindRoute("GET", "/2015-03-31/functions?Marker=a%26b&MaxItems=2&Empty");
  ASSERT_TRUE(route);
  EXPECT_EQ(route->InQuery("Marker"), "a&b");
  EXPECT_EQ(route->InQuery("MaxItems"), "2");
  EXPECT_EQ(route->query.count("Empty"), 1u);
  EXPECT_EQ(FindRoute("DELETE", "/2017-03-31/tags/a?tagKeys=x&tagKeys=y")->query.count("tagKeys"),
            2u);
}

TEST(Router, KnowsNothingElse) {
  for (const std::string_view target :
       {"/", "/2015-03-31", "/2015-03-31/functionsx", "/2015-03-31/functions/f/other",
        "/2015-03-31/functions/%zz", "/2015-03-31/functions/f?a=%",
        "/2015-03-31/functions//configuration", "2015-03-31/functions", ""}) {
    EXPECT_FALSE(FindRoute("GET", target)) << target;
  }
  EXPECT_FALSE(FindRoute("PATCH", "/2015-03-31/functions/f"));
}

}  // namespace
}  // namespace kelvin::service
