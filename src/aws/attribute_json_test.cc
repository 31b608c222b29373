#include "aws/attribute_json.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kelvin::aws {
namespace {

using ::testing::HasSubstr;

std::string Json(const AttributeValue& value) {
  std::string out;
  AppendJson(out, value);
  return out;
}

std::expected<AttributeValue, Error> Parse(std::string_view text) {
  return AttributeValueFromJson(boost::json::parse(text));
}

struct Pair {
  AttributeValue value;
  std::string json;
};

std::vector<Pair> EachType() {
  return {
      {"text", R"({"S":"text"})"},
      {"", R"({"S":""})"},
      {42, R"({"N":"42"})"},
      {Number{"-1.5E-130"}, R"({"N":"-1.5E-130"})"},
      {Binary{std::string("\x00\xff", 2)}, R"({"B":"AP8="})"},
      {true, R"({"BOOL":true})"},
      {false, R"({"BOOL":false})"},
      {Null{}, R"({"NULL":true})"},
      {StringSet{{"a", "b"}}, R"({"SS":["a","b"]})"},
      {NumberSet{{"1", "2.5"}}, R"({"NS":["1","2.5"]})"},
      {BinarySet{{"a", ""}}, R"({"BS":["YQ==",""]})"},
      {List{}, R"({"L":[]})"},
      {List{1, "x", List{Null{}}}, R"({"L":[{"N":"1"},{"S":"x"},{"L":[{"NULL":true}]}]})"},
      {Map{}, R"({"M":{}})"},
      {Map{{"b", true}, {"a", Map{{"n", 1}}}},
       R"({"M":{"a":{"M":{"n":{"N":"1"}}},"b":{"BOOL":true}}})"},
  };
}

TEST(AttributeJson, WritesEachOfTheTenTypes) {
  for (const Pair& pair : EachType()) EXPECT_EQ(Json(pair.value), pair.json);
}

TEST(AttributeJson, ReadsEachOfTheTenTypes) {
  for (const Pair& pair : EachType()) {
    const auto value = Parse(pair.json);
    ASSERT_TRUE(value.has_value()) << pair.json << ": " << value.error().message;
    EXPECT_EQ(*value, pair.value) << pair.json;
  }
}

TEST(AttributeJson, EscapesWhatJsonDoesNotAllowInAString) {
  const std::string text("\"\\/\n\t\x00\x1f\u00e9\u2028", 13);
  const std::string json = Json(text);
  EXPECT_EQ(Parse(json)->As<std::string>() ? *Parse(json)->As<std::string>() : "", text);
  EXPECT_THAT(json, HasSubstr(R"(\"\\/\u000a\u0009\u0000\u001f)"));
}

TEST(AttributeJson, NamesTheTypeAtFault) {
  const auto message = [](std::string_view text) {
    const auto value = Parse(text);
    return value ? "" : value.error().message;
  };
  EXPECT_THAT(message(R"({"S":1})"), HasSubstr("a string as S"));
  EXPECT_THAT(message(R"({"N":1})"), HasSubstr("digits in a string as N"));
  EXPECT_THAT(message(R"({"N":""})"), HasSubstr("digits in a string as N"));
  EXPECT_THAT(message(R"({"B":"*"})"), HasSubstr("base64 as B"));
  EXPECT_THAT(message(R"({"BOOL":"true"})"), HasSubstr("as BOOL"));
  EXPECT_THAT(message(R"({"NULL":false})"), HasSubstr("true as NULL"));
  EXPECT_THAT(message(R"({"SS":"a"})"), HasSubstr("as SS"));
  EXPECT_THAT(message(R"({"NS":[1]})"), HasSubstr("as NS"));
  EXPECT_THAT(message(R"({"BS":["*"]})"), HasSubstr("as BS"));
  EXPECT_THAT(message(R"({"L":{}})"), HasSubstr("a list as L"));
  EXPECT_THAT(message(R"({"M":[]})"), HasSubstr("an object of attributes"));
  EXPECT_THAT(message(R"({"L":[{"S":1}]})"), HasSubstr("a string as S"));
  EXPECT_THAT(message(R"({"X":1})"), HasSubstr("one of the types"));
  EXPECT_THAT(message(R"({})"), HasSubstr("one member"));
  EXPECT_THAT(message(R"({"S":"a","N":"1"})"), HasSubstr("one member"));
  EXPECT_THAT(message("7"), HasSubstr("one member"));
}

TEST(AttributeValue, KeepsWholeNumbersAsDigitsAndTruthAsTruth) {
  EXPECT_EQ(AttributeValue(std::int64_t{-9007199254740993}).As<Number>()->digits,
            "-9007199254740993");
  EXPECT_NE(AttributeValue(true).As<bool>(), nullptr);
  EXPECT_EQ(AttributeValue(1).As<bool>(), nullptr);
}

}  // namespace
}  // namespace kelvin::aws
