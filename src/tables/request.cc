#include "tables/request.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tables/value_json.h"

namespace kelvin::tables {
namespace {

// In the order in which faults in them are reported.
constexpr std::array<std::string_view, 5> kExpressions = {
    "UpdateExpression", "ConditionExpression", "KeyConditionExpression", "FilterExpression",
    "ProjectionExpression"};

std::vector<std::string_view> GivenOf(const Fields& fields,
                                      const std::vector<std::string_view>& names) {
  std::vector<std::string_view> given;
  for (const std::string_view name : names) {
    if (fields.Find(name) != nullptr) given.push_back(name);
  }
  return given;
}

// `who`, within the member, is what a name may not be too long for.
void CheckName(const Fields& fields, std::string_view member, std::string_view name,
               std::string_view who) {
  if (name.size() <= kMaxNameBytes) return;
  fields.faults().Constraint(
      name, fields.PathOf(member),
      fmt::format("{} must satisfy constraint: [Member must have length less than or equal to "
                  "{}, Member must have length greater than or equal to 0]",
                  who, kMaxNameBytes));
}

}  // namespace

Expressions::Expressions(const Fields& fields, const ExpressionForms& forms)
    : fields_(fields), forms_(forms) {
  constexpr std::array<std::string_view, 2> kJoins = {"OR", "AND"};
  for (const std::string_view name : forms.expressions)
    (void)fields.String(name);  // for its faults
  if (!forms.expressions.empty()) CheckPlaceholderTypes();
  if (Takes("Expected")) expected_ = ReadExpected(fields);
  if (Takes("AttributeUpdates")) attribute_updates_ = ReadAttributeUpdates(fields);
  if (Takes("KeyConditions")) key_conditions_ = ReadLegacyConditions(fields, "KeyConditions");
  for (const std::string_view name : {"QueryFilter", "ScanFilter"}) {
    if (Takes(name)) legacy_filter_ = ReadLegacyConditions(fields, name);
  }
  if (Takes("AttributesToGet")) attributes_to_get_ = ReadAttributesToGet(fields);
  if (attributes_to_get_) {
    for (const auto name : *attributes_to_get_) {
      CheckName(fields, "AttributesToGet", name, "Member");
    }
  }
  for (const AttributeUpdate& update : attribute_updates_) {
    CheckName(fields, "AttributeUpdates", update.attribute, "Map keys");
  }
  if (fields.Enum("ConditionalOperator", kJoins) == "OR") join_ = Join::kOr;
}

void Expressions::CheckPlaceholderTypes() const {
  const auto map_of = [&](std::string_view member,
                          std::string_view class_name) -> const boost::json::object* {
    const auto* value = fields_.Find(member);
    if (value == nullptr || value->is_object()) return value ? &value->get_object() : nullptr;
    fields_.faults().WrongType(value->is_array()
                                   ? fmt::format("Unrecognized collection type "
                                                 "java.util.Map<java.lang.String, {}>",
                                                 class_name)
                                   : "Unexpected field type");
    return nullptr;
  };
  if (takes_values()) {
    if (const auto* values = map_of("ExpressionAttributeValues",
                                    "com.amazonaws.dynamodb.v20120810.AttributeValue")) {
      if (auto wrong = WrongTypeInItem(*values)) fields_.faults().WrongType(std::move(*wrong));
    }
  }
  if (const auto* names = map_of("ExpressionAttributeNames", "java.lang.String")) {
    for (const auto& name : *names) {
      if (name.value().is_null()) continue;
      if (const auto* text = name.value().if_string()) {
        CheckName(fields_, "ExpressionAttributeNames", *text, "Map value");
      } else {
        fields_.faults().WrongType(WrongScalar(name.value(), "String"));
      }
    }
  }
}

bool Expressions::takes_values() const {
  return std::ranges::any_of(forms_.expressions,
                             [](auto name) { return name != "ProjectionExpression"; });
}

bool Expressions::Takes(std::string_view legacy) const {
  return std::ranges::find(forms_.legacy, legacy) != forms_.legacy.end();
}

Outcome<void> Expressions::CheckForms() const {
  const auto given = GivenOf(fields_, forms_.expressions);
  auto legacy = GivenOf(fields_, forms_.legacy);
  // KeyConditions go with the other expressions, but not with their own successor.
  if (fields_.Find("KeyConditionExpression") == nullptr) std::erase(legacy, "KeyConditions");
  if (!given.empty() && !legacy.empty()) {
    return Invalid(fmt::format(
        "Can not use both expression and non-expression parameters in the same request: "
        "Non-expression parameters: {{{}}} Expression parameters: {{{}}}",
        fmt::join(legacy, ", "), fmt::join(given, ", ")));
  }
  if (fields_.Find("ExpressionAttributeNames") != nullptr && given.empty()) {
    return Invalid("ExpressionAttributeNames can only be specified when using expressions");
  }
  std::vector<std::string_view> with_values = forms_.expressions;
  std::erase(with_values, "ProjectionExpression");
  if (with_values.empty() || fields_.Find("ExpressionAttributeValues") == nullptr ||
      !GivenOf(fields_, with_values).empty()) {
    return {};
  }
  return Invalid(fmt::format(
      "ExpressionAttributeValues can only be specified when using expressions: {} {} null",
      fmt::join(with_values, " and "), with_values.size() > 1 ? "are" : "is"));
}

Outcome<void> Expressions::CheckLegacy() const {
  // A Query's filter comes before all else, a Scan's does not.
  if (Takes("QueryFilter")) {
    if (auto ok = CheckLegacyConditions(legacy_filter_); !ok) return ok;
  }
  if (attributes_to_get_) {
    if (auto ok = CheckAttributesToGet(*attributes_to_get_); !ok) return ok;
  }
  if (auto ok = CheckAttributeUpdates(attribute_updates_); !ok) return ok;
  if (auto ok = CheckExpected(expected_); !ok) return ok;
  if (auto ok = CheckLegacyConditions(legacy_filter_); !ok) return ok;
  const bool joins_something = !expected_.empty() || !legacy_filter_.empty();
  if (fields_.Find("ConditionalOperator") == nullptr || joins_something) return {};
  return InvalidParameter("ConditionalOperator cannot be used without Filter or Expected");
}

Outcome<void> Expressions::Parse() {
  auto placeholders =
      Placeholders::Read(fields_.Find("ExpressionAttributeNames"),
                         takes_values() ? fields_.Find("ExpressionAttributeValues") : nullptr);
  if (!placeholders) return std::unexpected(std::move(placeholders.error()));
  placeholders_ = std::move(*placeholders);
  for (const std::string_view parameter : kExpressions) {
    if (std::ranges::find(forms_.expressions, parameter) == forms_.expressions.end()) continue;
    const auto text = fields_.String(parameter);
    if (!text) continue;
    if (auto parsed = ParseOne(parameter, *text); !parsed) return parsed;
  }
  if (auto ok = placeholders_.CheckAllUsed(); !ok) return ok;
  ConvertLegacy();
  return {};
}

Outcome<void> Expressions::ParseOne(std::string_view parameter, std::string_view text) {
  const auto keep = [](auto& place, auto parsed) -> Outcome<void> {
    if (!parsed) return std::unexpected(std::move(parsed.error()));
    place = std::move(*parsed);
    return {};
  };
  if (parameter == "UpdateExpression") return keep(update_, ParseUpdate(text, placeholders_));
  if (parameter == "ProjectionExpression") {
    return keep(projection_, ParseProjection(text, placeholders_));
  }
  std::optional<Node>& place = parameter == "ConditionExpression"      ? condition_
                               : parameter == "KeyConditionExpression" ? key_condition_
                                                                       : filter_;
  return keep(place, ParseCondition(text, parameter, placeholders_));
}

void Expressions::ConvertLegacy() {
  if (!expected_.empty()) condition_ = ConditionOf(std::move(expected_), join_, values_);
  if (fields_.Find("AttributeUpdates") != nullptr && Takes("AttributeUpdates")) {
    update_ = UpdateOf(std::move(attribute_updates_), values_);
    update_wording_ = Wording::kLegacy;
  }
  if (!key_conditions_.empty() && !key_condition_) {
    key_condition_ = ConditionOf(key_conditions_, Join::kAnd, values_);
    key_wording_ = Wording::kLegacy;
  }
  if (!legacy_filter_.empty()) {
    filter_ = ConditionOf(std::move(legacy_filter_), join_, values_);
    filter_wording_ = Wording::kLegacy;
  }
  if (attributes_to_get_) projection_ = PathsOf(*attributes_to_get_);
}

std::vector<const Path*> Expressions::projection_paths() const {
  std::vector<const Path*> paths;
  for (const Path& path : projection_) paths.push_back(&path);
  return paths;
}

Outcome<TablePtr> FindTable(const Store& store, std::string_view name) {
  if (TablePtr table = store.FindTable(name)) return table;
  return NotFound();
}

Outcome<void> CheckKeyPaths(const std::vector<const Path*>& paths,
                            const TableDefinition& definition) {
  const auto goes_into = [&](const KeyAttribute& key) {
    return std::ranges::any_of(paths, [&](const Path* path) {
      return path->size() > 1 && std::get<std::string>((*path)[0]) == key.name;
    });
  };
  const auto refuse = [](std::string_view role, const KeyAttribute& key) {
    return Invalid(
        fmt::format("Key attributes must be scalars; list random access '[]' and map lookup '.' "
                    "are not allowed: {}: {}",
                    role, key.name));
  };
  const KeySchema& key = definition.key;
  if (goes_into(key.partition)) return refuse("Key", key.partition);
  if (key.sort && goes_into(*key.sort)) return refuse("Key", *key.sort);
  for (const IndexDefinition& index : definition.indexes) {
    if (goes_into(index.key.partition)) return refuse("IndexKey", index.key.partition);
    if (index.key.sort && goes_into(*index.key.sort)) return refuse("IndexKey", *index.key.sort);
  }
  return {};
}

void CollectPaths(const Node& node, std::vector<const Path*>& paths) {
  if (node.kind == NodeKind::kPath) paths.push_back(&node.path);
  for (const Node& arg : node.args) CollectPaths(arg, paths);
}

}  // namespace kelvin::tables
