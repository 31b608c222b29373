#include "service/log_expression.h"

#include <string>

#include <gtest/gtest.h>

namespace kelvin::service {
namespace {

bool Matches(std::string_view expression, std::string_view text) {
  const auto parsed = LogExpression::Parse(expression);
  if (!parsed) ADD_FAILURE() << expression << ": " << parsed.error().message;
  return parsed && parsed->Matches(text);
}
bool IsRefused(std::string_view expression) {
  const auto parsed = LogExpression::Parse(expression);
  return !parsed && parsed.error().message == "Invalid filter pattern";
}

// Of CloudWatch's own pages.
TEST(LogExpression, MatchesWhatCloudWatchSaysItDoes) {
  EXPECT_TRUE(Matches("AUTHORIZED", "[ERROR 401] UNAUTHORIZED REQUEST"));
  EXPECT_TRUE(Matches("^[hc]at", "hat and coat"));
  EXPECT_FALSE(Matches("^[hc]at", "a hat"));
  EXPECT_TRUE(Matches("[hc]at$", "a cat"));
  EXPECT_FALSE(Matches("[hc]at$", "cats"));
  EXPECT_TRUE(Matches("colou?r", "color"));
  EXPECT_TRUE(Matches("colou?r", "colour"));
  EXPECT_FALSE(Matches("colou?r", "colouur"));
  EXPECT_TRUE(Matches("[abcx-z]", "y"));
  EXPECT_FALSE(Matches("[abcx-z]", "d"));
  EXPECT_FALSE(Matches("^a{3,5}$", "aa"));
  EXPECT_TRUE(Matches("^a{3,5}$", "aaaa"));
  EXPECT_FALSE(Matches("^a{3,5}$", "aaaaaa"));
  EXPECT_TRUE(Matches("gra|ey", "grape"));
  EXPECT_TRUE(Matches("^initializing|^shutting down", "shutting down now"));
  EXPECT_FALSE(Matches("^initializing|^shutting down", "skipping initializing"));
  EXPECT_TRUE(Matches("abcc|ab[^c]$", "xaba"));
  EXPECT_FALSE(Matches("abcc|ab[^c]$", "aac"));
  EXPECT_TRUE(Matches(R"(\[.\])", "see []] there"));
  EXPECT_FALSE(Matches(R"(\[.\])", "see [] there"));
  EXPECT_TRUE(Matches("ab*c", "ac"));
  EXPECT_TRUE(Matches("ab*c", "abbbc"));
  EXPECT_TRUE(Matches("ab[0-9]*", "ab129"));
  EXPECT_FALSE(Matches("ab+c", "ac"));
  EXPECT_TRUE(Matches("ab+c", "xabbbcx"));
  EXPECT_TRUE(Matches("10.10.0.1", "10010,051"));
  EXPECT_FALSE(Matches(R"(10\.10\.0\.1)", "10010,051"));
  EXPECT_TRUE(Matches(R"(111\.111\.111\.1[0-9]{1,2})", "111.111.111.111"));
  EXPECT_TRUE(Matches("val.{2}", "value"));
  EXPECT_TRUE(Matches(R"(\x28\x3A)", "x(:"));
}

TEST(LogExpression, KnowsClassesAndTheirInverse) {
  EXPECT_TRUE(Matches(R"(^\d\D\w\W\s\S$)", "1a_- x"));
  EXPECT_FALSE(Matches(R"(\D)", "123"));
  EXPECT_TRUE(Matches(R"(^[\d,]+$)", "1,2,3"));
  EXPECT_TRUE(Matches(R"(^[^\s]+$)", "abc"));
  EXPECT_FALSE(Matches(R"(^[^\s]+$)", "a c"));
  EXPECT_TRUE(Matches(R"([\x41-\x43])", "B"));
  EXPECT_TRUE(Matches("^[-a]+$", "a-"));
  EXPECT_TRUE(Matches("^[a-]+$", "a-"));
  EXPECT_TRUE(Matches("^[.*+?$|{}^]+$", "^.*+?$|{}"));
}

TEST(LogExpression, CountsACharacterOnceHoweverManyBytesItHas) {
  EXPECT_TRUE(Matches("^.$", "\xc3\xa9"));
  EXPECT_TRUE(Matches("^a.b$",
                      "a\xe2\x82\xac"
                      "b"));
  EXPECT_TRUE(Matches(R"(^\W{2}$)", "\xf0\x9f\x98\x80\xc3\xa9"));
  EXPECT_FALSE(Matches(R"(\w)", "\xc3\xa9"));
  EXPECT_TRUE(Matches("^...$",
                      "\xff\xc3"
                      "a"));
  EXPECT_TRUE(Matches("^.$", "\xc3"));
}

TEST(LogExpression, MatchesNothingToo) {
  EXPECT_TRUE(Matches("a*", ""));
  EXPECT_TRUE(Matches("^$", ""));
  EXPECT_FALSE(Matches("^$", "a"));
  EXPECT_TRUE(Matches("$", "a"));
  EXPECT_FALSE(Matches("a^b", "ab"));
  EXPECT_FALSE(Matches("a$b", "ab"));
  EXPECT_TRUE(Matches("a{0,1}b{0,}$", "bbb"));
  EXPECT_FALSE(Matches("a", ""));
  EXPECT_TRUE(Matches("^$", "\n"));
}

TEST(LogExpression, EndsALineBeforeItsNewline) {
  EXPECT_TRUE(Matches("cat$", "a cat\n"));
  EXPECT_FALSE(Matches("cat$", "a cat\n\n"));
  EXPECT_TRUE(Matches(R"(cat\s$)", "a cat\n"));
}

TEST(LogExpression, RefusesWhatCloudWatchDoes) {
  for (const char* expression : {"",
                                 "something!",
                                 "(a)",
                                 "a(",
                                 ")",
                                 "<a>",
                                 "a&b",
                                 "\"",
                                 "'",
                                 "~",
                                 "\xc3\xa9",
                                 "[",
                                 "[]",
                                 "[a",
                                 "[^]",
                                 "[z-a]",
                                 "[\\d-z]",
                                 "[(]",
                                 "a]",
                                 "a}",
                                 "{2}",
                                 "*",
                                 "a**",
                                 "a+?",
                                 "a{",
                                 "a{}",
                                 "a{,3}",
                                 "a{3,2}",
                                 "a{0}",
                                 "a{1001}",
                                 "a{99999999999999999999}",
                                 "^*",
                                 "$+",
                                 "\\",
                                 "\\q",
                                 "\\x4",
                                 "\\xg0",
                                 "\\x80",
                                 "[\\",
                                 "a|*"}) {
    EXPECT_TRUE(IsRefused(expression)) << expression;
  }
}

TEST(LogExpression, StaysSmall) {
  EXPECT_FALSE(IsRefused("a{1000}"));
  EXPECT_TRUE(IsRefused("a{1000}b{1000}"));
}

// A matcher that goes back and tries again would need longer than the world.
TEST(LogExpression, TakesItsTimeInProportion) {
  std::string expression;
  for (int i = 0; i < 100; ++i) expression += "a?";
  for (int i = 0; i < 100; ++i) expression += "a";
  EXPECT_TRUE(Matches(expression, std::string(100, 'a')));
  EXPECT_FALSE(Matches("^" + expression + "b", std::string(5000, 'a')));
  EXPECT_FALSE(Matches("a*a*a*a*a*a*a*a*a*a*b", std::string(100'000, 'a')));
}

}  // namespace
}  // namespace kelvin::service
