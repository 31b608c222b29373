// Events as callers send them: no input may crash the typed layer, and what it reads it can write.
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string_view>
#include <vector>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include "kelvin/json.h"

namespace {

enum class Colour { kRed, kBlue };
BOOST_DESCRIBE_ENUM(Colour, kRed, kBlue)

struct Item {
  std::string id;
  std::uint8_t quantity = 0;
  std::optional<Colour> colour;
  std::optional<kelvin::Uuid> uuid;
};
BOOST_DESCRIBE_STRUCT(Item, (), (id, quantity, colour, uuid))

struct Event {
  std::vector<Item> items;
  std::map<std::string, double> prices;
  std::optional<std::int64_t> count;
  std::optional<boost::json::value> rest;
};
BOOST_DESCRIBE_STRUCT(Event, (), (items, prices, count, rest))

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed =
      kelvin::json::Parse(std::string_view(reinterpret_cast<const char*>(data), size), {});
  if (!parsed) return 0;
  Event event;
  kelvin::json::Mismatch mismatch;
  if (!kelvin::json::Read(*parsed, event, kelvin::json::Path{}, mismatch)) {
    if (mismatch.error().message.empty()) std::abort();
    return 0;
  }
  const std::string written = kelvin::json::Serialize(boost::json::value_from(event));
  if (!kelvin::json::Parse(written, {})) std::abort();
  return 0;
}
