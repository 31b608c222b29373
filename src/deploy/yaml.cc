#include "deploy/yaml.h"

#include <algorithm>

namespace kelvin::deploy {
namespace {

namespace json = boost::json;

bool IsPlain(std::string_view text) {
  constexpr std::string_view kWords[] = {"true", "false", "yes", "no", "on",
                                         "off",  "null",  "y",   "n"};
  if (text.empty() || std::ranges::find(kWords, text) != std::end(kWords)) return false;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (!letter(text.front()) && text.front() != '/') return false;
  return std::ranges::all_of(text, [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '/';
  });
}

std::string Scalar(const json::value& value) {
  const json::string* text = value.if_string();
  if (text != nullptr && IsPlain(*text)) return std::string(*text);
  return json::serialize(value);  // what JSON quotes, YAML reads
}

bool IsEmpty(const json::value& value) {
  return (value.is_object() && value.as_object().empty()) ||
         (value.is_array() && value.as_array().empty());
}
bool IsBlock(const json::value& value) {
  return (value.is_object() || value.is_array()) && !IsEmpty(value);
}

void Write(const json::value& value, std::size_t indent, std::string& out) {
  const std::string margin(indent, ' ');
  if (const json::object* object = value.if_object()) {
    for (const auto& [key, item] : *object) {
      out += margin + Scalar(json::string(key)) + ':';
      if (IsBlock(item)) {
        out += '\n';
        Write(item, indent + 2, out);
      } else {
        out += ' ' + Scalar(item) + '\n';
      }
    }
  } else if (const json::array* array = value.if_array()) {
    for (const json::value& item : *array) {
      if (!IsBlock(item)) {
        out += margin + "- " + Scalar(item) + '\n';
        continue;
      }
      std::string inner;
      Write(item, indent + 2, inner);
      inner.replace(0, indent + 2, margin + "- ");
      out += inner;
    }
  }
}

void WriteJson(const json::value& value, std::size_t indent, std::string& out) {
  const std::string margin(indent + 2, ' ');
  const auto separated = [&](char open, char close, std::size_t size, auto write_item) {
    out += open;
    for (std::size_t i = 0; i < size; ++i) {
      out += (i == 0 ? "\n" : ",\n") + margin;
      write_item(i);
    }
    out += '\n' + std::string(indent, ' ') + close;
  };
  if (IsEmpty(value) || !IsBlock(value)) {
    out += json::serialize(value);
  } else if (const json::object* object = value.if_object()) {
    auto at = object->begin();
    separated('{', '}', object->size(), [&](std::size_t) {
      out += json::serialize(json::string(at->key())) + ": ";
      WriteJson(at->value(), indent + 2, out);
      ++at;
    });
  } else {
    const json::array& array = value.as_array();
    separated('[', ']', array.size(), [&](std::size_t i) { WriteJson(array[i], indent + 2, out); });
  }
}

}  // namespace

std::string Yaml(const json::value& value) {
  std::string out;
  Write(value, 0, out);
  return out;
}

std::string PrettyJson(const json::value& value) {
  std::string out;
  WriteJson(value, 0, out);
  return out + '\n';
}

}  // namespace kelvin::deploy
