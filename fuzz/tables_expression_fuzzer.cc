// The first byte chooses the kind of expression; the rest is its text.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <boost/json.hpp>

#include "tables/condition.h"
#include "tables/parser.h"
#include "tables/schema.h"
#include "tables/update.h"
#include "tables/value_json.h"

namespace {

using namespace kelvin::tables;

const boost::json::value& Names() {
  static const boost::json::value names = boost::json::parse(R"({"#a": "a", "#m": "m"})");
  return names;
}

const boost::json::value& Values() {
  static const boost::json::value values = boost::json::parse(
      R"({":s": {"S": "x"}, ":n": {"N": "1"}, ":l": {"L": [{"N": "2"}]}, ":ss": {"SS": ["x"]}})");
  return values;
}

const Item& Sample() {
  static const Item item = *ReadItem(boost::json::parse(R"({"a": {"S": "xy"}, "n": {"N": "5"},
      "l": {"L": [{"N": "1"}, {"M": {"x": {"S": "y"}}}]}, "m": {"M": {"k": {"N": "1"}}},
      "t": {"SS": ["x", "y"]}})")
                                         .as_object());
  return item;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  Placeholders placeholders = *Placeholders::Read(&Names(), &Values());
  if (data[0] % 3 == 0) {
    if (const auto condition = ParseCondition(text, "FilterExpression", placeholders)) {
      (void)Holds(*condition, Sample());
      const KeySchema schema{{"a", ValueType::kString}, {{"n", ValueType::kNumber}}};
      (void)ReadKeyCondition(*condition, schema, SortLayout::kTable);
      (void)ReadKeyCondition(*condition, schema, SortLayout::kIndex);
    }
  } else if (data[0] % 3 == 1) {
    if (const auto paths = ParseProjection(text, placeholders)) {
      std::vector<const Path*> pointers;
      for (const Path& path : *paths) pointers.push_back(&path);
      if (SizeOf(Project(Sample(), pointers)) > SizeOf(Sample())) std::abort();
    }
  } else if (const auto update = ParseUpdate(text, placeholders)) {
    (void)Apply(*update, Sample());
  }
  return 0;
}
