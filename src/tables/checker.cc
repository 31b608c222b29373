#include "tables/checker.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "tables/operand_types.h"
#include "tables/reserved_words.h"

namespace kelvin::tables {
namespace {

constexpr std::size_t kMaxInOperands = 100;

enum class Place { kCondition, kUpdate };

struct FunctionForm {
  std::string_view name;
  Function function;
  Place place;
  std::size_t operands;
};
constexpr std::array<FunctionForm, 8> kFunctions = {
    {{"attribute_exists", Function::kAttributeExists, Place::kCondition, 1},
     {"attribute_not_exists", Function::kAttributeNotExists, Place::kCondition, 1},
     {"attribute_type", Function::kAttributeType, Place::kCondition, 2},
     {"begins_with", Function::kBeginsWith, Place::kCondition, 2},
     {"contains", Function::kContains, Place::kCondition, 2},
     {"size", Function::kSize, Place::kCondition, 1},
     {"if_not_exists", Function::kIfNotExists, Place::kUpdate, 2},
     {"list_append", Function::kListAppend, Place::kUpdate, 2}}};

// Calls `check`, which returns a fault or an empty text, for arguments before what holds them,
// until there is a fault.
template <typename Check>
std::string FirstFault(Node& node, const Check& check) {
  for (Node& arg : node.args) {
    if (std::string fault = FirstFault(arg, check); !fault.empty()) return fault;
  }
  return check(node);
}

std::string LookUpFunction(Node& node, Place place) {
  if (node.kind != NodeKind::kFunction) return {};
  const auto form = std::ranges::find(kFunctions, node.token, &FunctionForm::name);
  if (form == kFunctions.end()) {
    return fmt::format("Invalid function name; function: {}", node.token);
  }
  if (form->place != place) {
    return fmt::format("The function is not allowed in {} expression; function: {}",
                       place == Place::kCondition ? "a condition" : "an update", node.token);
  }
  node.function = form->function;
  return {};
}

std::string Misused(const Node& node) {
  return fmt::format(
      "The function is not allowed to be used this way in an expression; function: {}", node.token);
}

// Of the functions only size() has a value; it alone may, and must, be an operand.
std::string CheckUse(Node& node) {
  const bool takes_conditions =
      node.kind == NodeKind::kAnd || node.kind == NodeKind::kOr || node.kind == NodeKind::kNot;
  for (const Node& arg : node.args) {
    if (arg.kind == NodeKind::kFunction && IsSize(arg) == takes_conditions) return Misused(arg);
  }
  return {};
}

// A list made by list_append() can be set, but not go into a sum or another list_append().
std::string CheckUpdateUse(Node& node) {
  const bool takes_none =
      node.kind == NodeKind::kArithmetic ||
      (node.kind == NodeKind::kFunction && node.function == Function::kListAppend);
  if (!takes_none) return {};
  for (const Node& arg : node.args) {
    if (arg.kind == NodeKind::kFunction && arg.function == Function::kListAppend) {
      return Misused(arg);
    }
  }
  return {};
}

std::string CheckReserved(const Path& path) {
  for (const PathElement& element : path) {
    const auto* name = std::get_if<std::string>(&element);
    if (name == nullptr || name->starts_with('#') || !IsReservedWord(*name)) continue;
    return fmt::format("Attribute name is a reserved keyword; reserved keyword: {}", *name);
  }
  return {};
}

std::string ResolvePath(Path& path, Placeholders& placeholders) {
  if (path.size() > static_cast<std::size_t>(kMaxNesting)) {
    return fmt::format("The document path has too many nesting levels; nesting levels: {}",
                       path.size());
  }
  for (PathElement& element : path) {
    auto* name = std::get_if<std::string>(&element);
    if (name == nullptr || !name->starts_with('#')) continue;
    const std::string* meaning = placeholders.FindName(*name);
    if (meaning == nullptr) {
      return fmt::format(
          "An expression attribute name used in the document path is not defined; attribute name: "
          "{}",
          *name);
    }
    *name = *meaning;
  }
  return {};
}

std::string ResolveValue(Node& node, Placeholders& placeholders) {
  node.value = placeholders.FindValue(node.token);
  if (node.value != nullptr) return {};
  return fmt::format(
      "An expression attribute value used in expression is not defined; attribute value: {}",
      node.token);
}

std::string Resolve(Node& node, Placeholders& placeholders) {
  if (node.kind == NodeKind::kPath) return ResolvePath(node.path, placeholders);
  if (node.kind == NodeKind::kValue) return ResolveValue(node, placeholders);
  return {};
}

std::string CheckOperandCount(const Node& node) {
  if (node.kind == NodeKind::kIn && node.args.size() - 1 > kMaxInOperands) {
    return fmt::format("The IN operator is provided with too many operands; number of operands: {}",
                       node.args.size() - 1);
  }
  if (node.kind != NodeKind::kFunction) return {};
  const auto form = std::ranges::find(kFunctions, node.function, &FunctionForm::function);
  if (node.args.size() == form->operands) return {};
  return fmt::format(
      "Incorrect number of operands for operator or function; operator or function: {}, number of "
      "operands: {}",
      node.token, node.args.size());
}

std::string_view NameOf(const Node& node) {
  switch (node.kind) {
    case NodeKind::kCompare:
      return OperatorText(node.op);
    case NodeKind::kBetween:
      return "BETWEEN";
    case NodeKind::kIn:
      return "IN";
    default:
      return node.token;
  }
}

std::string CheckDistinct(const Node& node) {
  if (node.args.empty() || node.args[0].kind != NodeKind::kPath) return {};
  const bool repeated = std::any_of(node.args.begin() + 1, node.args.end(), [&](const Node& arg) {
    return arg.kind == NodeKind::kPath && arg.path == node.args[0].path;
  });
  if (!repeated) return {};
  return fmt::format(
      "The first operand must be distinct from the remaining operands for this operator or "
      "function; operator: {}, first operand: {}",
      NameOf(node), PathText(node.args[0].path));
}

// One comparison or function with all its operands; conditions are checked from left to right.
std::string CheckLeaf(Node& leaf, Placeholders& placeholders) {
  std::string fault = FirstFault(leaf, [&](Node& node) { return Resolve(node, placeholders); });
  if (fault.empty()) fault = FirstFault(leaf, CheckOperandCount);
  if (fault.empty()) fault = FirstFault(leaf, CheckDistinct);
  if (fault.empty()) fault = FirstFault(leaf, CheckOperandTypes);
  return fault;
}

std::string CheckLeaves(Node& node, Placeholders& placeholders) {
  if (node.kind != NodeKind::kAnd && node.kind != NodeKind::kOr && node.kind != NodeKind::kNot) {
    return CheckLeaf(node, placeholders);
  }
  for (Node& arg : node.args) {
    if (std::string fault = CheckLeaves(arg, placeholders); !fault.empty()) return fault;
  }
  return {};
}

enum class Clash { kNone, kOverlap, kConflict };

Clash CompareForClash(const Path& a, const Path& b) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (a[i].index() != b[i].index()) return Clash::kConflict;
    if (a[i] != b[i]) return Clash::kNone;
  }
  return Clash::kOverlap;
}

std::string FirstClash(const std::vector<const Path*>& paths, Clash wanted) {
  for (std::size_t second = 1; second < paths.size(); ++second) {
    for (std::size_t first = 0; first < second; ++first) {
      if (CompareForClash(*paths[first], *paths[second]) != wanted) continue;
      return fmt::format(
          "Two document paths {} with each other; must remove or rewrite one of these paths; path "
          "one: {}, path two: {}",
          wanted == Clash::kOverlap ? "overlap" : "conflict", PathText(*paths[first]),
          PathText(*paths[second]));
    }
  }
  return {};
}

std::string CheckClashes(const std::vector<const Path*>& paths) {
  std::string fault = FirstClash(paths, Clash::kOverlap);
  return fault.empty() ? FirstClash(paths, Clash::kConflict) : fault;
}

std::string_view LongTypeName(ValueType type) {
  constexpr std::array<std::string_view, 10> kNames = {
      "STRING", "NUMBER", "BINARY",     "BOOLEAN",    "NULL",
      "LIST",   "MAP",    "STRING_SET", "NUMBER_SET", "BINARY_SET"};
  return kNames[static_cast<std::size_t>(type)];
}

std::string CheckAddOrDelete(const UpdateAction& action) {
  const bool is_add = action.kind == UpdateAction::Kind::kAdd;
  if (!is_add && action.kind != UpdateAction::Kind::kDelete) return {};
  const ValueType type = action.operand.value->type();
  if (IsSet(type) || (is_add && type == ValueType::kNumber)) return {};
  return fmt::format(
      "Incorrect operand type for operator or function; operator: {}, operand type: {}",
      is_add ? "ADD" : "DELETE", LongTypeName(type));
}

// Calls `check` for every action until there is a fault.
template <typename Check>
std::string FirstFaultOf(Update& update, const Check& check) {
  for (UpdateAction& action : update) {
    if (std::string fault = check(action); !fault.empty()) return fault;
  }
  return {};
}

bool HasOperand(const UpdateAction& action) {
  return action.kind != UpdateAction::Kind::kRemove;
}

std::string ResolveNames(UpdateAction& action, Placeholders& placeholders) {
  std::string fault = ResolvePath(action.path, placeholders);
  if (!fault.empty() || !HasOperand(action)) return fault;
  return FirstFault(action.operand, [&](Node& node) {
    return node.kind == NodeKind::kPath ? ResolvePath(node.path, placeholders) : std::string{};
  });
}

std::string ResolveValues(UpdateAction& action, Placeholders& placeholders) {
  if (!HasOperand(action)) return {};
  return FirstFault(action.operand, [&](Node& node) {
    return node.kind == NodeKind::kValue ? ResolveValue(node, placeholders) : std::string{};
  });
}

std::string CheckUpdateOperand(UpdateAction& action) {
  if (action.kind != UpdateAction::Kind::kSet) return {};
  std::string fault = FirstFault(action.operand, CheckOperandCount);
  if (fault.empty()) {
    fault = FirstFault(action.operand, [](Node& node) {
      return node.function == Function::kIfNotExists ? CheckDistinct(node) : std::string{};
    });
  }
  return fault.empty() ? FirstFault(action.operand, CheckOperandTypes) : fault;
}

std::string CheckUpdateReserved(UpdateAction& action) {
  std::string fault = CheckReserved(action.path);
  if (!fault.empty() || !HasOperand(action)) return fault;
  return FirstFault(action.operand, [](Node& node) { return CheckReserved(node.path); });
}

}  // namespace

std::string CheckCondition(Node& condition, Placeholders& placeholders) {
  std::string fault =
      FirstFault(condition, [](Node& node) { return LookUpFunction(node, Place::kCondition); });
  if (fault.empty() && IsSize(condition)) fault = Misused(condition);
  if (fault.empty()) fault = FirstFault(condition, CheckUse);
  if (fault.empty()) {
    fault = FirstFault(condition, [](Node& node) { return CheckReserved(node.path); });
  }
  if (fault.empty()) fault = CheckLeaves(condition, placeholders);
  return fault;
}

std::string CheckProjection(std::vector<Path>& paths, Placeholders& placeholders) {
  for (const Path& path : paths) {
    if (std::string fault = CheckReserved(path); !fault.empty()) return fault;
  }
  std::vector<const Path*> seen;
  for (Path& path : paths) {
    if (std::string fault = ResolvePath(path, placeholders); !fault.empty()) return fault;
    seen.push_back(&path);
  }
  return CheckClashes(seen);
}

std::string CheckUpdate(Update& update, std::string_view repeated_section,
                        Placeholders& placeholders) {
  std::string fault = FirstFaultOf(update, CheckUpdateReserved);
  if (fault.empty()) {
    fault = FirstFaultOf(update, [](UpdateAction& action) {
      return FirstFault(action.operand,
                        [](Node& node) { return LookUpFunction(node, Place::kUpdate); });
    });
  }
  if (fault.empty()) {
    fault = FirstFaultOf(
        update, [](UpdateAction& action) { return FirstFault(action.operand, CheckUpdateUse); });
  }
  if (!fault.empty()) return fault;
  if (!repeated_section.empty()) {
    return fmt::format("The \"{}\" section can only be used once in an update expression;",
                       repeated_section);
  }
  fault = FirstFaultOf(update, [&](UpdateAction& a) { return ResolveNames(a, placeholders); });
  if (fault.empty()) {
    fault = FirstFaultOf(update, [&](UpdateAction& a) { return ResolveValues(a, placeholders); });
  }
  if (!fault.empty()) return fault;
  std::vector<const Path*> paths;
  for (const UpdateAction& action : update) paths.push_back(&action.path);
  fault = CheckClashes(paths);
  if (fault.empty()) fault = FirstFaultOf(update, CheckAddOrDelete);
  if (fault.empty()) fault = FirstFaultOf(update, CheckUpdateOperand);
  return fault;
}

}  // namespace kelvin::tables
