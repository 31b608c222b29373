#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace kelvin::aws {

class AttributeValue;

// DynamoDB's ten types. A text is a std::string; the others are told apart by name.
struct Number {
  std::string digits;  // as sent: up to 38 significant digits do not fit any C++ number
  friend bool operator==(const Number&, const Number&) = default;
};
struct Binary {
  std::string bytes;
  friend bool operator==(const Binary&, const Binary&) = default;
};
struct Null {
  friend bool operator==(const Null&, const Null&) = default;
};
struct StringSet {
  std::vector<std::string> values;
  friend bool operator==(const StringSet&, const StringSet&) = default;
};
struct NumberSet {
  std::vector<std::string> values;  // digits
  friend bool operator==(const NumberSet&, const NumberSet&) = default;
};
struct BinarySet {
  std::vector<std::string> values;  // bytes
  friend bool operator==(const BinarySet&, const BinarySet&) = default;
};
using List = std::vector<AttributeValue>;
using Map = std::map<std::string, AttributeValue, std::less<>>;

// A table's item, or a part of one such as its key: attributes by name.
using Item = Map;

// The value of an attribute:
//   Item item{{"Id", "42"}, {"Price", 1250}, {"Sold", false}};
//   if (const auto* id = item.at("Id").As<std::string>()) ...
class AttributeValue {
 public:
  using Variant = std::variant<std::string, Number, Binary, bool, Null, StringSet, NumberSet,
                               BinarySet, List, Map>;

  AttributeValue() : value_(Null{}) {}
  AttributeValue(std::string text) : value_(std::move(text)) {}
  AttributeValue(std::string_view text) : value_(std::string(text)) {}
  AttributeValue(const char* text) : value_(std::string(text)) {}
  template <std::same_as<bool> T>
  AttributeValue(T truth) : value_(truth) {}
  template <std::integral T>
    requires(!std::same_as<T, bool> && !std::same_as<T, char>)
  AttributeValue(T number) : value_(Number{std::to_string(number)}) {}
  AttributeValue(Number number) : value_(std::move(number)) {}
  AttributeValue(Binary binary) : value_(std::move(binary)) {}
  AttributeValue(Null null) : value_(null) {}
  AttributeValue(StringSet set) : value_(std::move(set)) {}
  AttributeValue(NumberSet set) : value_(std::move(set)) {}
  AttributeValue(BinarySet set) : value_(std::move(set)) {}
  AttributeValue(List list) : value_(std::move(list)) {}
  AttributeValue(Map map) : value_(std::move(map)) {}

  const Variant& value() const { return value_; }
  // The value as a T of the variant, or null when it is another type.
  template <typename T>
  const T* As() const {
    return std::get_if<T>(&value_);
  }
  friend bool operator==(const AttributeValue&, const AttributeValue&) = default;

 private:
  Variant value_;
};

}  // namespace kelvin::aws
