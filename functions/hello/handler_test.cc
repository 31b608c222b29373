#include "handler.h"

#include <gtest/gtest.h>
#include <kelvin/kelvin.h>

namespace hello {
namespace {

TEST(Hello, GreetsByName) {
  EXPECT_EQ(Greet({.name = "Ada"}).message, "Hello, Ada!");
}

TEST(Hello, GreetsTheWorldWhenNoNameCame) {
  EXPECT_EQ(Greet({}).message, "Hello, world!");
}

TEST(Hello, SpeaksJson) {
  const auto handler = kelvin::Adapt(Greet);
  EXPECT_EQ(handler->Invoke(R"({"name":"Ada"})", kelvin::Context()).value(),
            R"({"message":"Hello, Ada!"})");
}

TEST(Hello, SaysWhatIsWrongWithABadName) {
  const auto handler = kelvin::Adapt(Greet);
  const auto result = handler->Invoke(R"({"name":7})", kelvin::Context());
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().message, "$.name: expected a string, got 7");
}

}  // namespace
}  // namespace hello
