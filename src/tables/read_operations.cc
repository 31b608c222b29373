#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "tables/condition.h"
#include "tables/operation.h"
#include "tables/page.h"

namespace kelvin::tables {
namespace {

namespace json = boost::json;

const ExpressionForms kQueryForms{
    {"ProjectionExpression", "FilterExpression", "KeyConditionExpression"},
    {"AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions"}};
const ExpressionForms kScanForms{{"ProjectionExpression", "FilterExpression"},
                                 {"AttributesToGet", "ScanFilter", "ConditionalOperator"}};

// Faults within a start key's values are introduced, but for those of numbers and duplicates.
Outcome<void> CheckStartValues(const PageRequest& request) {
  auto ok = request.faults.Check();
  if (ok || ok.error().kind != FailureKind::kValidation) return ok;
  std::string& message = ok.error().message;
  for (const std::string_view plain : {"contains duplicates", "number set", "numeric value",
                                       "significant digits", "number with magnitude"}) {
    if (message.contains(plain)) return ok;
  }
  message = "The provided starting key is invalid: " + message;
  return ok;
}

Outcome<void> CheckMembers(const PageRequest& request) {
  if (auto ok = request.faults.CheckShape(); !ok) return ok;
  if (auto ok = request.expressions.CheckForms(); !ok) return ok;
  if (auto ok = request.expressions.CheckLegacy(); !ok) return ok;
  return CheckStartValues(request);
}

bool IsIndexable(LegacyOperator op) {
  return op != LegacyOperator::kNull && op != LegacyOperator::kNotNull &&
         op != LegacyOperator::kNotEqual && op != LegacyOperator::kContains &&
         op != LegacyOperator::kNotContains && op != LegacyOperator::kIn;
}

// The older key conditions, in the order of the key: what an index cannot answer is said of an
// attribute once that attribute is known to be asked for, and those before it to be right.
Outcome<void> CheckIndexable(const std::vector<LegacyCondition>& conditions,
                             const KeySchema& schema) {
  const auto unsupported = [] { return Invalid("Query key condition not supported"); };
  if (!schema.sort && conditions.size() > 1) return unsupported();
  for (const KeyAttribute* key : {&schema.partition, schema.sort ? &*schema.sort : nullptr}) {
    const auto condition =
        key == nullptr ? conditions.end()
                       : std::ranges::find(conditions, key->name, &LegacyCondition::attribute);
    const bool is_partition = key == &schema.partition;
    if (condition == conditions.end()) {
      if (!is_partition && conditions.size() < 2) return {};
      return Invalid(fmt::format("Query condition missed key schema element: {}", key->name));
    }
    if (!IsIndexable(condition->op)) {
      return Invalid("Attempted conditional constraint is not an indexable operation");
    }
    if (!std::ranges::all_of(condition->values,
                             [&](const Value& value) { return value.type() == key->type; })) {
      return InvalidParameter("Condition parameter type does not match schema type");
    }
    if (is_partition && condition->op != LegacyOperator::kEqual) return unsupported();
  }
  return {};
}

Outcome<void> CheckKeyShape(const Expressions& expressions) {
  if (expressions.key_wording() == Expressions::Wording::kExpression &&
      expressions.key_condition() != nullptr) {
    return CheckKeyCondition(*expressions.key_condition());
  }
  const std::size_t conditions = expressions.key_conditions().size();
  if (conditions == 1 || conditions == 2) return {};
  return Invalid("Conditions can be of length 1 or 2 only");
}

// Narrows the range to what comes after the start key.
Outcome<void> ContinueAfter(const Key& start, Order order, bool has_sort_condition,
                            KeyRange& range) {
  const bool in_range =
      start.sort >= range.sort.low && (!range.sort.high || start.sort < *range.sort.high);
  if (has_sort_condition && !in_range) {
    return Invalid("The provided starting key does not match the range key predicate");
  }
  if (start.partition != range.partition) {
    return Invalid(has_sort_condition
                       ? "The query can return at most one row and cannot be restarted"
                       : "The provided starting key is outside query boundaries based on provided "
                         "conditions");
  }
  if (order == Order::kAscending) {
    range.sort.low = After(start.sort);
  } else {
    range.sort.high = start.sort;
  }
  return {};
}

// A filter sees what the key condition let through; it must not look at the key again.
Outcome<void> CheckFilterKeys(const Expressions& expressions, const KeySchema& schema) {
  if (expressions.filter() == nullptr) return {};
  std::vector<const Path*> paths;
  CollectPaths(*expressions.filter(), paths);
  for (const Path* path : paths) {
    const auto& name = std::get<std::string>((*path)[0]);
    if (!schema.Has(name)) continue;
    return Invalid(fmt::format(
        "{} can only contain non-primary key attributes: Primary key attribute: {}",
        expressions.filter_wording() == Expressions::Wording::kLegacy ? "QueryFilter"
                                                                      : "Filter Expression",
        name));
  }
  return {};
}

Outcome<void> CheckPaths(const Expressions& expressions, const TableDefinition& definition) {
  std::vector<const Path*> paths = expressions.projection_paths();
  if (const Node* filter = expressions.filter()) CollectPaths(*filter, paths);
  return CheckKeyPaths(paths, definition);
}

bool HasSortCondition(const KeyRange& range) {
  return !range.sort.low.empty() || range.sort.high.has_value();
}

struct Segment {
  std::int64_t number = 0;
  std::int64_t total = 1;
};

Outcome<Segment> ReadSegment(std::optional<std::int64_t> number,
                             std::optional<std::int64_t> total) {
  if (number && !total) {
    return Invalid(
        "The TotalSegments parameter is required but was not present in the request when Segment "
        "parameter is present");
  }
  if (!number && total) {
    return Invalid(
        "The Segment parameter is required but was not present in the request when parameter "
        "TotalSegments is present");
  }
  if (!number) return Segment{};
  if (*number >= *total) {
    return Invalid(
        fmt::format("The Segment parameter is zero-based and must be less than parameter "
                    "TotalSegments: Segment: {} is not less than TotalSegments: {}",
                    *number, *total));
  }
  return Segment{*number, *total};
}

Outcome<ScanRange> RangeOf(const Segment& segment, const PageRequest& request,
                           const Source& source) {
  ScanRange range{SegmentStart(segment.number, segment.total), "", std::nullopt};
  if (segment.number + 1 < segment.total) {
    range.last_partition = SegmentStart(segment.number + 1, segment.total);
  }
  if (!request.start) return range;
  const auto key = StartPlace(request, source, PageKind::kScan);
  if (!key) return std::unexpected(key.error());
  if (key->partition < range.first_partition ||
      (range.last_partition && key->partition >= *range.last_partition)) {
    return Invalid(
        fmt::format("The provided starting key is invalid: Invalid ExclusiveStartKey. Please use "
                    "ExclusiveStartKey with correct Segment. TotalSegments: {} Segment: {}",
                    segment.total, segment.number));
  }
  range.first_partition = key->partition;
  range.first_sort = After(key->sort);
  return range;
}

Outcome<KeyRange> RangeOfQuery(const PageRequest& request, const Source& source, Order order) {
  const Expressions& expressions = request.expressions;
  std::optional<Key> start;
  if (request.start) {
    auto place = StartPlace(request, source, PageKind::kQuery);
    if (!place) return std::unexpected(std::move(place.error()));
    start = std::move(*place);
  }
  if (expressions.key_wording() == Expressions::Wording::kLegacy) {
    if (auto ok = CheckIndexable(expressions.key_conditions(), source.key()); !ok) {
      return std::unexpected(std::move(ok.error()));
    }
  }
  auto range = ReadKeyCondition(*expressions.key_condition(), source.key(),
                                source.index != nullptr ? SortLayout::kIndex : SortLayout::kTable);
  if (!range || !start) return range;
  if (auto ok = ContinueAfter(*start, order, HasSortCondition(*range), *range); !ok) {
    return std::unexpected(std::move(ok.error()));
  }
  return range;
}

}  // namespace

Outcome<std::string> Query(OperationContext& context, const json::object& body) {
  PageRequest request(body, PageKind::kQuery, kQueryForms);
  const Order order = request.fields.Boolean("ScanIndexForward").value_or(true)
                          ? Order::kAscending
                          : Order::kDescending;
  Expressions& expressions = request.expressions;
  if (auto ok = CheckMembers(request); !ok) return std::unexpected(std::move(ok.error()));
  if (request.fields.Find("KeyConditionExpression") == nullptr &&
      !expressions.has_key_conditions()) {
    return Invalid(
        "Either the KeyConditions or KeyConditionExpression parameter must be specified in the "
        "request.");
  }
  if (auto ok = expressions.Parse(); !ok) return std::unexpected(std::move(ok.error()));
  if (auto ok = CheckLegacyConditions(expressions.key_conditions()); !ok) {
    return std::unexpected(std::move(ok.error()));
  }
  if (auto ok = CheckKeyShape(expressions); !ok) return std::unexpected(std::move(ok.error()));
  if (auto ok = request.CheckSelect(); !ok) return std::unexpected(std::move(ok.error()));
  const auto source = FindSource(context.store, request);
  if (!source) return std::unexpected(source.error());
  const auto range = RangeOfQuery(request, *source, order);
  if (!range) return std::unexpected(range.error());
  if (auto ok = CheckFilterKeys(expressions, source->key()); !ok) {
    return std::unexpected(std::move(ok.error()));
  }
  if (auto ok = CheckFilterProjected(request, *source); !ok) {
    return std::unexpected(std::move(ok.error()));
  }
  if (auto ok = CheckPaths(expressions, source->table->definition); !ok) {
    return std::unexpected(std::move(ok.error()));
  }
  auto reader = context.store.Read();
  if (!reader) return std::unexpected(FromError(reader.error()));
  Page page(request, *source, *reader);
  const auto read = reader->Query(source->container(), range->partition, range->sort, order,
                                  [&](std::string_view item) { return page.Take(item); });
  if (!read) return std::unexpected(FromError(read.error()));
  return page.Finish();
}

Outcome<std::string> Scan(OperationContext& context, const json::object& body) {
  constexpr std::int64_t kMaxSegments = 1'000'000;
  PageRequest request(body, PageKind::kScan, kScanForms);
  const auto number = request.fields.Integer("Segment", Fields::Width::kInteger,
                                             {.min = 0, .max = kMaxSegments - 1});
  const auto total = request.fields.Integer("TotalSegments", Fields::Width::kInteger,
                                            {.min = 1, .max = kMaxSegments});
  if (auto ok = CheckMembers(request); !ok) return std::unexpected(std::move(ok.error()));
  const auto segment = ReadSegment(number, total);
  if (!segment) return std::unexpected(segment.error());
  if (auto ok = request.expressions.Parse(); !ok) return std::unexpected(std::move(ok.error()));
  if (auto ok = request.CheckSelect(); !ok) return std::unexpected(std::move(ok.error()));
  const auto source = FindSource(context.store, request);
  if (!source) return std::unexpected(source.error());
  const auto range = RangeOf(*segment, request, *source);
  if (!range) return std::unexpected(range.error());
  if (auto ok = CheckPaths(request.expressions, source->table->definition); !ok) {
    return std::unexpected(std::move(ok.error()));
  }
  auto reader = context.store.Read();
  if (!reader) return std::unexpected(FromError(reader.error()));
  Page page(request, *source, *reader);
  const auto read = reader->Scan(
      source->container(), *range,
      [&](std::string_view, std::string_view, std::string_view item) { return page.Take(item); });
  if (!read) return std::unexpected(FromError(read.error()));
  return page.Finish();
}

}  // namespace kelvin::tables
