#include "aws/attribute_json.h"

#include <array>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/encoding.h"

namespace kelvin::aws {
namespace {

namespace json = boost::json;
using Parsed = std::expected<AttributeValue, Error>;

std::unexpected<Error> Corrupt(std::string_view expected) {
  return std::unexpected(
      Error{ErrorCode::kCorrupt,
            fmt::format("expected {} in an attribute value, got something else", expected)});
}

template <typename Range, typename Write>
void AppendList(std::string& out, const Range& range, Write write) {
  out += '[';
  bool first = true;
  for (const auto& element : range) {
    if (!first) out += ',';
    first = false;
    write(element);
  }
  out += ']';
}

// Writes {"TYPE":value}.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void operator()(const std::string& text) { Text("S", text); }
  void operator()(const Number& number) { Text("N", number.digits); }
  void operator()(const Binary& binary) { Text("B", Base64Encode(binary.bytes)); }
  void operator()(bool truth) { out_.append(truth ? R"({"BOOL":true})" : R"({"BOOL":false})"); }
  void operator()(const Null&) { out_.append(R"({"NULL":true})"); }
  void operator()(const StringSet& set) {
    Texts("SS", set.values, [](const std::string& text) { return std::string_view(text); });
  }
  void operator()(const NumberSet& set) {
    Texts("NS", set.values, [](const std::string& text) { return std::string_view(text); });
  }
  void operator()(const BinarySet& set) { Texts("BS", set.values, Base64Encode); }
  void operator()(const List& list) {
    Open("L");
    AppendList(out_, list, [&](const AttributeValue& value) { AppendJson(out_, value); });
    out_ += '}';
  }
  void operator()(const Map& map) {
    Open("M");
    AppendJson(out_, map);
    out_ += '}';
  }

 private:
  void Open(std::string_view type) { out_.append("{\"").append(type).append("\":"); }
  void Text(std::string_view type, std::string_view text) {
    Open(type);
    AppendJsonText(out_, text);
    out_ += '}';
  }
  template <typename Encode>
  void Texts(std::string_view type, const std::vector<std::string>& texts, Encode encode) {
    Open(type);
    AppendList(out_, texts, [&](const std::string& text) { AppendJsonText(out_, encode(text)); });
    out_ += '}';
  }

  std::string& out_;
};

Parsed FromText(const json::value& json) {
  if (!json.is_string()) return Corrupt("a string as S");
  return std::string_view(json.get_string());
}

Parsed FromNumber(const json::value& json) {
  if (!json.is_string() || json.get_string().empty()) return Corrupt("digits in a string as N");
  return Number{std::string(json.get_string())};
}

Parsed FromBinary(const json::value& json) {
  auto bytes = json.is_string() ? Base64Decode(json.get_string()) : std::unexpected(Error{});
  if (!bytes) return Corrupt("base64 as B");
  return Binary{std::move(*bytes)};
}

Parsed FromBool(const json::value& json) {
  if (!json.is_bool()) return Corrupt("true or false as BOOL");
  return json.get_bool();
}

Parsed FromNull(const json::value& json) {
  if (!json.is_bool() || !json.get_bool()) return Corrupt("true as NULL");
  return Null{};
}

// A set of texts; `decode` gives an expected text from each.
template <typename Set, typename Decode>
Parsed FromTexts(const json::value& json, std::string_view expected, Decode decode) {
  if (!json.is_array()) return Corrupt(expected);
  Set set;
  for (const json::value& element : json.get_array()) {
    if (!element.is_string()) return Corrupt(expected);
    std::expected<std::string, Error> text = decode(std::string_view(element.get_string()));
    if (!text) return Corrupt(expected);
    set.values.push_back(std::move(*text));
  }
  return set;
}

std::expected<std::string, Error> Unchanged(std::string_view text) {
  return std::string(text);
}

Parsed FromStringSet(const json::value& json) {
  return FromTexts<StringSet>(json, "a list of strings as SS", Unchanged);
}
Parsed FromNumberSet(const json::value& json) {
  return FromTexts<NumberSet>(json, "a list of digits in strings as NS", Unchanged);
}
Parsed FromBinarySet(const json::value& json) {
  return FromTexts<BinarySet>(json, "a list of base64 as BS", Base64Decode);
}

// The parser's limit on depth bounds the recursion through lists and maps.
Parsed FromList(const json::value& json) {
  if (!json.is_array()) return Corrupt("a list as L");
  List list;
  for (const json::value& element : json.get_array()) {
    auto value = AttributeValueFromJson(element);
    if (!value) return value;
    list.push_back(std::move(*value));
  }
  return list;
}

Parsed FromMap(const json::value& json) {
  auto map = ItemFromJson(json);
  if (!map) return std::unexpected(std::move(map.error()));
  return std::move(*map);
}

struct TypeReader {
  std::string_view type;
  Parsed (*read)(const json::value& json);
};

constexpr std::array<TypeReader, 10> kReaders = {{{"S", FromText},
                                                  {"N", FromNumber},
                                                  {"B", FromBinary},
                                                  {"BOOL", FromBool},
                                                  {"NULL", FromNull},
                                                  {"SS", FromStringSet},
                                                  {"NS", FromNumberSet},
                                                  {"BS", FromBinarySet},
                                                  {"L", FromList},
                                                  {"M", FromMap}}};

}  // namespace

void AppendJsonText(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.append("\\").push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out.append("\\u00").push_back(kHex[static_cast<unsigned char>(c) >> 4]);
      out.push_back(kHex[c & 15]);
    } else {
      out += c;
    }
  }
  out += '"';
}

void AppendJson(std::string& out, const AttributeValue& value) {
  std::visit(Writer(out), value.value());
}

void AppendJson(std::string& out, const Item& item) {
  out += '{';
  bool first = true;
  for (const auto& [name, value] : item) {
    if (!first) out += ',';
    first = false;
    AppendJsonText(out, name);
    out += ':';
    AppendJson(out, value);
  }
  out += '}';
}

std::expected<AttributeValue, Error> AttributeValueFromJson(const json::value& json) {
  const json::object* object = json.if_object();
  if (object == nullptr || object->size() != 1)
    return Corrupt("an object of one member, its type,");
  const auto& member = *object->begin();
  for (const TypeReader& reader : kReaders) {
    if (reader.type == std::string_view(member.key())) return reader.read(member.value());
  }
  return Corrupt("one of the types S, N, B, BOOL, NULL, SS, NS, BS, L and M");
}

std::expected<Item, Error> ItemFromJson(const json::value& json) {
  const json::object* object = json.if_object();
  if (object == nullptr) return Corrupt("an object of attributes");
  Item item;
  for (const auto& member : *object) {
    auto value = AttributeValueFromJson(member.value());
    if (!value) return std::unexpected(std::move(value.error()));
    item.emplace(member.key(), std::move(*value));
  }
  return item;
}

}  // namespace kelvin::aws
