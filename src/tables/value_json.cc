#include "tables/value_json.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/encoding.h"
#include "http/message.h"

namespace kelvin::tables {
namespace {

namespace json = boost::json;

constexpr std::string_view kMapFound = "Start of structure or map found where not expected";
constexpr std::string_view kAttributeValueClass = "com.amazonaws.dynamodb.v20120810.AttributeValue";

constexpr std::string_view kNoName = "Empty attribute name";
constexpr std::string_view kTooDeep =
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels "
    "beyond supported limit";

Outcome<Value> ReadNested(const json::value& json, int depth);
Outcome<Item> ReadNestedItem(const json::object& json, int depth);

Outcome<std::string> ReadString(const json::value& json) {
  if (const auto* text = json.if_string()) return std::string(*text);
  return Unserializable(WrongScalar(json, "String"));
}

Outcome<bool> ReadBoolean(const json::value& json) {
  const auto flag = BooleanOf(json);
  if (flag) return *flag;
  if (json.is_string()) return Unserializable("Unexpected token received from parser");
  return Unserializable(WrongScalar(json, "Boolean"));
}

Outcome<Number> ReadNumber(const json::value& json) {
  const auto* text = json.if_string();
  if (!text) return Unserializable(WrongScalar(json, "String"));
  const auto number = Number::Parse(*text);
  if (!number) return Invalid(NumberMessage(number.error(), *text));
  return *number;
}

Outcome<Binary> ReadBinary(const json::value& json) {
  const auto* text = json.if_string();
  if (json.is_array()) {
    return Unserializable("Unrecognized collection type class java.nio.ByteBuffer");
  }
  if (json.is_object()) return Unserializable(std::string(kMapFound));
  if (!text) return Unserializable("only base-64-encoded strings are convertible to bytes");
  if (text->size() % 4 != 0) {
    return Unserializable(fmt::format(
        "Base64 encoded length is expected a multiple of 4 bytes but found: {}", text->size()));
  }
  auto bytes = Base64Decode(*text);
  if (bytes) return Binary{std::move(*bytes)};
  const auto is_base64 = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/' || c == '=';
  };
  const auto bad = std::ranges::find_if_not(*text, is_base64);
  if (bad != text->end()) {
    return Unserializable(fmt::format("Invalid Base64 character: '{}'", *bad));
  }
  return Unserializable("Invalid last non-pad Base64 character dectected");  // as spelt there
}

Outcome<const json::array*> ReadArray(const json::value& json) {
  if (const auto* array = json.if_array()) return array;
  if (json.is_object()) return Unserializable(std::string(kMapFound));
  return Unserializable("Unexpected field type");
}

// The words for what breaks the rules of sets, by type of member.
struct SetRules {
  std::string_view empty_set;
  std::string_view duplicates_prefix;
  std::string_view duplicates_suffix;
};
constexpr SetRules kStringSetRules = {
    "One or more parameter values were invalid: An string set  may not be empty",
    "One or more parameter values were invalid: Input collection ", " contains duplicates."};
constexpr SetRules kNumberSetRules = {
    "One or more parameter values were invalid: An number set  may not be empty",
    "Input collection contains duplicates", ""};
constexpr SetRules kBinarySetRules = {
    "One or more parameter values were invalid: Binary sets should not be empty",
    "One or more parameter values were invalid: Input collection ",
    "of type BS contains duplicates."};

std::string DuplicatesMessage(const SetRules& rules, const json::array& array) {
  std::string message(rules.duplicates_prefix);
  if (rules.duplicates_suffix.empty()) return message;
  std::vector<std::string_view> members;
  for (const auto& member : array) members.emplace_back(member.get_string());
  return message + fmt::format("[{}]", fmt::join(members, ", ")) +
         std::string(rules.duplicates_suffix);
}

template <typename T>
Outcome<Value> ReadSet(const json::value& json, Outcome<T> (*read_member)(const json::value&),
                       const SetRules& rules) {
  const auto array = ReadArray(json);
  if (!array) return std::unexpected(array.error());
  if ((*array)->empty()) return Invalid(std::string(rules.empty_set));
  SetOf<T> set;
  set.members.reserve((*array)->size());
  for (const auto& element : **array) {
    auto member = read_member(element);
    if (!member) return std::unexpected(std::move(member.error()));
    set.members.push_back(std::move(*member));
  }
  std::ranges::sort(set.members);
  if (std::ranges::adjacent_find(set.members) != set.members.end()) {
    return Invalid(DuplicatesMessage(rules, **array));
  }
  return Value(std::move(set));
}

Outcome<Value> ReadList(const json::value& json, int depth) {
  const auto array = ReadArray(json);
  if (!array) return std::unexpected(array.error());
  Value::List list;
  list.reserve((*array)->size());
  for (const auto& element : **array) {
    auto value = ReadNested(element, depth + 1);
    if (!value) return value;
    list.push_back(std::move(*value));
  }
  return Value(std::move(list));
}

Outcome<Value> ReadMap(const json::value& json, int depth) {
  const auto* object = json.if_object();
  if (json.is_array()) {
    return Unserializable(fmt::format(
        "Unrecognized collection type java.util.Map<java.lang.String, {}>", kAttributeValueClass));
  }
  if (!object) return Unserializable("Unexpected field type");
  auto map = ReadNestedItem(*object, depth + 1);
  if (!map) return std::unexpected(std::move(map.error()));
  return Value(std::move(*map));
}

Outcome<Value> ReadNull(const json::value& json) {
  const auto flag = ReadBoolean(json);
  if (!flag) return std::unexpected(flag.error());
  if (*flag) return Value(Null{});
  return InvalidParameter("Null attribute value types must have the value of true");
}

template <typename T>
Outcome<Value> Wrapped(Outcome<T> read) {
  if (!read) return std::unexpected(std::move(read.error()));
  return Value(std::move(*read));
}

Outcome<Value> ReadTyped(ValueType type, const json::value& json, int depth) {
  switch (type) {
    case ValueType::kString:
      return Wrapped(ReadString(json));
    case ValueType::kNumber:
      return Wrapped(ReadNumber(json));
    case ValueType::kBinary:
      return Wrapped(ReadBinary(json));
    case ValueType::kBoolean:
      return Wrapped(ReadBoolean(json));
    case ValueType::kNull:
      return ReadNull(json);
    case ValueType::kList:
      return ReadList(json, depth);
    case ValueType::kMap:
      return ReadMap(json, depth);
    case ValueType::kStringSet:
      return ReadSet<std::string>(json, ReadString, kStringSetRules);
    case ValueType::kNumberSet:
      return ReadSet<Number>(json, ReadNumber, kNumberSetRules);
    case ValueType::kBinarySet:
      return ReadSet<Binary>(json, ReadBinary, kBinarySetRules);
  }
  std::unreachable();
}

// A value of several types: what is wrong with one of them is said before that there are several.
Outcome<Value> ReadAmbiguous(const json::object& json, int depth) {
  for (const auto& member : json) {
    const auto type = TypeOfCode(member.key());
    if (!type || member.value().is_null()) continue;
    if (auto value = ReadTyped(*type, member.value(), depth); !value) return value;
  }
  return Invalid(
      "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the "
      "supported datatypes");
}

Outcome<Value> ReadNested(const json::value& json, int depth) {
  if (json.is_array()) {
    return Unserializable(
        fmt::format("Unrecognized collection type class {}", kAttributeValueClass));
  }
  const auto* object = json.if_object();
  if (!object && !json.is_null()) return Unserializable("Unexpected value type in payload");
  if (depth >= kMaxNesting) {
    return Invalid(std::string(kTooDeep));
  }
  const json::key_value_pair* found = nullptr;
  std::optional<ValueType> type;
  int types = 0;
  if (object) {
    for (const auto& member : *object) {
      const auto member_type = TypeOfCode(member.key());
      if (!member_type || member.value().is_null()) continue;
      ++types;
      found = &member;
      type = member_type;
    }
  }
  if (types == 0) {
    return Invalid(
        "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes");
  }
  if (types > 1) return ReadAmbiguous(*object, depth);
  return ReadTyped(*type, found->value(), depth);
}

Outcome<Item> ReadNestedItem(const json::object& json, int depth) {
  Item item;
  item.Reserve(json.size());
  // Of an item's own names this is said first; of those within, when all values are known to be
  // not too deep.
  const auto nameless = json.find("");
  if (nameless != json.end() && depth == 0) return Invalid(std::string(kNoName));
  for (const auto& member : json) {
    if (member.key().size() > kMaxNameBytes) {
      return InvalidParameter("Attribute name is too large, must be less than 65536 bytes");
    }
    auto value = ReadNested(member.value(), depth);
    if (!value) return std::unexpected(std::move(value.error()));
    item.Append(std::string(member.key()), std::move(*value));
  }
  item.Sort();
  if (item.Find("") != nullptr) return Invalid(std::string(kNoName));
  return item;
}

struct ValueWriter {
  JsonWriter& json;

  void operator()(const std::string& text) const { json.String(text); }
  void operator()(const Number& number) const { json.Quoted(number.ToString()); }
  void operator()(const Binary& binary) const { json.Quoted(Base64Encode(binary.bytes)); }
  void operator()(bool flag) const { json.Boolean(flag); }
  void operator()(const Null&) const { json.Boolean(true); }
  void operator()(const AttributeMap& map) const { WriteItem(json, map); }
  void operator()(const Value::List& list) const {
    json.BeginArray();
    for (const Value& value : list) WriteValue(json, value);
    json.EndArray();
  }
  template <typename T>
  void operator()(const SetOf<T>& set) const {
    json.BeginArray();
    for (const T& member : set.members) (*this)(member);
    json.EndArray();
  }
};

// Whether a value of these attributes is nested deeper than it may be.
bool IsTooDeep(const json::object& attributes, int depth) {
  if (depth >= kMaxNesting) return true;
  return std::ranges::any_of(attributes, [&](const auto& attribute) {
    const auto* value = attribute.value().if_object();
    if (value == nullptr) return false;
    const auto* map = value->if_contains("M");
    if (map != nullptr && map->is_object()) return IsTooDeep(map->get_object(), depth + 1);
    const auto* list = value->if_contains("L");
    if (list == nullptr || !list->is_array()) return false;
    return std::ranges::any_of(list->get_array(), [&](const json::value& element) {
      return IsTooDeep(json::object{{"", element}}, depth + 1);
    });
  });
}

std::optional<std::string> WrongTypeOf(ValueType type, const json::value& json);

std::optional<std::string> WrongTypeInList(const json::value& json,
                                           std::optional<std::string> (*of)(const json::value&)) {
  const auto array = ReadArray(json);
  if (!array) return array.error().message;
  for (const auto& element : **array) {
    if (auto wrong = of(element)) return wrong;
  }
  return std::nullopt;
}

template <typename T>
std::optional<std::string> WrongTypeBy(const Outcome<T>& read) {
  if (read || read.error().kind != FailureKind::kSerialization) return std::nullopt;
  return read.error().message;
}

std::optional<std::string> WrongString(const json::value& json) {
  return json.is_null() ? std::nullopt : WrongTypeBy(ReadString(json));
}
std::optional<std::string> WrongBinary(const json::value& json) {
  return json.is_null() ? std::nullopt : WrongTypeBy(ReadBinary(json));
}

std::optional<std::string> WrongTypeOf(ValueType type, const json::value& json) {
  switch (type) {
    case ValueType::kString:
    case ValueType::kNumber:
      return WrongString(json);
    case ValueType::kBinary:
      return WrongBinary(json);
    case ValueType::kBoolean:
    case ValueType::kNull:
      return WrongTypeBy(ReadBoolean(json));
    case ValueType::kStringSet:
    case ValueType::kNumberSet:
      return WrongTypeInList(json, WrongString);
    case ValueType::kBinarySet:
      return WrongTypeInList(json, WrongBinary);
    case ValueType::kList:
      return WrongTypeInList(json, WrongTypeIn);
    case ValueType::kMap: {
      if (!json.is_object()) return WrongTypeBy(ReadMap(json, 0));
      return WrongTypeInItem(json.get_object());
    }
  }
  std::unreachable();
}

}  // namespace

std::optional<bool> BooleanOf(const json::value& json) {
  if (const auto* flag = json.if_bool()) return *flag;
  const auto* text = json.if_string();
  if (text == nullptr) return std::nullopt;
  for (const std::string_view yes : {"true", "1", "yes"}) {
    if (http::EqualsIgnoringCase(*text, yes)) return true;
  }
  for (const std::string_view no : {"false", "0", "no"}) {
    if (http::EqualsIgnoringCase(*text, no)) return false;
  }
  return std::nullopt;
}

std::optional<std::string> WrongTypeIn(const json::value& json) {
  const auto* object = json.if_object();
  if (object == nullptr) return json.is_null() ? std::nullopt : WrongTypeBy(ReadNested(json, 0));
  constexpr std::array<std::string_view, 10> kOrder = {"S",  "B",  "N",  "BOOL", "NULL",
                                                       "BS", "NS", "SS", "L",    "M"};
  for (const std::string_view code : kOrder) {
    const auto* member = object->if_contains(code);
    if (member == nullptr || member->is_null()) continue;
    if (auto wrong = WrongTypeOf(*TypeOfCode(code), *member)) return wrong;
  }
  return std::nullopt;
}

std::optional<std::string> WrongTypeInItem(const json::object& json) {
  for (const auto& member : json) {
    if (auto wrong = WrongTypeIn(member.value())) return wrong;
  }
  return std::nullopt;
}

std::string WrongScalar(const json::value& json, std::string_view wanted) {
  switch (json.kind()) {
    case json::kind::array:
      return fmt::format("Unrecognized collection type class java.lang.{}", wanted);
    case json::kind::object:
      return std::string(kMapFound);
    case json::kind::bool_:
      return fmt::format("{} cannot be converted to {}",
                         json.get_bool() ? "TRUE_VALUE" : "FALSE_VALUE", wanted);
    case json::kind::double_:
      return fmt::format("DECIMAL_VALUE cannot be converted to {}", wanted);
    case json::kind::string:
      return fmt::format("STRING_VALUE cannot be converted to {}", wanted);
    default:
      return fmt::format("NUMBER_VALUE cannot be converted to {}", wanted);
  }
}

std::string NumberMessage(NumberError error, std::string_view text) {
  switch (error) {
    case NumberError::kNotANumber:
      return text.empty()
                 ? "The parameter cannot be converted to a numeric value"
                 : fmt::format("The parameter cannot be converted to a numeric value: {}", text);
    case NumberError::kOverflow:
      return "Number overflow. Attempting to store a number with magnitude larger than supported "
             "range";
    case NumberError::kUnderflow:
      return "Number underflow. Attempting to store a number with magnitude smaller than "
             "supported range";
    case NumberError::kTooManyDigits:
      return "Attempting to store more than 38 significant digits in a Number";
  }
  std::unreachable();
}

Outcome<Value> ReadValue(const json::value& json) {
  auto read = ReadNested(json, 0);
  if (read || read.error().kind == FailureKind::kSerialization) return read;
  if (auto wrong = WrongTypeIn(json)) return Unserializable(std::move(*wrong));
  return read;
}

Outcome<Item> ReadItem(const json::object& json) {
  auto read = ReadNestedItem(json, 0);
  if (read || read.error().kind == FailureKind::kSerialization) return read;
  if (auto wrong = WrongTypeInItem(json)) return Unserializable(std::move(*wrong));
  const bool nameless_within = read.error().message == kNoName && !json.contains("");
  if (nameless_within && IsTooDeep(json, 0)) return Invalid(std::string(kTooDeep));
  return read;
}

void WriteValue(JsonWriter& json, const Value& value) {
  json.BeginObject();
  json.Key(TypeCode(value.type()));
  std::visit(ValueWriter{json}, value.variant());
  json.EndObject();
}

void WriteItem(JsonWriter& json, const Item& item) {
  json.BeginObject();
  for (const auto& [name, value] : item) {
    json.Key(name);
    WriteValue(json, value);
  }
  json.EndObject();
}

}  // namespace kelvin::tables
