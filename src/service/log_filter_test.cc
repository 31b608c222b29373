#include "service/log_filter.h"

#include <gtest/gtest.h>

namespace kelvin::service {
namespace {

bool Matches(std::string_view pattern, std::string_view message) {
  const auto filter = LogFilter::Parse(pattern);
  if (!filter) ADD_FAILURE() << pattern << ": " << filter.error().message;
  return filter && filter->Matches(message);
}
std::string Refusal(std::string_view pattern) {
  const auto filter = LogFilter::Parse(pattern);
  return filter ? "" : filter.error().message;
}

TEST(LogFilter, WithoutAPatternTakesEverything) {
  EXPECT_TRUE(Matches("", ""));
  EXPECT_TRUE(Matches("  ", "anything"));
}

TEST(LogFilter, WantsAllTerms) {
  EXPECT_TRUE(Matches("ERROR ARGUMENTS", "[ERROR 419] MISSING ARGUMENTS"));
  EXPECT_FALSE(Matches("ERROR ARGUMENTS", "[ERROR 400] BAD REQUEST"));
  EXPECT_TRUE(Matches("Exception", "Caught IllegalArgumentException"));
  EXPECT_FALSE(Matches("error", "ERROR"));
}

TEST(LogFilter, TakesAQuotedPhraseAsItIs) {
  EXPECT_TRUE(Matches(R"("INTERNAL SERVER ERROR")", "[ERROR 500] INTERNAL SERVER ERROR"));
  EXPECT_FALSE(Matches(R"("INTERNAL ERROR")", "[ERROR 500] INTERNAL SERVER ERROR"));
  EXPECT_TRUE(Matches(R"("say \"hi\"")", R"(they say "hi" twice)"));
}

TEST(LogFilter, LeavesOutWhatAMinusNames) {
  EXPECT_TRUE(Matches("ERROR -ARGUMENTS", "[ERROR 400] BAD REQUEST"));
  EXPECT_FALSE(Matches("ERROR -ARGUMENTS", "[ERROR 419] MISSING ARGUMENTS"));
  EXPECT_FALSE(Matches(R"(-"BAD REQUEST")", "[ERROR 400] BAD REQUEST"));
}

TEST(LogFilter, TakesAnyOfTermsWithAQuestionMark) {
  EXPECT_TRUE(Matches("?ERROR ?WARN", "WARN: slow"));
  EXPECT_FALSE(Matches("?ERROR ?WARN", "INFO: fine"));
  EXPECT_TRUE(Matches(R"(?"404 not" ?WARN)", "404 not found"));
  EXPECT_TRUE(Matches("?ERROR REQUEST", "INFO REQUEST"))
      << "the ? counts for nothing beside REQUEST";
}

TEST(LogFilter, LooksIntoJson) {
  const std::string event =
      R"({"level":"ERROR","ms":12.5,"user":{"id":1,"name":"Ada L."},"tags":["a","b"],"ok":false,"none":null,"a-b":"x"})";
  EXPECT_TRUE(Matches(R"({ $.level = "ERROR" })", event));
  EXPECT_TRUE(Matches("{$.level=ERROR}", event));
  EXPECT_FALSE(Matches(R"({ $.level = "WARN" })", event));
  EXPECT_TRUE(Matches(R"({ $.level != "WARN" })", event));
  EXPECT_TRUE(Matches(R"({ $.level = "ERR*" })", event));
  EXPECT_TRUE(Matches(R"({ $.user.name = "*L." })", event));
  EXPECT_TRUE(Matches("{ $.ms > 12 && $.ms <= 12.5 }", event));
  EXPECT_FALSE(Matches("{ $.ms < 1.2e1 }", event));
  EXPECT_TRUE(Matches(R"({ ($.ms = 1 || $.user.id = 1) && $.tags[1] = "b" })", event));
  EXPECT_TRUE(Matches(R"({ $["a-b"] = x && $.a-b = "x" })", event));
  EXPECT_TRUE(Matches("{ $.ok IS FALSE && $.none IS NULL && $.other NOT EXISTS }", event));
  EXPECT_FALSE(Matches("{ $.level NOT EXISTS }", event));
  EXPECT_FALSE(Matches(R"({ $.other != "x" })", event));
  EXPECT_FALSE(Matches(R"({ $.user = "x" })", event));
  EXPECT_FALSE(Matches(R"({ $.level = "ERROR" })", "level ERROR"));
  EXPECT_FALSE(Matches(R"({ $.level = "ERROR" })", R"({"level":"ERROR")"));
}

TEST(LogFilter, LooksAtWords) {
  const std::string event =
      R"(127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html" 404 1534)";
  EXPECT_TRUE(Matches("[ip, id, user, time, request, status = 4*, bytes]", event));
  EXPECT_FALSE(Matches("[ip, id, user, time, request, status = 5*, bytes]", event));
  EXPECT_TRUE(Matches("[ip, ..., status = 404, bytes > 1000]", event));
  EXPECT_TRUE(Matches("[..., bytes > 1000 && bytes < 2000]", event));
  EXPECT_TRUE(Matches("[..., request = *html*, status, bytes]", event));
  EXPECT_TRUE(Matches("[ip = 1* || ip = 2*, ...]", event));
  EXPECT_FALSE(Matches("[ip, id]", event));
}

TEST(LogFilter, LooksForExpressions) {
  EXPECT_TRUE(Matches("%[Ee]rror|[Ff]ail%", "it Failed"));
  EXPECT_FALSE(Matches(" %[Ee]rror|[Ff]ail% ", "it is fine"));
  EXPECT_TRUE(Matches(R"(%100\%%)", "at 100%"));
  EXPECT_EQ(Refusal("a %b%"), "Invalid character(s) in term '%b%'");
  const std::string event =
      R"({"eventType":"UpdateTrail","ip":"111.111.111.111","list":["value","other"],"n":404})";
  EXPECT_TRUE(Matches("{ $.eventType = %Trail% }", event));
  EXPECT_FALSE(Matches("{ $.eventType != %Trail% }", event));
  EXPECT_TRUE(Matches("{ $.n = %^4[0-9]{2}$% && $.eventType != %^T% }", event));
  EXPECT_FALSE(Matches("{ $.list = %value% }", event));
  EXPECT_TRUE(Matches("[..., status = %^[45]%, bytes]", "GET / 404 12"));
  EXPECT_FALSE(Matches("[..., status = %^[45]%, bytes]", "GET / 200 12"));
}

TEST(LogFilter, TakesAnyMemberOrPlaceForAStar) {
  const std::string event =
      R"({"ip":"111.111.111.111","list":["value","other"],"objects":[{"id":1},{"id":2}],"a.b":"c"})";
  EXPECT_TRUE(Matches("{ $.list[*] = %val.{2}% }", event));
  EXPECT_FALSE(Matches(R"({ $.list[*] = "none" })", event));
  EXPECT_TRUE(Matches(R"({ $.* = %111\.111\.111\.1[0-9]{1,2}% })", event));
  EXPECT_TRUE(Matches("{ $.objects[*].id = 2 }", event));
  EXPECT_TRUE(Matches("{ $.objects[*].name NOT EXISTS }", event));
  EXPECT_FALSE(Matches("{ $.objects[*].id NOT EXISTS }", event));
  EXPECT_FALSE(Matches("{ $.ip[*] = 1 || $.ip.* = 1 }", event));
  EXPECT_TRUE(Matches("{ $.['a.b'] = c && $['a.b'] = c }", event));
}

TEST(LogFilter, RefusesWhatItDoesNotUnderstand) {
  EXPECT_EQ(Refusal("foo.bar"), "Invalid character(s) in term 'foo.bar'");
  for (const char* pattern : {"{",
                              "{}",
                              "{ $ = 1 }",
                              "{ $.a }",
                              "{ $.a = }",
                              "{ $.a > x }",
                              "{ $.a = 1",
                              "{ $.a = 1 } x",
                              "{ $.a[x] = 1 }",
                              "{ $.a IS 3 }",
                              "{ $.a NOT }",
                              "[",
                              "[a",
                              "[..., ...]",
                              "[a = 1 && b = 2]",
                              "\"open",
                              "-",
                              "?",
                              "{ ($.a = 1 }",
                              "%",
                              "%%",
                              "%a",
                              "%something!%",
                              "%(a)%",
                              "%a\\%",
                              "%a% b",
                              "{ $.a > %1% }",
                              "{ $.a = %1 }",
                              "{ $.a = %(% }",
                              "{ $.a = %1% || $.a = %2% || $.a = %3% }",
                              "{ $.*.* = 1 }",
                              "{ $.a.[ = 1 }",
                              "{ $.a[* = 1 }",
                              "{ $.* = 1 || $.a[*] = 1 || $.b[*] = 1 || $.c[*] = 1 }"}) {
    EXPECT_EQ(Refusal(pattern), "Invalid filter pattern") << pattern;
  }
  EXPECT_EQ(Refusal("{" + std::string(500, '(')), "Invalid filter pattern");
  EXPECT_NE(Refusal(std::string(1025, 'x')), "");
}

}  // namespace
}  // namespace kelvin::service
