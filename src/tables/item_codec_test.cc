#include "tables/item_codec.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tables/value_json.h"

namespace kelvin::tables {
namespace {

Item EveryType() {
  const auto json = boost::json::parse(R"({
    "s": {"S": "te\"xt\n"}, "empty": {"S": ""}, "n": {"N": "-12.50"}, "b": {"B": "AAEC/w=="},
    "t": {"BOOL": true}, "f": {"BOOL": false}, "z": {"NULL": true},
    "l": {"L": [{"N": "1"}, {"L": []}, {"M": {}}]},
    "m": {"M": {"inner": {"M": {"x": {"S": "y"}}}}},
    "ss": {"SS": ["b", "a"]}, "ns": {"NS": ["2", "1.0", "-3"]}, "bs": {"BS": ["AQ==", "AA=="]}})");
  return *ReadItem(json.as_object());
}

TEST(ItemCodec, ReadsBackEveryType) {
  const Item item = EveryType();
  EXPECT_EQ(DecodeItem(EncodeItem(item)), item);
}

TEST(ItemCodec, WritesTheSameJsonAndSizeWithoutDecoding) {
  const Item item = EveryType();
  std::string from_values;
  JsonWriter values(from_values);
  WriteItem(values, item);
  std::string from_bytes;
  JsonWriter bytes(from_bytes);
  EXPECT_EQ(WriteEncodedItem(bytes, EncodeItem(item)), SizeOf(item));
  EXPECT_EQ(from_bytes, from_values);
  EXPECT_EQ(*ReadItem(boost::json::parse(from_bytes).as_object()), item);
}

TEST(ItemCodec, NoticesThatBytesAreMissing) {
  const std::string bytes = EncodeItem(EveryType());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(DecodeItem(bytes.substr(0, length)).has_value()) << length;
    std::string out;
    JsonWriter json(out);
    EXPECT_FALSE(WriteEncodedItem(json, bytes.substr(0, length)).has_value()) << length;
  }
}

TEST(ItemCodec, SurvivesAnyFlippedBit) {
  const std::string bytes = EncodeItem(EveryType());
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    (void)DecodeItem(damaged);
    std::string out;
    JsonWriter json(out);
    (void)WriteEncodedItem(json, damaged);
  }
}

TEST(Value, IsCountedAsTheProtocolCounts) {
  const auto size = [](const char* json) {
    return SizeOf(*ReadItem(boost::json::parse(json).as_object()));
  };
  EXPECT_EQ(size(R"({"ab": {"S": "abc"}})"), 5U);
  EXPECT_EQ(size(R"({"a": {"N": "123"}})"), 4U);
  EXPECT_EQ(size(R"({"a": {"N": "0"}})"), 2U);
  EXPECT_EQ(size(R"({"a": {"BOOL": true}, "b": {"NULL": true}})"), 4U);
  EXPECT_EQ(size(R"({"a": {"L": []}})"), 4U);
  EXPECT_EQ(size(R"({"a": {"L": [{"S": "x"}]}})"), 6U);
  EXPECT_EQ(size(R"({"a": {"M": {"k": {"S": "x"}}}})"), 7U);
  EXPECT_EQ(size(R"({"a": {"B": "AAEC"}})"), 4U);
}

}  // namespace
}  // namespace kelvin::tables
