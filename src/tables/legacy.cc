#include "tables/legacy.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "tables/value_json.h"

namespace kelvin::tables {
namespace {

constexpr std::size_t kAny = 1000;

// How many values an operator takes, and of which types in a filter.
struct OperatorForm {
  std::string_view name;
  std::size_t min_values;
  std::size_t max_values;
  std::string_view types;  // blank-separated, empty: all
};
// In the order of LegacyOperator.
constexpr std::array<OperatorForm, 13> kOperators = {{
    {"IN", 1, kAny, " S N B "},
    {"NULL", 0, 0, ""},
    {"BETWEEN", 2, 2, " S N B "},
    {"LT", 1, 1, " S N B "},
    {"NOT_CONTAINS", 1, 1, " S N B "},
    {"EQ", 1, 1, ""},
    {"GT", 1, 1, " S N B "},
    {"NOT_NULL", 0, 0, ""},
    {"NE", 1, 1, ""},
    {"LE", 1, 1, " S N B "},
    {"BEGINS_WITH", 1, 1, " S B "},
    {"GE", 1, 1, " S N B "},
    {"CONTAINS", 1, 1, " S N B "},
}};

constexpr auto kOperatorNames = [] {
  std::array<std::string_view, kOperators.size()> names{};
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kOperators[i].name;
  return names;
}();

const OperatorForm& FormOf(LegacyOperator op) {
  return kOperators[static_cast<std::size_t>(op)];
}

std::optional<LegacyOperator> ReadOperator(const Fields& fields, Presence presence) {
  const auto name = fields.Enum("ComparisonOperator", kOperatorNames, presence);
  if (!name) return std::nullopt;
  return static_cast<LegacyOperator>(std::ranges::find(kOperatorNames, *name) -
                                     kOperatorNames.begin());
}

Outcome<void> Report(const std::optional<Failure>& fault) {
  return fault ? Outcome<void>(std::unexpected(*fault)) : Outcome<void>{};
}

Outcome<void> CheckCount(LegacyOperator op, std::size_t values) {
  const OperatorForm& form = FormOf(op);
  if (values >= form.min_values && values <= form.max_values) return {};
  return InvalidParameter(
      fmt::format("Invalid number of argument(s) for the {} ComparisonOperator", form.name));
}

Outcome<void> CheckTypes(LegacyOperator op, const std::vector<Value>& values) {
  const OperatorForm& form = FormOf(op);
  for (const Value& value : values) {
    if (value.type() != values[0].type()) {
      return InvalidParameter("AttributeValues inside AttributeValueList must be of same type");
    }
  }
  for (const Value& value : values) {
    if (form.types.empty() || form.types.contains(fmt::format(" {} ", TypeCode(value.type())))) {
      continue;
    }
    return InvalidParameter(
        fmt::format("ComparisonOperator {} is not valid for {} AttributeValue type", form.name,
                    TypeCode(value.type())));
  }
  if (op != LegacyOperator::kBetween) return {};
  const auto order = Compare(values[0], values[1]);
  if (!order || *order <= 0) return {};
  return Invalid(
      "The BETWEEN condition was provided a range where the lower bound is greater than the upper "
      "bound");
}

Outcome<void> CheckComparison(const ExpectedAttribute& expected) {
  const std::string_view op = LegacyOperatorName(*expected.op);
  if (expected.exists) {
    return InvalidParameter(
        fmt::format("Exists and ComparisonOperator cannot be used together for Attribute: {}",
                    expected.attribute));
  }
  const bool takes_none =
      expected.op == LegacyOperator::kNull || expected.op == LegacyOperator::kNotNull;
  if (!takes_none && !expected.values && !expected.value) {
    return InvalidParameter(fmt::format(
        "Value or AttributeValueList must be used with ComparisonOperator: {} for Attribute: {}",
        op, expected.attribute));
  }
  std::vector<Value> values = expected.values.value_or(std::vector<Value>{});
  if (expected.value) values.push_back(*expected.value);
  if (auto ok = CheckCount(*expected.op, values.size()); !ok) return ok;
  if (expected.value_fault) return std::unexpected(*expected.value_fault);
  return CheckTypes(*expected.op, values);
}

Outcome<void> CheckExistence(const ExpectedAttribute& expected) {
  if (expected.values) {
    return InvalidParameter(
        fmt::format("AttributeValueList can only be used with a ComparisonOperator for Attribute: "
                    "{}",
                    expected.attribute));
  }
  const bool exists = expected.exists.value_or(true);
  if (exists && !expected.value) {
    return InvalidParameter(
        fmt::format("Value must be provided when Exists is {} for Attribute: {}",
                    expected.exists ? "true" : "null", expected.attribute));
  }
  if (!exists && expected.value) {
    return InvalidParameter(fmt::format(
        "Value cannot be used when Exists is false for Attribute: {}", expected.attribute));
  }
  return Report(expected.value_fault);
}

Node PathNode(std::string attribute) {
  Node node;
  node.kind = NodeKind::kPath;
  node.path.emplace_back(std::move(attribute));
  return node;
}

Node ValueNode(Value value, std::deque<Value>& values) {
  Node node;
  node.kind = NodeKind::kValue;
  node.value = &values.emplace_back(std::move(value));
  return node;
}

Node FunctionNode(Function function, std::string_view name, std::vector<Node> args) {
  Node node;
  node.kind = NodeKind::kFunction;
  node.function = function;
  node.token = name;
  node.args = std::move(args);
  return node;
}

Node NotNode(Node inner) {
  Node node;
  node.kind = NodeKind::kNot;
  node.args.push_back(std::move(inner));
  return node;
}

Node CompareNode(Operator op, std::vector<Node> args) {
  Node node;
  node.kind = NodeKind::kCompare;
  node.op = op;
  node.args = std::move(args);
  return node;
}

// What is not there contains nothing, and yet does not pass.
Node NotContainsNode(std::vector<Node> args) {
  Node node;
  node.kind = NodeKind::kAnd;
  node.args.push_back(FunctionNode(Function::kAttributeExists, "NOT_CONTAINS", {args[0]}));
  node.args.push_back(NotNode(FunctionNode(Function::kContains, "NOT_CONTAINS", std::move(args))));
  return node;
}

Node ConditionNode(LegacyCondition condition, std::deque<Value>& values) {
  std::vector<Node> args;
  args.push_back(PathNode(std::move(condition.attribute)));
  for (Value& value : condition.values) args.push_back(ValueNode(std::move(value), values));
  Node node;
  switch (condition.op) {
    case LegacyOperator::kNull:
      return FunctionNode(Function::kAttributeNotExists, "NULL", std::move(args));
    case LegacyOperator::kNotNull:
      return FunctionNode(Function::kAttributeExists, "NOT_NULL", std::move(args));
    case LegacyOperator::kContains:
      return FunctionNode(Function::kContains, "CONTAINS", std::move(args));
    case LegacyOperator::kNotContains:
      return NotContainsNode(std::move(args));
    case LegacyOperator::kBeginsWith:
      return FunctionNode(Function::kBeginsWith, "BEGINS_WITH", std::move(args));
    case LegacyOperator::kIn:
      node.kind = NodeKind::kIn;
      node.args = std::move(args);
      return node;
    case LegacyOperator::kBetween:
      node.kind = NodeKind::kBetween;
      node.args = std::move(args);
      return node;
    case LegacyOperator::kEqual:
      return CompareNode(Operator::kEqual, std::move(args));
    case LegacyOperator::kNotEqual:
      return CompareNode(Operator::kNotEqual, std::move(args));
    case LegacyOperator::kLess:
      return CompareNode(Operator::kLess, std::move(args));
    case LegacyOperator::kLessOrEqual:
      return CompareNode(Operator::kLessOrEqual, std::move(args));
    case LegacyOperator::kGreater:
      return CompareNode(Operator::kGreater, std::move(args));
    case LegacyOperator::kGreaterOrEqual:
      return CompareNode(Operator::kGreaterOrEqual, std::move(args));
  }
  std::unreachable();
}

LegacyCondition ConditionOfExpected(ExpectedAttribute expected) {
  LegacyCondition condition;
  condition.attribute = std::move(expected.attribute);
  if (expected.values) condition.values = std::move(*expected.values);
  if (expected.value) condition.values.push_back(std::move(*expected.value));
  if (expected.op) {
    condition.op = *expected.op;
  } else if (condition.values.empty()) {
    condition.op = LegacyOperator::kNull;
  }
  return condition;
}

UpdateAction ActionOf(AttributeUpdate update, std::deque<Value>& values) {
  UpdateAction action;
  action.path.emplace_back(update.attribute);
  if (!update.value) {
    action.kind = UpdateAction::Kind::kRemove;
    return action;
  }
  Node value = ValueNode(std::move(*update.value), values);
  if (update.action == "DELETE") {
    action.kind = UpdateAction::Kind::kDelete;
  } else if (update.action == "ADD" && value.value->type() == ValueType::kList) {
    // Lists can be added to by the legacy parameter only; here that is an append.
    std::vector<Node> if_missing;
    if_missing.push_back(PathNode(update.attribute));
    if_missing.push_back(ValueNode(Value(Value::List{}), values));
    std::vector<Node> lists;
    lists.push_back(FunctionNode(Function::kIfNotExists, "if_not_exists", std::move(if_missing)));
    lists.push_back(std::move(value));
    value = FunctionNode(Function::kListAppend, "list_append", std::move(lists));
  } else if (update.action == "ADD") {
    action.kind = UpdateAction::Kind::kAdd;
  }
  action.operand = std::move(value);
  return action;
}

}  // namespace

std::string_view LegacyOperatorName(LegacyOperator op) {
  return FormOf(op).name;
}

std::vector<LegacyCondition> ReadLegacyConditions(const Fields& fields, std::string_view name) {
  std::vector<LegacyCondition> conditions;
  for (const auto& [attribute, condition] : fields.StructMap(name, "Condition")) {
    std::optional<Failure> fault;
    auto values = condition.AttributeList("AttributeValueList", fault);
    const auto op = ReadOperator(condition, Presence::kRequired);
    conditions.push_back({std::string(attribute), op.value_or(LegacyOperator::kEqual),
                          values ? std::move(*values) : std::vector<Value>{}, std::move(fault)});
  }
  return conditions;
}

Outcome<void> CheckLegacyConditions(const std::vector<LegacyCondition>& conditions) {
  for (const LegacyCondition& condition : conditions) {
    if (auto ok = Report(condition.value_fault); !ok) return ok;
    if (auto ok = CheckCount(condition.op, condition.values.size()); !ok) return ok;
    if (auto ok = CheckTypes(condition.op, condition.values); !ok) return ok;
  }
  return {};
}

std::vector<ExpectedAttribute> ReadExpected(const Fields& fields) {
  std::vector<ExpectedAttribute> expected;
  for (const auto& [attribute, condition] :
       fields.StructMap("Expected", "ExpectedAttributeValue")) {
    ExpectedAttribute read;
    read.attribute = attribute;
    read.values = condition.AttributeList("AttributeValueList", read.value_fault);
    read.op = ReadOperator(condition, Presence::kOptional);
    read.exists = condition.Boolean("Exists");
    read.value = condition.Attribute("Value", read.value_fault);
    expected.push_back(std::move(read));
  }
  return expected;
}

Outcome<void> CheckExpected(const std::vector<ExpectedAttribute>& expected) {
  for (const ExpectedAttribute& one : expected) {
    if (one.values && one.value) {
      return InvalidParameter(fmt::format(
          "Value and AttributeValueList cannot be used together for Attribute: {}", one.attribute));
    }
    if (auto ok = one.op ? CheckComparison(one) : CheckExistence(one); !ok) return ok;
  }
  return {};
}

std::vector<AttributeUpdate> ReadAttributeUpdates(const Fields& fields) {
  constexpr std::array<std::string_view, 3> kActions = {"ADD", "PUT", "DELETE"};
  std::vector<AttributeUpdate> updates;
  for (const auto& [attribute, update] :
       fields.StructMap("AttributeUpdates", "AttributeValueUpdate")) {
    std::optional<Failure> fault;
    auto value = update.Attribute("Value", fault);
    updates.push_back({std::string(attribute), update.Enum("Action", kActions).value_or("PUT"),
                       std::move(value), std::move(fault)});
  }
  return updates;
}

Outcome<void> CheckAttributeUpdates(const std::vector<AttributeUpdate>& updates) {
  for (const auto& [attribute, action, value, fault] : updates) {
    if (auto ok = Report(fault); !ok) return ok;
    if (!value && action != "DELETE") {
      return InvalidParameter("Only DELETE action is allowed when no attribute value is specified");
    }
    if (!value || action == "PUT") continue;
    const ValueType type = value->type();
    if (action == "DELETE" && !IsSet(type)) {
      return InvalidParameter(
          fmt::format("DELETE action with value is not supported for the type {}", TypeCode(type)));
    }
    if (action == "ADD" && !IsSet(type) && type != ValueType::kNumber && type != ValueType::kList) {
      return InvalidParameter(
          fmt::format("ADD action is not supported for the type {}", TypeCode(type)));
    }
  }
  return {};
}

std::optional<std::vector<std::string_view>> ReadAttributesToGet(const Fields& fields) {
  return fields.Strings("AttributesToGet", {.min = 1, .max = 255});
}

Outcome<void> CheckAttributesToGet(const std::vector<std::string_view>& names) {
  std::set<std::string_view> seen;
  for (const std::string_view name : names) {
    if (seen.insert(name).second) continue;
    return InvalidParameter(fmt::format("Duplicate value in attribute name: {}", name));
  }
  return {};
}

std::optional<Node> ConditionOf(std::vector<LegacyCondition> conditions, Join join,
                                std::deque<Value>& values) {
  if (conditions.empty()) return std::nullopt;
  if (conditions.size() == 1) return ConditionNode(std::move(conditions[0]), values);
  Node all;
  all.kind = join == Join::kAnd ? NodeKind::kAnd : NodeKind::kOr;
  for (LegacyCondition& condition : conditions) {
    all.args.push_back(ConditionNode(std::move(condition), values));
  }
  return all;
}

std::optional<Node> ConditionOf(std::vector<ExpectedAttribute> expected, Join join,
                                std::deque<Value>& values) {
  std::vector<LegacyCondition> conditions;
  for (ExpectedAttribute& one : expected) conditions.push_back(ConditionOfExpected(std::move(one)));
  return ConditionOf(std::move(conditions), join, values);
}

Update UpdateOf(std::vector<AttributeUpdate> updates, std::deque<Value>& values) {
  Update update;
  for (AttributeUpdate& one : updates) update.push_back(ActionOf(std::move(one), values));
  return update;
}

std::vector<Path> PathsOf(const std::vector<std::string_view>& names) {
  std::vector<Path> paths;
  for (const std::string_view name : names) paths.push_back(Path{std::string(name)});
  return paths;
}

}  // namespace kelvin::tables
