#include "tables/operand_types.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "tables/value.h"

namespace kelvin::tables {
namespace {

// The type of an operand where the expression alone tells.
std::optional<ValueType> TypeOf(const Node& node) {
  if (node.kind == NodeKind::kValue) return node.value->type();
  if (IsSize(node)) return ValueType::kNumber;
  return std::nullopt;
}

std::string WrongOperandType(std::string_view function, std::string_view type) {
  return fmt::format(
      "Incorrect operand type for operator or function; operator or function: {}, operand type: {}",
      function, type);
}

std::string RequirePath(const Node& node) {
  if (node.args[0].kind == NodeKind::kPath) return {};
  return fmt::format("Operator or function requires a document path; operator or function: {}",
                     node.token);
}

std::string CheckAttributeType(const Node& node) {
  const auto type = TypeOf(node.args[1]);
  if (type != ValueType::kString) {
    return WrongOperandType(node.token, type ? TypeCode(*type) : "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}");
  }
  const auto& name = *node.args[1].value->As<std::string>();
  if (TypeOfCode(name)) return {};
  return fmt::format(
      "Invalid attribute type name found; type: {}, valid types: {{B,NULL,SS,BOOL,L,BS,N,NS,S,M}}",
      name);
}

std::string CheckArguments(const Node& node) {
  switch (node.function) {
    case Function::kAttributeExists:
    case Function::kAttributeNotExists:
    case Function::kIfNotExists:
      return RequirePath(node);
    case Function::kAttributeType:
      return CheckAttributeType(node);
    case Function::kBeginsWith:
      for (const Node& arg : node.args) {
        const auto type = TypeOf(arg);
        if (type && type != ValueType::kString && type != ValueType::kBinary) {
          return WrongOperandType(node.token, TypeCode(*type));
        }
      }
      return {};
    case Function::kSize: {
      const auto type = TypeOf(node.args[0]);
      const bool has_size =
          type != ValueType::kNumber && type != ValueType::kBoolean && type != ValueType::kNull;
      return has_size ? std::string{} : WrongOperandType(node.token, TypeCode(*type));
    }
    case Function::kListAppend:
      for (const Node& arg : node.args) {
        const auto type = TypeOf(arg);
        if (type && type != ValueType::kList) return WrongOperandType(node.token, TypeCode(*type));
      }
      return {};
    case Function::kContains:
      return {};
  }
  std::unreachable();
}

// As in the messages on BETWEEN, which show strings, numbers and binaries only.
std::string BoundText(const Value& value) {
  std::string text;
  if (const auto* string = value.As<std::string>()) text = *string;
  if (const auto* number = value.As<Number>()) text = number->ToString();
  return fmt::format("AttributeValue: {{{}:{}}}", TypeCode(value.type()), text);
}

std::string CheckBounds(const Node& node) {
  if (node.args[1].kind != NodeKind::kValue || node.args[2].kind != NodeKind::kValue) return {};
  const Value& low = *node.args[1].value;
  const Value& high = *node.args[2].value;
  std::string_view fault;
  if (low.type() != high.type()) {
    fault = "same data type for lower and upper bounds";
  } else if (const auto order = Compare(low, high); order && *order > 0) {
    fault = "upper bound to be greater than or equal to lower bound";
  }
  if (fault.empty()) return {};
  return fmt::format(
      "The BETWEEN operator requires {}; lower bound operand: {}, upper bound operand: {}", fault,
      BoundText(low), BoundText(high));
}

bool HasOrder(ValueType type) {
  return type == ValueType::kString || type == ValueType::kNumber || type == ValueType::kBinary;
}

// An order can only be asked of strings, numbers and binaries.
std::string CheckOrdered(const Node& node, std::string_view op) {
  for (const Node& arg : node.args) {
    const auto type = TypeOf(arg);
    if (!type || HasOrder(*type)) continue;
    return fmt::format(
        "Incorrect operand type for operator or function; operator or function: {}, operand type: "
        "{}",
        op, TypeCode(*type));
  }
  return {};
}

}  // namespace

bool IsSize(const Node& node) {
  return node.kind == NodeKind::kFunction && node.function == Function::kSize;
}

std::string CheckOperandTypes(const Node& node) {
  switch (node.kind) {
    case NodeKind::kFunction:
      return CheckArguments(node);
    case NodeKind::kBetween:
      if (std::string fault = CheckOrdered(node, "BETWEEN"); !fault.empty()) return fault;
      return CheckBounds(node);
    case NodeKind::kCompare:
      if (node.op == Operator::kEqual || node.op == Operator::kNotEqual) return {};
      return CheckOrdered(node, OperatorText(node.op));
    case NodeKind::kArithmetic:
      for (const Node& arg : node.args) {
        const auto type = TypeOf(arg);
        if (type && type != ValueType::kNumber) {
          return WrongOperandType(OperatorText(node.op), TypeCode(*type));
        }
      }
      return {};
    default:
      return {};
  }
}

}  // namespace kelvin::tables
