#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tables/value.h"

namespace kelvin::tables {

// A document path: names and list positions, at least one name first.
using PathElement = std::variant<std::string, std::size_t>;
using Path = std::vector<PathElement>;

// As in messages: "[a, b, [1]]".
std::string PathText(const Path& path);

enum class Function : std::uint8_t {
  kAttributeExists,
  kAttributeNotExists,
  kAttributeType,
  kBeginsWith,
  kContains,
  kSize,
  kIfNotExists,
  kListAppend,
};

enum class NodeKind : std::uint8_t {
  kPath,
  kValue,
  kFunction,
  kCompare,     // two operands
  kBetween,     // the operand and its two bounds
  kIn,          // the operand, then what it may be
  kAnd,         // two or more conditions
  kOr,          // two or more conditions
  kNot,         // one condition
  kArithmetic,  // two operands
};

enum class Operator : std::uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kPlus,
  kMinus,
};

std::string_view OperatorText(Operator op);

// A part of a condition, a filter, a key condition, or the right side of a SET.
struct Node {
  NodeKind kind = NodeKind::kValue;
  Operator op = Operator::kEqual;
  Function function = Function::kSize;
  std::string_view token;        // a function's or placeholder's name in the expression
  Path path;                     // of kPath
  const Value* value = nullptr;  // of kValue; belongs to the request's placeholders
  std::vector<Node> args;
};

// One clause of an update.
struct UpdateAction {
  enum class Kind : std::uint8_t { kSet, kRemove, kAdd, kDelete };
  Kind kind = Kind::kSet;
  Path path;
  Node operand;  // of all but kRemove; for kAdd and kDelete a kValue
};
using Update = std::vector<UpdateAction>;

}  // namespace kelvin::tables
