#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tables/expression.h"
#include "tables/failure.h"
#include "tables/fields.h"

namespace kelvin::tables {

// The comparison operators of the parameters that expressions took the place of, in the order in
// which messages name them.
enum class LegacyOperator {
  kIn,
  kNull,
  kBetween,
  kLess,
  kNotContains,
  kEqual,
  kGreater,
  kNotNull,
  kNotEqual,
  kLessOrEqual,
  kBeginsWith,
  kGreaterOrEqual,
  kContains,
};
std::string_view LegacyOperatorName(LegacyOperator op);

// One attribute's condition of KeyConditions, QueryFilter or ScanFilter.
struct LegacyCondition {
  std::string attribute;
  LegacyOperator op = LegacyOperator::kEqual;
  std::vector<Value> values;
  std::optional<Failure> value_fault;  // of the first value that has one
};
// Notes faults in the fields' Faults.
std::vector<LegacyCondition> ReadLegacyConditions(const Fields& fields, std::string_view name);
Outcome<void> CheckLegacyConditions(const std::vector<LegacyCondition>& conditions);

// One attribute of Expected.
struct ExpectedAttribute {
  std::string attribute;
  std::optional<LegacyOperator> op;
  std::optional<std::vector<Value>> values;
  std::optional<Value> value;
  std::optional<bool> exists;
  std::optional<Failure> value_fault;
};
std::vector<ExpectedAttribute> ReadExpected(const Fields& fields);
Outcome<void> CheckExpected(const std::vector<ExpectedAttribute>& expected);

// One attribute of AttributeUpdates.
struct AttributeUpdate {
  std::string attribute;
  std::string_view action;  // "PUT", "ADD" or "DELETE"
  std::optional<Value> value;
  std::optional<Failure> value_fault;
};
std::vector<AttributeUpdate> ReadAttributeUpdates(const Fields& fields);
Outcome<void> CheckAttributeUpdates(const std::vector<AttributeUpdate>& updates);

// AttributesToGet, each name once.
std::optional<std::vector<std::string_view>> ReadAttributesToGet(const Fields& fields);
Outcome<void> CheckAttributesToGet(const std::vector<std::string_view>& names);

// Makes expressions of them. Values move into `values`, which outlives what is returned.
enum class Join { kAnd, kOr };
std::optional<Node> ConditionOf(std::vector<LegacyCondition> conditions, Join join,
                                std::deque<Value>& values);
std::optional<Node> ConditionOf(std::vector<ExpectedAttribute> expected, Join join,
                                std::deque<Value>& values);
Update UpdateOf(std::vector<AttributeUpdate> updates, std::deque<Value>& values);
std::vector<Path> PathsOf(const std::vector<std::string_view>& names);

}  // namespace kelvin::tables
