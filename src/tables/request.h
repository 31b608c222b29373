#pragma once

#include <deque>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "tables/failure.h"
#include "tables/fields.h"
#include "tables/legacy.h"
#include "tables/parser.h"
#include "tables/placeholders.h"
#include "tables/store.h"

namespace kelvin::tables {

// The expressions that an operation takes, and the older parameters that it takes instead.
struct ExpressionForms {
  std::vector<std::string_view> expressions;
  std::vector<std::string_view> legacy;
};

// The expressions of a request, or what older parameters say in their place: the same trees. Not to
// be moved: they point into it.
class Expressions {
 public:
  // Reads the members of these forms and notes faults of their shape. The forms outlive the object.
  Expressions(const Fields& fields, const ExpressionForms& forms);
  Expressions(const Expressions&) = delete;
  Expressions& operator=(const Expressions&) = delete;

  // What follows is called in this order; a request's own checks come between.
  // Which members were given together.
  Outcome<void> CheckForms() const;
  // The older parameters' own rules, of all but KeyConditions; then KeyConditions'.
  Outcome<void> CheckLegacy() const;
  // Reads the expressions, in the order in which their faults are reported.
  Outcome<void> Parse();

  const Node* condition() const { return Pointer(condition_); }
  const Node* key_condition() const { return Pointer(key_condition_); }
  const Node* filter() const { return Pointer(filter_); }
  const Update* update() const { return Pointer(update_); }
  // Empty where there is no projection.
  const std::vector<Path>& projection() const { return projection_; }
  std::vector<const Path*> projection_paths() const;

  enum class Wording { kExpression, kLegacy };
  // How messages on the filter, the key condition or the update speak of it.
  Wording filter_wording() const { return filter_wording_; }
  Wording key_wording() const { return key_wording_; }
  Wording update_wording() const { return update_wording_; }
  const std::vector<LegacyCondition>& key_conditions() const { return key_conditions_; }
  bool has_key_conditions() const { return fields_.Find("KeyConditions") != nullptr; }
  bool has_attributes_to_get() const { return attributes_to_get_.has_value(); }

 private:
  template <typename T>
  static const T* Pointer(const std::optional<T>& value) {
    return value ? &*value : nullptr;
  }
  bool Takes(std::string_view legacy) const;
  bool takes_values() const;
  void CheckPlaceholderTypes() const;
  Outcome<void> ParseOne(std::string_view parameter, std::string_view text);
  void ConvertLegacy();

  Fields fields_;
  const ExpressionForms& forms_;
  Placeholders placeholders_;
  std::deque<Value> values_;
  std::optional<Node> condition_;
  std::optional<Node> key_condition_;
  std::optional<Node> filter_;
  std::optional<Update> update_;
  std::vector<Path> projection_;

  Join join_ = Join::kAnd;
  std::vector<ExpectedAttribute> expected_;
  std::vector<AttributeUpdate> attribute_updates_;
  std::vector<LegacyCondition> key_conditions_;
  std::vector<LegacyCondition> legacy_filter_;
  std::optional<std::vector<std::string_view>> attributes_to_get_;
  Wording filter_wording_ = Wording::kExpression;
  Wording key_wording_ = Wording::kExpression;
  Wording update_wording_ = Wording::kExpression;
};

// Fails with kResourceNotFound.
Outcome<TablePtr> FindTable(const Store& store, std::string_view name);

// Keys are scalars: fails where a path goes into one.
Outcome<void> CheckKeyPaths(const std::vector<const Path*>& paths,
                            const TableDefinition& definition);
// All paths within an expression.
void CollectPaths(const Node& node, std::vector<const Path*>& paths);

}  // namespace kelvin::tables
