#include "tables/condition.h"

#include <algorithm>
#include <utility>

namespace kelvin::tables {
namespace {

// An operand's value: of the item or the request, or made here.
class Operand {
 public:
  Operand(const Node& node, const Item& item) {
    switch (node.kind) {
      case NodeKind::kPath:
        value_ = FindAt(item, node.path);
        break;
      case NodeKind::kValue:
        value_ = node.value;
        break;
      default:
        MeasureSize(Operand(node.args[0], item).get());
    }
  }
  Operand(const Operand&) = delete;
  Operand& operator=(const Operand&) = delete;

  // Null where the path leads nowhere, or to what has no size.
  const Value* get() const { return value_; }

 private:
  void MeasureSize(const Value* value) {
    if (value == nullptr) return;
    const auto size = std::visit(SizeVisitor{}, value->variant());
    if (!size) return;
    made_.emplace(Number(static_cast<std::int64_t>(*size)));
    value_ = &*made_;
  }

  struct SizeVisitor {
    using Size = std::optional<std::size_t>;
    Size operator()(const std::string& text) const { return text.size(); }
    Size operator()(const Binary& binary) const { return binary.bytes.size(); }
    Size operator()(const Value::List& list) const { return list.size(); }
    Size operator()(const AttributeMap& map) const { return map.size(); }
    template <typename T>
    Size operator()(const SetOf<T>& set) const {
      return set.members.size();
    }
    Size operator()(const Number&) const { return std::nullopt; }
    Size operator()(bool) const { return std::nullopt; }
    Size operator()(const Null&) const { return std::nullopt; }
  };

  const Value* value_ = nullptr;
  std::optional<Value> made_;
};

bool AreEqual(const Value* a, const Value* b) {
  return a != nullptr && b != nullptr && *a == *b;
}

// Whether the two have an order and `test` accepts it.
template <typename Test>
bool Ordered(const Value* a, const Value* b, Test test) {
  if (a == nullptr || b == nullptr) return false;
  const auto order = Compare(*a, *b);
  return order && test(*order);
}

bool CompareHolds(Operator op, const Value* a, const Value* b) {
  switch (op) {
    case Operator::kEqual:
      return AreEqual(a, b);
    case Operator::kNotEqual:
      return !AreEqual(a, b);
    case Operator::kLess:
      return Ordered(a, b, [](auto order) { return order < 0; });
    case Operator::kLessOrEqual:
      return Ordered(a, b, [](auto order) { return order <= 0; });
    case Operator::kGreater:
      return Ordered(a, b, [](auto order) { return order > 0; });
    case Operator::kGreaterOrEqual:
      return Ordered(a, b, [](auto order) { return order >= 0; });
    case Operator::kPlus:
    case Operator::kMinus:
      break;
  }
  return false;
}

bool BeginsWith(const Value* whole, const Value* prefix) {
  if (whole == nullptr || prefix == nullptr || whole->type() != prefix->type()) return false;
  if (const auto* text = whole->As<std::string>()) {
    return text->starts_with(*prefix->As<std::string>());
  }
  const auto* binary = whole->As<Binary>();
  return binary != nullptr && binary->bytes.starts_with(prefix->As<Binary>()->bytes);
}

template <typename T>
bool HasMember(const SetOf<T>& set, const Value& member) {
  const T* wanted = member.As<T>();
  return wanted != nullptr && std::ranges::binary_search(set.members, *wanted);
}

bool Contains(const Value* whole, const Value* part) {
  if (whole == nullptr || part == nullptr) return false;
  if (const auto* text = whole->As<std::string>()) {
    const auto* wanted = part->As<std::string>();
    return wanted != nullptr && text->contains(*wanted);
  }
  if (const auto* binary = whole->As<Binary>()) {
    const auto* wanted = part->As<Binary>();
    return wanted != nullptr && binary->bytes.contains(wanted->bytes);
  }
  if (const auto* list = whole->As<Value::List>())
    return std::ranges::find(*list, *part) != list->end();
  if (const auto* set = whole->As<StringSet>()) return HasMember(*set, *part);
  if (const auto* set = whole->As<NumberSet>()) return HasMember(*set, *part);
  if (const auto* set = whole->As<BinarySet>()) return HasMember(*set, *part);
  return false;
}

bool FunctionHolds(const Node& node, const Item& item) {
  const Operand first(node.args[0], item);
  switch (node.function) {
    case Function::kAttributeExists:
      return first.get() != nullptr;
    case Function::kAttributeNotExists:
      return first.get() == nullptr;
    case Function::kAttributeType:
      return first.get() != nullptr &&
             TypeCode(first.get()->type()) == *node.args[1].value->As<std::string>();
    case Function::kBeginsWith:
      return BeginsWith(first.get(), Operand(node.args[1], item).get());
    case Function::kContains:
      return Contains(first.get(), Operand(node.args[1], item).get());
    default:
      return false;
  }
}

bool IsIn(const Node& node, const Item& item) {
  const Operand operand(node.args[0], item);
  return std::any_of(node.args.begin() + 1, node.args.end(), [&](const Node& candidate) {
    return AreEqual(operand.get(), Operand(candidate, item).get());
  });
}

// Paths by their first element, so that each value is visited once.
struct Wanted {
  std::vector<std::pair<const Path*, std::size_t>> paths;  // and how much of each is behind

  bool whole() const {
    return std::ranges::any_of(paths, [](const auto& p) { return p.second == p.first->size(); });
  }
  Wanted Under(const PathElement& element) const {
    Wanted below;
    for (const auto& [path, depth] : paths) {
      if (depth < path->size() && (*path)[depth] == element)
        below.paths.emplace_back(path, depth + 1);
    }
    return below;
  }
};

std::optional<Value> ProjectValue(const Value& value, const Wanted& wanted);

Item ProjectMap(const AttributeMap& map, const Wanted& wanted) {
  Item result;
  for (const auto& [path, depth] : wanted.paths) {
    const auto* name = depth < path->size() ? std::get_if<std::string>(&(*path)[depth]) : nullptr;
    const Value* value = name != nullptr ? map.Find(*name) : nullptr;
    if (value == nullptr || result.Find(*name) != nullptr) continue;
    if (auto part = ProjectValue(*value, wanted.Under(*name))) result.Set(*name, std::move(*part));
  }
  return result;
}

std::optional<Value> ProjectList(const Value::List& list, const Wanted& wanted) {
  Value::List result;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Wanted below = wanted.Under(i);
    if (below.paths.empty()) continue;
    if (auto part = ProjectValue(list[i], below)) result.push_back(std::move(*part));
  }
  if (result.empty()) return std::nullopt;
  return Value(std::move(result));
}

std::optional<Value> ProjectValue(const Value& value, const Wanted& wanted) {
  if (wanted.whole()) return value;
  if (const auto* list = value.As<Value::List>()) return ProjectList(*list, wanted);
  const auto* map = value.As<AttributeMap>();
  if (map == nullptr) return std::nullopt;
  Item part = ProjectMap(*map, wanted);
  if (part.empty()) return std::nullopt;
  return Value(std::move(part));
}

}  // namespace

const Value* FindAt(const Item& item, const Path& path) {
  const Value* value = item.Find(std::get<std::string>(path[0]));
  for (std::size_t i = 1; i < path.size() && value != nullptr; ++i) {
    if (const auto* name = std::get_if<std::string>(&path[i])) {
      const auto* map = value->As<AttributeMap>();
      value = map != nullptr ? map->Find(*name) : nullptr;
    } else {
      const auto* list = value->As<Value::List>();
      const std::size_t index = std::get<std::size_t>(path[i]);
      value = list != nullptr && index < list->size() ? &(*list)[index] : nullptr;
    }
  }
  return value;
}

bool Holds(const Node& condition, const Item& item) {
  const auto holds = [&](const Node& node) { return Holds(node, item); };
  switch (condition.kind) {
    case NodeKind::kAnd:
      return std::ranges::all_of(condition.args, holds);
    case NodeKind::kOr:
      return std::ranges::any_of(condition.args, holds);
    case NodeKind::kNot:
      return !Holds(condition.args[0], item);
    case NodeKind::kCompare:
      return CompareHolds(condition.op, Operand(condition.args[0], item).get(),
                          Operand(condition.args[1], item).get());
    case NodeKind::kBetween: {
      const Operand operand(condition.args[0], item);
      return CompareHolds(Operator::kGreaterOrEqual, operand.get(),
                          Operand(condition.args[1], item).get()) &&
             CompareHolds(Operator::kLessOrEqual, operand.get(),
                          Operand(condition.args[2], item).get());
    }
    case NodeKind::kIn:
      return IsIn(condition, item);
    case NodeKind::kFunction:
      return FunctionHolds(condition, item);
    case NodeKind::kPath:
    case NodeKind::kValue:
    case NodeKind::kArithmetic:
      break;
  }
  return false;
}

Item Project(const Item& item, const std::vector<const Path*>& paths) {
  Wanted wanted;
  for (const Path* path : paths) wanted.paths.emplace_back(path, 0);
  return ProjectMap(item, wanted);
}

}  // namespace kelvin::tables
