#include "service/logs_fields.h"

#include <algorithm>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "service/logs_api.h"

namespace kelvin::service {

namespace json = boost::json;

namespace {

constexpr std::size_t kLongestName = 512;

[[noreturn]] void Refuse(std::string_view value, std::string_view field,
                         std::string_view constraint) {
  throw LogsError{"InvalidParameterException",
                  fmt::format("1 validation error detected: Value {} at '{}' failed to satisfy "
                              "constraint: {}",
                              value, field, constraint)};
}

[[noreturn]] void WrongKind(std::string_view field) {
  throw LogsError{"SerializationException", fmt::format("{} is of the wrong type", field)};
}

std::string Quoted(std::string_view text) {
  return fmt::format("'{}'", text);
}

bool IsGroupCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view(".-_/#").contains(c);
}

void CheckLength(std::string_view value, std::string_view field) {
  if (value.empty()) {
    Refuse(Quoted(value), field, "Member must have length greater than or equal to 1");
  }
  if (value.size() > kLongestName) {
    Refuse(Quoted(value), field, "Member must have length less than or equal to 512");
  }
}

std::string TextOf(const json::value& value, std::string_view field) {
  if (!value.is_string()) WrongKind(field);
  return {value.get_string().data(), value.get_string().size()};
}

}  // namespace

std::string LogGroupOfArn(std::string_view text) {
  constexpr std::string_view kGroup = ":log-group:";
  const std::size_t at = text.find(kGroup);
  if (!text.starts_with("arn:") || at == text.npos) return std::string(text);
  text.remove_prefix(at + kGroup.size());
  if (text.ends_with(":*")) text.remove_suffix(2);
  return std::string(text);
}

const json::value* LogsFields::Find(std::string_view field) const {
  const json::value* value = body_.if_contains(field);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::string LogsFields::Text(std::string_view field) const {
  const json::value* value = Find(field);
  if (value == nullptr) Refuse("null", field, "Member must not be null");
  return TextOf(*value, field);
}

std::optional<std::string> LogsFields::OptionalText(std::string_view field) const {
  const json::value* value = Find(field);
  if (value == nullptr) return std::nullopt;
  return TextOf(*value, field);
}

std::optional<std::int64_t> LogsFields::OptionalNumber(std::string_view field) const {
  const json::value* value = Find(field);
  if (value == nullptr) return std::nullopt;
  boost::system::error_code error;
  const auto number = value->to_number<std::int64_t>(error);
  if (error) WrongKind(field);
  return number;
}

bool LogsFields::Flag(std::string_view field) const {
  const json::value* value = Find(field);
  if (value == nullptr) return false;
  if (!value->is_bool()) WrongKind(field);
  return value->get_bool();
}

const json::array& LogsFields::Array(std::string_view field) const {
  const json::value* value = Find(field);
  if (value == nullptr) Refuse("null", field, "Member must not be null");
  if (!value->is_array()) WrongKind(field);
  return value->get_array();
}

std::vector<std::string> LogsFields::Texts(std::string_view field) const {
  std::vector<std::string> texts;
  if (!Has(field)) return texts;
  for (const json::value& value : Array(field)) texts.push_back(TextOf(value, field));
  return texts;
}

StringMap LogsFields::Map(std::string_view field) const {
  StringMap map;
  const json::value* value = Find(field);
  if (value == nullptr) return map;
  if (!value->is_object()) WrongKind(field);
  for (const auto& [key, text] : value->get_object()) {
    map.insert_or_assign(std::string(key), TextOf(text, field));
  }
  return map;
}

std::size_t LogsFields::Limit(std::size_t most) const {
  const auto limit = OptionalNumber("limit");
  if (!limit) return most;
  if (*limit < 1) {
    Refuse(Quoted(std::to_string(*limit)), "limit",
           "Member must have value greater than or equal to 1");
  }
  if (static_cast<std::uint64_t>(*limit) > most) {
    Refuse(Quoted(std::to_string(*limit)), "limit",
           fmt::format("Member must have value less than or equal to {}", most));
  }
  return static_cast<std::size_t>(*limit);
}

std::string LogsFields::Group() const {
  const auto identifier = OptionalText("logGroupIdentifier");
  std::string name =
      identifier && !Has("logGroupName") ? LogGroupOfArn(*identifier) : Text("logGroupName");
  CheckLength(name, "logGroupName");
  if (!std::ranges::all_of(name, IsGroupCharacter)) {
    Refuse(Quoted(name), "logGroupName",
           R"(Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+)");
  }
  return name;
}

std::string LogsFields::Stream() const {
  std::string name = Text("logStreamName");
  CheckLength(name, "logStreamName");
  const auto forbidden = [](char c) {
    return c == ':' || c == '*' || static_cast<unsigned char>(c) < ' ';
  };
  if (std::ranges::any_of(name, forbidden)) {
    Refuse(Quoted(name), "logStreamName", "Member must satisfy regular expression pattern: [^:*]*");
  }
  return name;
}

}  // namespace kelvin::service
