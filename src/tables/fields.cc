#include "tables/fields.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tables/value_json.h"

namespace kelvin::tables {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxConstraints = 10;
constexpr std::size_t kMinTableName = 3;
constexpr std::size_t kMaxTableName = 255;
constexpr std::string_view kNotNull = "Member must not be null";

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-';
}

// A table may be named by its ARN, too.
std::string_view TableNameOf(std::string_view name) {
  const std::size_t table = name.find(":table/");
  if (!name.starts_with("arn:") || table == std::string_view::npos) return name;
  return name.substr(table + 7);
}

std::string MapFound(std::string_view class_name) {
  return fmt::format(
      "Unrecognized collection type java.util.Map<java.lang.String, "
      "com.amazonaws.dynamodb.v20120810.{}>",
      class_name);
}

std::string StructFound(std::string_view class_name) {
  return fmt::format("Unrecognized collection type class com.amazonaws.dynamodb.v20120810.{}",
                     class_name);
}

}  // namespace

void Faults::WrongType(std::string message) {
  if (!wrong_type_) wrong_type_ = Failure{FailureKind::kSerialization, std::move(message)};
}

void Faults::ConstraintText(std::string text) {
  if (only_ || constraints_.size() == kMaxConstraints) return;
  constraints_.push_back(std::move(text));
}

void Faults::First(Failure failure) {
  if (!first_) first_ = std::move(failure);
}

void Faults::Only(std::optional<std::string_view> value, std::string_view path,
                  std::string_view constraint) {
  constraints_.clear();
  Constraint(value, path, constraint);
  only_ = true;
}

void Faults::Constraint(std::optional<std::string_view> value, std::string_view path,
                        std::string_view constraint) {
  ConstraintText(fmt::format("Value {} at '{}' failed to satisfy constraint: {}",
                             value ? fmt::format("'{}'", *value) : "null", path, constraint));
}

void Faults::Later(Failure failure) {
  if (failure.kind == FailureKind::kSerialization) return WrongType(std::move(failure.message));
  if (!later_) later_ = std::move(failure);
}

Outcome<void> Faults::CheckShape() const {
  if (wrong_type_) return std::unexpected(*wrong_type_);
  if (first_) return std::unexpected(*first_);
  if (constraints_.empty()) return {};
  return Invalid(fmt::format("{} validation error{} detected: {}", constraints_.size(),
                             constraints_.size() == 1 ? "" : "s", fmt::join(constraints_, "; ")));
}

Outcome<void> Faults::Check() const {
  if (auto ok = CheckShape(); !ok) return ok;
  if (later_) return std::unexpected(*later_);
  return {};
}

const json::value* Fields::Find(std::string_view name) const {
  const json::value* value = object_->if_contains(name);
  return value != nullptr && !value->is_null() ? value : nullptr;
}

std::string Fields::PathOf(std::string_view name) const {
  std::string path = prefix_;
  path += name;
  if (name[0] >= 'A' && name[0] <= 'Z') {
    path[prefix_.size()] = static_cast<char>(name[0] - 'A' + 'a');
  }
  return path;
}

const json::value* Fields::FindOrNote(std::string_view name, Presence presence) const {
  const json::value* value = Find(name);
  if (value == nullptr && presence == Presence::kRequired) {
    faults_->Constraint(std::nullopt, PathOf(name), kNotNull);
  }
  return value;
}

std::optional<std::string_view> Fields::String(std::string_view name, Presence presence) const {
  const json::value* value = FindOrNote(name, presence);
  if (value == nullptr) return std::nullopt;
  if (const auto* text = value->if_string()) return std::string_view(*text);
  faults_->WrongType(WrongScalar(*value, "String"));
  return std::nullopt;
}

std::optional<std::string_view> Fields::StringOf(Lengths lengths, std::string_view name,
                                                 Presence presence) const {
  const auto value = String(name, presence);
  if (!value) return value;
  const bool too_short = value->size() < lengths.min;
  if (!too_short && value->size() <= lengths.max) return value;
  faults_->Constraint(
      *value, PathOf(name),
      fmt::format("Member must have length {} than or equal to {}", too_short ? "greater" : "less",
                  too_short ? lengths.min : lengths.max));
  return std::nullopt;
}

std::optional<std::string_view> Fields::Enum(std::string_view name,
                                             std::span<const std::string_view> names,
                                             Presence presence) const {
  const auto value = String(name, presence);
  if (!value || std::ranges::find(names, *value) != names.end()) return value;
  faults_->Constraint(
      *value, PathOf(name),
      fmt::format("Member must satisfy enum value set: [{}]", fmt::join(names, ", ")));
  return std::nullopt;
}

std::optional<bool> Fields::Boolean(std::string_view name) const {
  const json::value* value = Find(name);
  if (value == nullptr) return std::nullopt;
  if (const auto flag = BooleanOf(*value)) return *flag;
  faults_->WrongType(value->is_string() ? "Unexpected token received from parser"
                                        : WrongScalar(*value, "Boolean"));
  return std::nullopt;
}

std::optional<std::int64_t> Fields::Integer(std::string_view name, Width width, Range range,
                                            Presence presence) const {
  const json::value* value = FindOrNote(name, presence);
  if (value == nullptr) return std::nullopt;
  std::int64_t number = 0;
  if (const auto* integer = value->if_int64()) {
    number = *integer;
  } else if (const auto* real = value->if_double(); real && std::abs(*real) < 1e18) {
    number = static_cast<std::int64_t>(std::floor(*real));
  } else if (value->is_number()) {
    number = range.max;
  } else {
    faults_->WrongType(WrongScalar(*value, width == Width::kLong ? "Long" : "Integer"));
    return std::nullopt;
  }
  const bool too_small = number < range.min;
  if (!too_small && number <= range.max) return number;
  faults_->Constraint(
      std::to_string(number), PathOf(name),
      fmt::format("Member must have value {} than or equal to {}", too_small ? "greater" : "less",
                  too_small ? range.min : range.max));
  return std::nullopt;
}

std::optional<Fields> Fields::Struct(std::string_view name, std::string_view class_name,
                                     Presence presence) const {
  const json::value* value = FindOrNote(name, presence);
  if (value == nullptr) return std::nullopt;
  if (const auto* object = value->if_object()) {
    return Fields(*object, *faults_, PathOf(name) + ".");
  }
  faults_->WrongType(value->is_array() ? StructFound(class_name) : "Unexpected field type");
  return std::nullopt;
}

std::vector<Fields> Fields::Structs(std::string_view name, std::string_view class_name,
                                    Presence presence) const {
  std::vector<Fields> structs;
  const json::value* value = FindOrNote(name, presence);
  if (value == nullptr) return structs;
  const auto* array = value->if_array();
  if (array == nullptr) {
    faults_->WrongType(value->is_object() ? "Start of structure or map found where not expected"
                                          : "Unexpected field type");
    return structs;
  }
  for (const auto& element : *array) {
    if (const auto* object = element.if_object()) {
      structs.emplace_back(*object, *faults_,
                           fmt::format("{}.{}.member.", PathOf(name), structs.size() + 1));
    } else {
      faults_->WrongType(element.is_array() ? StructFound(class_name)
                                            : "Unexpected value type in payload");
    }
  }
  return structs;
}

std::vector<Fields::Named> Fields::StructMap(std::string_view name, std::string_view class_name,
                                             Presence presence) const {
  std::vector<Named> structs;
  const json::value* value = FindOrNote(name, presence);
  if (value == nullptr) return structs;
  const auto* map = value->if_object();
  if (map == nullptr) {
    faults_->WrongType(value->is_array() ? MapFound(class_name) : "Unexpected field type");
    return structs;
  }
  for (const auto& member : *map) {
    if (const auto* object = member.value().if_object()) {
      structs.push_back({member.key(), Fields(*object, *faults_,
                                              fmt::format("{}.{}.member.", PathOf(name),
                                                          std::string_view(member.key())))});
    } else {
      faults_->WrongType(member.value().is_array() ? StructFound(class_name)
                                                   : "Unexpected value type in payload");
    }
  }
  return structs;
}

std::optional<std::vector<std::string_view>> Fields::Strings(std::string_view name, Lengths lengths,
                                                             Presence presence) const {
  const json::value* value = FindOrNote(name, presence);
  if (value == nullptr) return std::nullopt;
  const auto* array = value->if_array();
  if (array == nullptr) {
    faults_->WrongType(value->is_object() ? "Start of structure or map found where not expected"
                                          : "Unexpected field type");
    return std::nullopt;
  }
  std::vector<std::string_view> strings;
  for (const auto& element : *array) {
    if (const auto* text = element.if_string()) {
      strings.emplace_back(*text);
    } else {
      faults_->WrongType(WrongScalar(element, "String"));
    }
  }
  const bool too_short = array->size() < lengths.min;
  if (!too_short && array->size() <= lengths.max) return strings;
  faults_->Constraint(
      fmt::format("[{}]", fmt::join(strings, ", ")), PathOf(name),
      fmt::format("Member must have length {} than or equal to {}", too_short ? "greater" : "less",
                  too_short ? lengths.min : lengths.max));
  return std::nullopt;
}

void Fields::CheckLength(std::string_view name, Lengths lengths) const {
  const json::value* value = Find(name);
  const auto* array = value != nullptr ? value->if_array() : nullptr;
  if (array == nullptr) return;
  const bool too_short = array->size() < lengths.min;
  if (!too_short && array->size() <= lengths.max) return;
  faults_->Constraint(
      json::serialize(*value), PathOf(name),
      fmt::format("Member must have length {} than or equal to {}", too_short ? "greater" : "less",
                  too_short ? lengths.min : lengths.max));
}

Value Fields::ValueOrNull(const json::value& json, std::optional<Failure>& fault) const {
  auto read = ReadValue(json);
  if (read) return std::move(*read);
  if (read.error().kind == FailureKind::kSerialization) {
    faults_->WrongType(std::move(read.error().message));
  } else if (!fault) {
    fault = std::move(read.error());
  }
  return Value(Null{});
}

std::optional<Value> Fields::Attribute(std::string_view name, std::optional<Failure>& fault) const {
  const json::value* value = Find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_object()) {
    faults_->WrongType(value->is_array() ? StructFound("AttributeValue") : "Unexpected field type");
    return std::nullopt;
  }
  return ValueOrNull(*value, fault);
}

std::optional<std::vector<Value>> Fields::AttributeList(std::string_view name,
                                                        std::optional<Failure>& fault) const {
  const json::value* value = Find(name);
  if (value == nullptr) return std::nullopt;
  const auto* array = value->if_array();
  if (array == nullptr) {
    faults_->WrongType(value->is_object() ? "Start of structure or map found where not expected"
                                          : "Unexpected field type");
    return std::nullopt;
  }
  std::vector<Value> values;
  values.reserve(array->size());
  for (const auto& element : *array) values.push_back(ValueOrNull(element, fault));
  return values;
}

std::optional<Item> Fields::Attributes(std::string_view name, Presence presence) const {
  const json::value* value = FindOrNote(name, presence);
  if (value == nullptr) return std::nullopt;
  if (const auto* object = value->if_object()) {
    auto item = ReadItem(*object);
    if (item) return std::move(*item);
    faults_->Later(std::move(item.error()));
    return std::nullopt;
  }
  faults_->WrongType(value->is_array()
                         ? "Unrecognized collection type java.util.Map<java.lang.String, "
                           "com.amazonaws.dynamodb.v20120810.AttributeValue>"
                         : "Unexpected field type");
  return std::nullopt;
}

void Fields::CheckName(std::string_view name, std::string_view value) const {
  if (value.empty() || !std::ranges::all_of(value, IsNameCharacter)) {
    faults_->Constraint(value, PathOf(name),
                        "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+");
  }
  if (value.size() < kMinTableName) {
    faults_->Constraint(value, PathOf(name), "Member must have length greater than or equal to 3");
  }
  if (value.size() > kMaxTableName) {
    faults_->Constraint(value, PathOf(name), "Member must have length less than or equal to 255");
  }
}

bool Fields::AreTableNames(const json::object& tables) {
  return std::ranges::all_of(tables, [](const auto& member) {
    const std::string_view name = TableNameOf(member.key());
    return name.size() >= kMinTableName && name.size() <= kMaxTableName &&
           std::ranges::all_of(name, IsNameCharacter);
  });
}

std::string_view Fields::ItemTableName() const {
  const auto name = String("TableName", Presence::kRequired);
  if (!name) return {};
  if (name->empty()) {
    constexpr std::string_view kRule = "Member must have length greater than or equal to 1";
    // With all that must be there, whatever else may be wrong is not looked at.
    const bool complete = Find("Key") != nullptr || Find("Item") != nullptr;
    if (complete) {
      faults_->Only(*name, PathOf("TableName"), kRule);
    } else {
      faults_->Constraint(*name, PathOf("TableName"), kRule);
    }
    return {};
  }
  CheckName("TableName", TableNameOf(*name));
  return TableNameOf(*name);
}

std::string_view Fields::TableName() const {
  const auto name = String("TableName");
  if (name) {
    CheckName("TableName", TableNameOf(*name));
    return TableNameOf(*name);
  }
  if (Find("TableName") == nullptr) {
    faults_->First(
        Failure{FailureKind::kValidation,
                "The parameter 'TableName' is required but was not present in the request"});
  }
  return {};
}

}  // namespace kelvin::tables
