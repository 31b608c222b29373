#include "service/router.h"

#include <gtest/gtest.h>

namespace kelvin::service {
namespace {

struct Case {
  std::string_view method;
  std::string_view target;
  Operation operation;
  std::string_view function;
};

TEST(Router, FindsEveryCall) {
  constexpr Case kCases[] = {
      {"POST", "/2015-03-31/functions", Operation::kCreateFunction, ""},
      {"GET", "/2015-03-31/functions/", Operation::kListFunctions, ""},
      {"GET", "/2015-03-31/functions/f", Operation::kGetFunction, "f"},
      {"DELETE", "/2015-03-31/functions/f?Qualifier=1", Operation::kDeleteFunction, "f"},
      {"GET", "/2015-03-31/functions/f/configuration", Operation::kGetFunctionConfiguration, "f"},
      {"PUT", "/2015-03-31/functions/f/configuration", Operation::kUpdateFunctionConfiguration,
       "f"},
      {"PUT", "/2015-03-31/functions/f/code", Operation::kUpdateFunctionCode, "f"},
      {"POST", "/2015-03-31/functions/f/invocations", Operation::kInvoke, "f"},
      {"POST", "/2015-03-31/functions/arn%3Aaws%3Alambda/invocations", Operation::kInvoke,
       "arn:aws:lambda"},
  };
  for (const Case& test : kCases) {
    const auto route = FindRoute(test.method, test.target);
    ASSERT_TRUE(route) << test.target;
    EXPECT_EQ(route->operation, test.operation) << test.target;
    EXPECT_EQ(route->function, test.function) << test.target;
  }
}

TEST(Router, DecodesTheQuery) {
  const auto route = FindRoute("GET", "/2015-03-31/functions?Marker=a%26b&MaxItems=2&Empty");
  ASSERT_TRUE(route);
  EXPECT_EQ(route->query.at("Marker"), "a&b");
  EXPECT_EQ(route->query.at("MaxItems"), "2");
  EXPECT_EQ(route->query.at("Empty"), "");
}

TEST(Router, KnowsNothingElse) {
  for (const std::string_view target :
       {"/", "/2015-03-31", "/2015-03-31/functionsx", "/2015-03-31/functions/f/other",
        "/2015-03-31/functions/%zz", "/2015-03-31/functions/f?a=%"}) {
    EXPECT_FALSE(FindRoute("GET", target)) << target;
  }
  EXPECT_FALSE(FindRoute("PATCH", "/2015-03-31/functions/f"));
}

}  // namespace
}  // namespace kelvin::service
