#include "tables/update.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "tables/condition.h"
#include "tables/value_json.h"

namespace kelvin::tables {
namespace {

std::unexpected<Failure> BadPath() {
  return Invalid("The document path provided in the update expression is invalid for update");
}

constexpr std::string_view kBadType =
    "An operand in the update expression has an incorrect data type";

std::unexpected<Failure> BadType() {
  return Invalid(std::string(kBadType));
}

std::unexpected<Failure> OutOfRange(NumberError error) {
  // A sum that needs too many digits is reported as an overflow, too.
  return Invalid(
      NumberMessage(error == NumberError::kTooManyDigits ? NumberError::kOverflow : error, ""));
}

Outcome<Value> Evaluate(const Node& node, const Item& item);

Outcome<Value> Arithmetic(Operator op, const Value& left, const Value& right) {
  const auto* a = left.As<Number>();
  const auto* b = right.As<Number>();
  if (a == nullptr || b == nullptr) return BadType();
  const auto sum = op == Operator::kMinus ? Number::Subtract(*a, *b) : Number::Add(*a, *b);
  if (!sum) return OutOfRange(sum.error());
  return Value(*sum);
}

Outcome<Value> AppendLists(Value left, Value right) {
  auto* a = left.As<Value::List>();
  auto* b = right.As<Value::List>();
  if (a == nullptr || b == nullptr) return BadType();
  a->insert(a->end(), std::make_move_iterator(b->begin()), std::make_move_iterator(b->end()));
  return left;
}

Outcome<Value> EvaluateFunction(const Node& node, const Item& item) {
  if (node.function == Function::kIfNotExists) {
    if (const Value* value = FindAt(item, node.args[0].path)) return *value;
    return Evaluate(node.args[1], item);
  }
  auto left = Evaluate(node.args[0], item);
  if (!left) return left;
  auto right = Evaluate(node.args[1], item);
  if (!right) return right;
  return AppendLists(std::move(*left), std::move(*right));
}

Outcome<Value> Evaluate(const Node& node, const Item& item) {
  switch (node.kind) {
    case NodeKind::kValue:
      return *node.value;
    case NodeKind::kPath:
      if (const Value* value = FindAt(item, node.path)) return *value;
      return Invalid(
          "The provided expression refers to an attribute that does not exist in the item");
    case NodeKind::kFunction:
      return EvaluateFunction(node, item);
    default: {
      const auto left = Evaluate(node.args[0], item);
      if (!left) return left;
      const auto right = Evaluate(node.args[1], item);
      if (!right) return right;
      return Arithmetic(node.op, *left, *right);
    }
  }
}

// What holds the last element of the path; null where there is no such map or list.
Value* FindParent(Item& item, const Path& path) {
  const Path parent(path.begin(), path.end() - 1);
  return const_cast<Value*>(FindAt(item, parent));
}

Outcome<void> SetAt(Item& item, const Path& path, Value value) {
  if (path.size() == 1) {
    item.Set(std::get<std::string>(path[0]), std::move(value));
    return {};
  }
  Value* parent = FindParent(item, path);
  if (parent == nullptr) return BadPath();
  if (const auto* name = std::get_if<std::string>(&path.back())) {
    auto* map = parent->As<AttributeMap>();
    if (map == nullptr) return BadPath();
    map->Set(*name, std::move(value));
    return {};
  }
  auto* list = parent->As<Value::List>();
  if (list == nullptr) return BadPath();
  const std::size_t index = std::get<std::size_t>(path.back());
  if (index < list->size()) {
    (*list)[index] = std::move(value);
  } else {
    list->push_back(std::move(value));  // beyond the end is the end
  }
  return {};
}

Outcome<void> RemoveAt(Item& item, const Path& path, const Item& before) {
  if (path.size() == 1) {
    item.Erase(std::get<std::string>(path[0]));
    return {};
  }
  Value* parent = FindParent(item, path);
  if (parent == nullptr) return BadPath();
  if (const auto* name = std::get_if<std::string>(&path.back())) {
    auto* map = parent->As<AttributeMap>();
    if (map == nullptr) return BadPath();
    map->Erase(*name);
    return {};
  }
  auto* list = parent->As<Value::List>();
  if (list == nullptr) return BadPath();
  const std::size_t index = std::get<std::size_t>(path.back());
  // Not what this update has put at the end.
  const bool was_there = index < list->size() && FindAt(before, path) != nullptr;
  if (was_there) list->erase(list->begin() + static_cast<std::ptrdiff_t>(index));
  return {};
}

template <typename T>
Outcome<Value> Union(const SetOf<T>& a, const Value& b) {
  const auto* other = b.As<SetOf<T>>();
  if (other == nullptr) return BadType();
  SetOf<T> result;
  std::ranges::set_union(a.members, other->members, std::back_inserter(result.members));
  return Value(std::move(result));
}

Outcome<Value> Sum(const Value& old, const Value& added) {
  if (old.type() == ValueType::kNumber) return Arithmetic(Operator::kPlus, old, added);
  if (const auto* set = old.As<StringSet>()) return Union(*set, added);
  if (const auto* set = old.As<NumberSet>()) return Union(*set, added);
  if (const auto* set = old.As<BinarySet>()) return Union(*set, added);
  return BadType();
}

// What is left of the set; nothing where that is empty.
template <typename T>
Outcome<std::optional<Value>> Without(const SetOf<T>& a, const Value& b) {
  const auto* other = b.As<SetOf<T>>();
  if (other == nullptr) return BadType();
  SetOf<T> result;
  std::ranges::set_difference(a.members, other->members, std::back_inserter(result.members));
  if (result.members.empty()) return std::nullopt;
  return Value(std::move(result));
}

Outcome<std::optional<Value>> Difference(const Value& old, const Value& removed) {
  if (const auto* set = old.As<StringSet>()) return Without(*set, removed);
  if (const auto* set = old.As<NumberSet>()) return Without(*set, removed);
  if (const auto* set = old.As<BinarySet>()) return Without(*set, removed);
  return BadType();
}

struct Change {
  const Path* path;
  std::optional<Value> value;  // none: remove
};

Outcome<Change> ChangeOf(const UpdateAction& action, const Item& item) {
  const Value* old = FindAt(item, action.path);
  switch (action.kind) {
    case UpdateAction::Kind::kSet: {
      auto value = Evaluate(action.operand, item);
      if (!value) return std::unexpected(std::move(value.error()));
      return Change{&action.path, std::move(*value)};
    }
    case UpdateAction::Kind::kRemove:
      return Change{&action.path, std::nullopt};
    case UpdateAction::Kind::kAdd: {
      if (old == nullptr) return Change{&action.path, *action.operand.value};
      auto sum = Sum(*old, *action.operand.value);
      if (!sum) return std::unexpected(std::move(sum.error()));
      return Change{&action.path, std::move(*sum)};
    }
    case UpdateAction::Kind::kDelete: {
      // Nothing to take from, but the path must lead to where it could be.
      if (old == nullptr) return Change{&action.path, std::nullopt};
      auto rest = Difference(*old, *action.operand.value);
      if (!rest) return std::unexpected(std::move(rest.error()));
      return Change{&action.path, std::move(*rest)};
    }
  }
  std::unreachable();
}

}  // namespace

Outcome<void> CheckKeyUntouched(const Update& update, const KeySchema& schema) {
  for (const UpdateAction& action : update) {
    const auto& name = std::get<std::string>(action.path[0]);
    if (!schema.Has(name)) continue;
    return InvalidParameter(
        fmt::format("Cannot update attribute {}. This attribute is part of the key", name));
  }
  return {};
}

Outcome<Item> Apply(const Update& update, const Item& item, UpdateWording wording,
                    UpdateBase base) {
  std::vector<Change> changes;
  for (const UpdateAction& action : update) {
    auto change = ChangeOf(action, item);
    if (!change && wording == UpdateWording::kLegacy && change.error().message == kBadType) {
      return Invalid("Type mismatch for attribute to update");
    }
    if (!change) return std::unexpected(std::move(change.error()));
    if (base == UpdateBase::kItem || change->value) changes.push_back(std::move(*change));
  }
  // Positions mean the lists as they were: values first, by ascending position so that several
  // beyond the end keep their order, then removals from the back.
  std::ranges::sort(changes, [](const Change& a, const Change& b) {
    if (a.value.has_value() != b.value.has_value()) return a.value.has_value();
    return a.value.has_value() ? *a.path < *b.path : *b.path < *a.path;
  });
  Item result = item;
  for (Change& change : changes) {
    auto done = change.value ? SetAt(result, *change.path, std::move(*change.value))
                             : RemoveAt(result, *change.path, item);
    if (!done) return std::unexpected(std::move(done.error()));
  }
  return result;
}

}  // namespace kelvin::tables
