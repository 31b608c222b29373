#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "tables/failure.h"
#include "tables/fields.h"
#include "tables/json_writer.h"
#include "tables/parser.h"
#include "tables/placeholders.h"
#include "tables/store.h"

namespace kelvin::tables {

// The expressions of a request, which share its placeholders. Not to be moved: they point into it.
class Expressions {
 public:
  Expressions() = default;
  Expressions(const Expressions&) = delete;
  Expressions& operator=(const Expressions&) = delete;

  // Reads those of the members UpdateExpression, ConditionExpression, KeyConditionExpression,
  // FilterExpression and ProjectionExpression that `allowed` names, in the order in which their
  // faults are reported. Fails with the fields' own faults first.
  Outcome<void> Read(const Fields& fields, std::initializer_list<std::string_view> allowed);

  const Node* condition() const { return Pointer(condition_); }
  const Node* key_condition() const { return Pointer(key_condition_); }
  const Node* filter() const { return Pointer(filter_); }
  const Update* update() const { return Pointer(update_); }
  // Empty where there is no projection.
  const std::vector<Path>& projection() const { return projection_; }
  std::vector<const Path*> projection_paths() const;

 private:
  template <typename T>
  static const T* Pointer(const std::optional<T>& value) {
    return value ? &*value : nullptr;
  }
  Outcome<void> Parse(std::string_view parameter, std::string_view text);

  Placeholders placeholders_;
  std::optional<Node> condition_;
  std::optional<Node> key_condition_;
  std::optional<Node> filter_;
  std::optional<Update> update_;
  std::vector<Path> projection_;
};

// ReturnConsumedCapacity.
enum class CapacityReport { kNone, kTotal, kIndexes };
CapacityReport ReadCapacityReport(const Fields& fields);

// Units of a write of that many bytes, and of a read.
double WriteUnits(std::size_t bytes);
enum class Consistency { kEventual, kStrong };
Consistency ReadConsistency(const Fields& fields);
double ReadUnits(std::size_t bytes, Consistency consistency);
// Writes ConsumedCapacity where it was asked for.
void WriteCapacity(JsonWriter& json, CapacityReport report, std::string_view table, double units);

// Fails with kResourceNotFound.
Outcome<TablePtr> FindTable(const Store& store, std::string_view name);

}  // namespace kelvin::tables
