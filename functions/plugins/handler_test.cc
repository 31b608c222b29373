#include "handler.h"

#include <gtest/gtest.h>

namespace plugins {
namespace {

TEST(Plugins, AppliesAFilterThatIsLinkedIn) {
  Handler handler;
  EXPECT_EQ(handler({"shout", "hello"})->text, "hello!");
  EXPECT_EQ(handler({"shout", "again"})->text, "again!");
}

TEST(Plugins, SaysWhyAotLoadsNothing) {
  Handler handler;
  const auto answer = handler({"upper", "hello"});
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().type, "Runtime.NoEngine");
  EXPECT_TRUE(answer.error().message.starts_with("cannot load upper.bc: "))
      << answer.error().message;
}

TEST(Plugins, TakesNoPathForAName) {
  Handler handler;
  for (const char* name : {"", "../upper", "Upper", "a.b"}) {
    EXPECT_EQ(handler({name, "x"}).error().type, "Function.BadRequest") << name;
  }
}

}  // namespace
}  // namespace plugins
