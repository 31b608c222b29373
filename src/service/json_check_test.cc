#include "service/json_check.h"

#include <gtest/gtest.h>

namespace kelvin::service {
namespace {

TEST(CheckJson, TakesEveryDocument) {
  for (const std::string& text :
       {std::string("{}"), std::string("null"), std::string(" [1, 2.5e300, \"\\u00e4\"] \n"),
        std::string("12345678901234567890123"), std::string(500, '[') + std::string(500, ']')}) {
    EXPECT_TRUE(CheckJson(text)) << text;
  }
}

TEST(CheckJson, RefusesTheRest) {
  for (const std::string& text :
       {std::string(), std::string("hello"), std::string("{"), std::string("{} {}"),
        std::string("{'a':1}"), std::string("\"\xff\""), std::string(2000, '[')}) {
    EXPECT_FALSE(CheckJson(text)) << text;
  }
}

}  // namespace
}  // namespace kelvin::service
