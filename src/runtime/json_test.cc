#include "kelvin/json.h"

#include <deque>
#include <map>
#include <unordered_map>
#include <vector>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kelvin::json {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

enum class Colour { kRed, kBlue };
BOOST_DESCRIBE_ENUM(Colour, kRed, kBlue)

struct Base {
  std::string id;
};
BOOST_DESCRIBE_STRUCT(Base, (), (id))

struct Item : Base {
  std::uint8_t quantity = 0;
  std::optional<Colour> colour;
};
BOOST_DESCRIBE_STRUCT(Item, (Base), (quantity, colour))

struct Basket {
  std::vector<Item> items;
  std::map<std::string, double> prices;
};
BOOST_DESCRIBE_STRUCT(Basket, (), (items, prices))

struct Degrees {
  double value = 0;
};
Degrees tag_invoke(boost::json::value_to_tag<Degrees>, const boost::json::value& json) {
  return {json.at("deg").to_number<double>()};
}

using Prices = std::map<std::string, int>;

template <typename T>
std::expected<T, std::string> ReadText(std::string_view text) {
  auto parsed = Parse(text, {});
  if (!parsed) return std::unexpected(parsed.error().message);
  T out{};
  Mismatch mismatch;
  if (!Read(*parsed, out, Path{}, mismatch)) return std::unexpected(mismatch.error().message);
  return out;
}

template <typename T>
std::string ErrorOf(std::string_view text) {
  const auto read = ReadText<T>(text);
  return read ? "it was read" : read.error();
}

TEST(Json, ReadsAWholeDocument) {
  const auto basket = ReadText<Basket>(
      R"({"items":[{"id":"a","quantity":2,"colour":"kBlue","new":1},{"id":"b","quantity":0}],
          "prices":{"a":1.5,"b":2}})");
  ASSERT_TRUE(basket) << basket.error();
  EXPECT_EQ(basket->items[0].id, "a");
  EXPECT_EQ(basket->items[0].quantity, 2);
  EXPECT_EQ(basket->items[0].colour, Colour::kBlue);
  EXPECT_EQ(basket->items[1].colour, std::nullopt);
  EXPECT_EQ(basket->prices.at("b"), 2.0);
}

TEST(Json, NamesThePlaceWhatWasExpectedAndWhatCame) {
  EXPECT_EQ(ErrorOf<Basket>(R"({"items":[{"id":"a","quantity":2},{"id":7}],"prices":{}})"),
            "$.items[1].id: expected a string, got 7");
  EXPECT_EQ(ErrorOf<Basket>(R"({"items":[{"id":"a","quantity":256}],"prices":{}})"),
            "$.items[0].quantity: expected an integer from 0 to 255, got 256");
  EXPECT_EQ(ErrorOf<Basket>(R"({"items":[]})"), "$.prices: expected a value, got nothing");
  EXPECT_EQ(ErrorOf<Basket>(R"({"items":{},"prices":{}})"),
            "$.items: expected an array, got an object of 0 members");
  EXPECT_EQ(ErrorOf<Basket>(R"({"items":[],"prices":{"a b":null}})"),
            "$.prices.a b: expected a number, got null");
  EXPECT_EQ(ErrorOf<Basket>("[1,2]"), "$: expected an object, got an array of 2");
  EXPECT_EQ(ErrorOf<std::vector<Colour>>(R"(["kGreen"])"),
            R"($[0]: expected one of "kRed" "kBlue", got the string "kGreen")");
  EXPECT_EQ(ErrorOf<bool>("0"), "$: expected true or false, got 0");
  EXPECT_EQ(ErrorOf<Prices>("true"), "$: expected an object, got true");
  EXPECT_EQ(ErrorOf<std::optional<std::string>>("1.5"), "$: expected a string, got 1.5");
  EXPECT_EQ(ErrorOf<Uuid>(R"("no")"), R"($: expected a UUID, got the string "no")");
  EXPECT_EQ(ErrorOf<Uuid>("{}"), "$: expected a UUID, got an object of 0 members");
  EXPECT_EQ(ErrorOf<boost::json::object>("[]"), "$: expected an object, got an array of 0");
  EXPECT_EQ(ErrorOf<boost::json::array>("{}"), "$: expected an array, got an object of 0 members");
}

TEST(Json, KnowsTheBoundsOfIntegers) {
  EXPECT_EQ(ReadText<std::int64_t>("-9223372036854775808"), std::int64_t{-9223372036854775807 - 1});
  EXPECT_EQ(ReadText<std::uint64_t>("18446744073709551615"), 18446744073709551615U);
  EXPECT_EQ(ReadText<std::int8_t>("-128"), -128);
  EXPECT_EQ(ErrorOf<std::int8_t>("-129"), "$: expected an integer from -128 to 127, got -129");
  EXPECT_THAT(ErrorOf<std::uint64_t>("-1"), HasSubstr("got -1"));
  EXPECT_THAT(ErrorOf<std::int64_t>("9223372036854775808"), HasSubstr("got 9223372036854775808"));
  EXPECT_THAT(ErrorOf<int>("18446744073709551616"), HasSubstr("expected an integer"));
}

TEST(Json, TakesAWholeNumberForAnIntegerHoweverItIsWritten) {
  EXPECT_EQ(ReadText<int>("3.0"), 3);
  EXPECT_EQ(ReadText<unsigned>("1e3"), 1000U);
  EXPECT_THAT(ErrorOf<int>("3.5"), HasSubstr("got 3.5"));
  EXPECT_THAT(ErrorOf<std::int64_t>("1e300"), HasSubstr("got 1e+300"));
}

TEST(Json, ReadsOtherContainersItsOwnValuesAndWhatBoostCanConvert) {
  EXPECT_EQ(ReadText<std::deque<int>>("[1,2]"), (std::deque<int>{1, 2}));
  EXPECT_EQ((ReadText<std::unordered_map<std::string, bool>>(R"({"a":true})")->at("a")), true);
  EXPECT_EQ(ReadText<boost::json::value>("[1]")->as_array().size(), 1U);
  EXPECT_EQ(ReadText<boost::json::object>(R"({"a":1})")->size(), 1U);
  EXPECT_EQ(ReadText<boost::json::array>("[1]")->size(), 1U);
  EXPECT_EQ(ReadText<Degrees>(R"({"deg":20})")->value, 20);
  EXPECT_EQ(ReadText<float>("2"), 2.0F);
}

TEST(Json, ShowsOnlyTheStartOfALongString) {
  const std::string text = "\"" + std::string(63, 'x') + "\xC3\xA9\xC3\xA9" + "\"";
  EXPECT_EQ(ErrorOf<int>(text),
            "$: expected an integer from -2147483648 to 2147483647, got the string \"" +
                std::string(63, 'x') + "...\"");
}

TEST(Json, SaysWhereBrokenJsonStops) {
  EXPECT_THAT(ErrorOf<int>(""), StartsWith("$: expected JSON, got nothing at byte 0"));
  EXPECT_THAT(ErrorOf<int>("nope"), StartsWith("$: expected JSON, got 'nope' at byte 0"));
  EXPECT_THAT(ErrorOf<int>(R"({"a":1)"), StartsWith("$: expected JSON, got its end at byte 6"));
  EXPECT_THAT(ErrorOf<int>("1 2"), StartsWith("$: expected JSON, got '2' at byte 2"));
  EXPECT_THAT(ErrorOf<int>("\"\xff\""), StartsWith("$: expected JSON, got"));
  EXPECT_THAT(ErrorOf<int>(std::string(300, '[')), HasSubstr("too deep"));
}

TEST(Json, ReadsBackWhatItWrites) {
  for (const std::string_view text :
       {R"({"a":[1,2.5E0,"x\u0007\n",true,null],"b":{}})", "[]", R"("")", "18446744073709551615"}) {
    const auto parsed = Parse(text, {});
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(Parse(Serialize(*parsed), {}).value(), *parsed) << text;
  }
}

}  // namespace
}  // namespace kelvin::json
