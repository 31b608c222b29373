#include "tables/update_cost.h"

#include <algorithm>
#include <string>

#include "tables/condition.h"

namespace kelvin::tables {
namespace {

// Measured, not documented: what is accepted changes from one byte to the next by these.
constexpr std::size_t kUpdate = 3;
constexpr std::size_t kWriteClause = 19;
constexpr std::size_t kRemoveClause = 1;
constexpr std::size_t kTargetElement = 4;
constexpr std::size_t kPathOperand = 1;
constexpr std::size_t kPathElement = 14;
constexpr std::size_t kPlus = 34;
constexpr std::size_t kMinus = 37;
constexpr std::size_t kListAppend = 37;
constexpr std::size_t kIfNotExists = 39;

std::size_t SizeOfElement(const PathElement& element) {
  if (const auto* name = std::get_if<std::string>(&element)) return name->size();
  return std::to_string(std::get<std::size_t>(element)).size();
}

std::size_t SizeOfTarget(const Path& path) {
  std::size_t size = SizeOfElement(path[0]);
  for (std::size_t i = 1; i < path.size(); ++i) size += kTargetElement + SizeOfElement(path[i]);
  return size;
}

std::size_t SizeOfOperand(const Node& node) {
  if (node.kind == NodeKind::kValue) return SizeOf(*node.value);
  std::size_t size = 0;
  if (node.kind == NodeKind::kPath) {
    size = kPathOperand;
    for (const PathElement& element : node.path) size += kPathElement + SizeOfElement(element);
    return size;
  }
  if (node.kind == NodeKind::kArithmetic) {
    size = node.op == Operator::kPlus ? kPlus : kMinus;
  } else {
    size = node.function == Function::kIfNotExists ? kIfNotExists : kListAppend;
  }
  for (const Node& arg : node.args) size += SizeOfOperand(arg);
  return size;
}

// Of a set's members only those that are new.
struct SizeOfAdded {
  const Value* old;

  template <typename T>
  std::size_t operator()(const SetOf<T>& set) const {
    const auto* present = old != nullptr ? old->As<SetOf<T>>() : nullptr;
    SetOf<T> added;
    for (const T& member : set.members) {
      if (present == nullptr || !std::ranges::binary_search(present->members, member)) {
        added.members.push_back(member);
      }
    }
    return SizeOf(Value(std::move(added)));
  }
  template <typename T>
  std::size_t operator()(const T& other) const {
    return SizeOf(Value(other));
  }
};

}  // namespace

std::size_t CostOf(const Update& update, const Item& item) {
  std::size_t cost = kUpdate;
  for (const UpdateAction& action : update) {
    cost += SizeOfTarget(action.path);
    switch (action.kind) {
      case UpdateAction::Kind::kSet:
        cost += kWriteClause + SizeOfOperand(action.operand);
        break;
      case UpdateAction::Kind::kAdd:
        cost += kWriteClause +
                std::visit(SizeOfAdded{FindAt(item, action.path)}, action.operand.value->variant());
        break;
      case UpdateAction::Kind::kRemove:
      case UpdateAction::Kind::kDelete:
        cost += kRemoveClause;
        break;
    }
  }
  return cost;
}

}  // namespace kelvin::tables
