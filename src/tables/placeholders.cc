#include "tables/placeholders.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tables/value_json.h"

namespace kelvin::tables {
namespace {

namespace json = boost::json;

bool IsPlaceholder(std::string_view key, char mark) {
  const auto is_part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return key.size() > 1 && key[0] == mark && std::ranges::all_of(key.substr(1), is_part);
}

// The members of a map, once its own shape and its keys are as they must be.
Outcome<const json::object*> ReadMap(const json::value& json, std::string_view parameter, char mark,
                                     std::string_view element_class) {
  if (json.is_array()) {
    return Unserializable(fmt::format(
        "Unrecognized collection type java.util.Map<java.lang.String, {}>", element_class));
  }
  const auto* object = json.if_object();
  if (!object) return Unserializable("Unexpected field type");
  if (object->empty()) return Invalid(fmt::format("{} must not be empty", parameter));
  for (const auto& member : *object) {
    if (IsPlaceholder(member.key(), mark)) continue;
    return Invalid(fmt::format("{} contains invalid key: Syntax error; key: \"{}\"", parameter,
                               std::string_view(member.key())));
  }
  return object;
}

template <typename Entries>
Outcome<void> CheckUsed(const Entries& entries, std::string_view parameter) {
  std::vector<std::string_view> unused;
  for (const auto& entry : entries) {
    if (!entry.used) unused.push_back(entry.token);
  }
  if (unused.empty()) return {};
  return Invalid(fmt::format("Value provided in {} unused in expressions: keys: {{{}}}", parameter,
                             fmt::join(unused, ", ")));
}

template <typename Entries>
auto* FindEntry(Entries& entries, std::string_view token) {
  for (auto& entry : entries) {
    if (entry.token != token) continue;
    entry.used = true;
    return &std::as_const(entry.meaning);
  }
  return static_cast<decltype(&std::as_const(entries[0].meaning))>(nullptr);
}

}  // namespace

Outcome<Placeholders> Placeholders::Read(const json::value* names, const json::value* values) {
  Placeholders placeholders;
  if (names != nullptr && !names->is_null()) {
    if (auto read = placeholders.ReadNames(*names); !read) {
      return std::unexpected(std::move(read.error()));
    }
  }
  if (values != nullptr && !values->is_null()) {
    if (auto read = placeholders.ReadValues(*values); !read) {
      return std::unexpected(std::move(read.error()));
    }
  }
  return placeholders;
}

Outcome<void> Placeholders::ReadNames(const json::value& json) {
  const auto object = ReadMap(json, "ExpressionAttributeNames", '#', "java.lang.String");
  if (!object) return std::unexpected(object.error());
  has_names_ = true;
  for (const auto& member : **object) {
    const auto* name = member.value().if_string();
    if (!name) return Unserializable(WrongScalar(member.value(), "String"));
    names_.push_back({std::string(member.key()), std::string(*name)});
  }
  return {};
}

Outcome<void> Placeholders::ReadValues(const json::value& json) {
  const auto object = ReadMap(json, "ExpressionAttributeValues", ':',
                              "com.amazonaws.dynamodb.v20120810.AttributeValue");
  if (!object) return std::unexpected(object.error());
  has_values_ = true;
  for (const auto& member : **object) {
    auto value = ReadValue(member.value());
    if (!value) {
      Failure failure = std::move(value.error());
      if (failure.kind == FailureKind::kValidation) {
        failure.message =
            fmt::format("ExpressionAttributeValues contains invalid value: {} for key {}",
                        failure.message, std::string_view(member.key()));
      }
      return std::unexpected(std::move(failure));
    }
    values_.push_back({std::string(member.key()), std::move(*value)});
  }
  return {};
}

const std::string* Placeholders::FindName(std::string_view token) {
  return FindEntry(names_, token);
}

const Value* Placeholders::FindValue(std::string_view token) {
  return FindEntry(values_, token);
}

Outcome<void> Placeholders::CheckAllUsed() const {
  if (auto ok = CheckUsed(names_, "ExpressionAttributeNames"); !ok) return ok;
  return CheckUsed(values_, "ExpressionAttributeValues");
}

}  // namespace kelvin::tables
