#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "tables/condition.h"
#include "tables/item_codec.h"
#include "tables/operation.h"
#include "tables/request.h"
#include "tables/value_json.h"

namespace kelvin::tables {
namespace {

namespace json = boost::json;

// What a page reads before it ends, in items' bytes.
constexpr std::size_t kPageBytes = 1024 * 1024;

enum class Show { kItems, kCount };

// What Query and Scan have in common.
struct PageRequest {
  Faults faults;
  Fields fields;
  std::string_view table_name;
  std::optional<std::int64_t> limit;
  std::optional<std::string_view> select;
  std::optional<std::string_view> index;
  std::optional<Item> start;
  Consistency consistency;
  CapacityReport capacity;
  Expressions expressions;

  explicit PageRequest(const json::object& request)
      : fields(request, faults), table_name(fields.ItemTableName()) {
    constexpr std::array<std::string_view, 4> kSelect = {
        "SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"};
    limit = fields.Integer("Limit", Fields::Width::kInteger, {.min = 1});
    select = fields.Enum("Select", kSelect);
    index = fields.String("IndexName");
    start = fields.Attributes("ExclusiveStartKey");
    consistency = ReadConsistency(fields);
    capacity = ReadCapacityReport(fields);
  }
  PageRequest(const PageRequest&) = delete;
  PageRequest& operator=(const PageRequest&) = delete;

  Show show() const { return select == "COUNT" ? Show::kCount : Show::kItems; }

  Outcome<void> CheckSelect() const {
    const bool projects = !expressions.projection().empty();
    if (select == "ALL_PROJECTED_ATTRIBUTES" && !index) {
      return InvalidParameter(
          "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName");
    }
    if (select == "SPECIFIC_ATTRIBUTES" && !projects) {
      return InvalidParameter(
          "Must specify the AttributesToGet or ProjectionExpression when choosing to get "
          "SPECIFIC_ATTRIBUTES");
    }
    if (!projects || !select || select == "SPECIFIC_ATTRIBUTES") return {};
    return InvalidParameter(
        fmt::format("Cannot specify the ProjectionExpression when choosing to get {}",
                    select == "COUNT" ? "only the Count" : *select));
  }

  Outcome<TablePtr> FindIn(const Store& store) const {
    auto table = FindTable(store, table_name);
    if (table && index) {
      return Invalid(fmt::format("The table does not have the specified index: {}", *index));
    }
    return table;
  }
};

// Takes items one after another and writes those that pass the filter, up to the page's limits.
class Page {
 public:
  explicit Page(const PageRequest& request)
      : request_(request), paths_(request.expressions.projection_paths()) {
    json_.BeginArray();
  }

  Visit Take(std::string_view bytes) {
    if (scanned_ > 0 && bytes_ + bytes.size() > kPageBytes) {
      more_ = true;
      return Visit::kStop;
    }
    if (!Keep(bytes)) {
      damaged_ = true;
      return Visit::kStop;
    }
    last_.assign(bytes);
    ++scanned_;
    // A full page says where it ended even where nothing follows.
    more_ = request_.limit && scanned_ == *request_.limit;
    return more_ ? Visit::kStop : Visit::kContinue;
  }

  // The answer, after the last Take.
  Outcome<std::string> Finish(const Table& table) {
    json_.EndArray();
    const auto last = more_ ? DecodeItem(last_) : std::optional(Item{});
    if (damaged_ || !last) {
      return std::unexpected(
          FromError(Error{ErrorCode::kCorrupt, fmt::format("an item of table {} is damaged on disk",
                                                           table.definition.name)}));
    }
    std::string answer;
    JsonWriter json(answer);
    json.BeginObject();
    if (request_.show() == Show::kItems) {
      json.Key("Items");
      json.Raw(items_);
    }
    json.Field("Count", count_);
    json.Field("ScannedCount", scanned_);
    if (more_) {
      json.Key("LastEvaluatedKey");
      WriteItem(json, KeyAttributesOf(table.definition.key, *last));
    }
    WriteCapacity(json, request_.capacity, request_.table_name,
                  ReadUnits(bytes_, request_.consistency));
    json.EndObject();
    return answer;
  }

 private:
  bool Keep(std::string_view bytes) {
    const Node* filter = request_.expressions.filter();
    if (filter == nullptr && paths_.empty() && request_.show() == Show::kItems) {
      const auto size = WriteEncodedItem(json_, bytes);
      bytes_ += size.value_or(0);
      ++count_;
      return size.has_value();
    }
    const auto item = DecodeItem(bytes);
    if (!item) return false;
    bytes_ += SizeOf(*item);
    if (filter != nullptr && !Holds(*filter, *item)) return true;
    ++count_;
    if (request_.show() == Show::kItems) {
      WriteItem(json_, paths_.empty() ? *item : Project(*item, paths_));
    }
    return true;
  }

  const PageRequest& request_;
  std::vector<const Path*> paths_;
  std::string items_;
  JsonWriter json_{items_};
  std::string last_;
  std::int64_t scanned_ = 0;
  std::int64_t count_ = 0;
  std::size_t bytes_ = 0;
  bool more_ = false;
  bool damaged_ = false;
};

std::unexpected<Failure> BadStart() {
  return Invalid("The provided starting key is invalid");
}

Outcome<Key> StartOf(const KeySchema& schema, const Item& start) {
  auto key = KeyOfRequest(schema, start);
  if (key) return key;
  return Invalid(fmt::format("The provided starting key is invalid: {}", key.error().message));
}

// Narrows the range to what comes after the start key.
Outcome<void> ContinueAfter(const Item& start, const KeySchema& schema, Order order,
                            KeyRange& range) {
  if (start.size() != (schema.sort ? 2U : 1U)) return BadStart();
  const auto key = StartOf(schema, start);
  if (!key) return std::unexpected(key.error());
  const bool in_range =
      key->sort >= range.sort.low && (!range.sort.high || key->sort < *range.sort.high);
  if (!in_range) return Invalid("The provided starting key does not match the range key predicate");
  if (key->partition != range.partition) {
    return Invalid(
        "The provided starting key is outside query boundaries based on provided conditions");
  }
  if (order == Order::kAscending) {
    range.sort.low = After(key->sort);
  } else {
    range.sort.high = key->sort;
  }
  return {};
}

// A filter sees what the key condition let through; it must not look at the key again.
Outcome<void> CheckFilter(const Node& node, const KeySchema& schema) {
  if (node.kind == NodeKind::kPath) {
    const auto& name = std::get<std::string>(node.path[0]);
    if (!schema.Has(name)) return {};
    return Invalid(
        fmt::format("Filter Expression can only contain non-primary key attributes: Primary key "
                    "attribute: {}",
                    name));
  }
  for (const Node& arg : node.args) {
    if (auto ok = CheckFilter(arg, schema); !ok) return ok;
  }
  return {};
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

Outcome<ScanRange> RangeOf(const Segment& segment, const std::optional<Item>& start,
                           const KeySchema& schema) {
  ScanRange range{SegmentStart(segment.number, segment.total), "", std::nullopt};
  if (segment.number + 1 < segment.total) {
    range.last_partition = SegmentStart(segment.number + 1, segment.total);
  }
  if (!start) return range;
  const auto key = StartOf(schema, *start);
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

}  // namespace

Outcome<std::string> Query(OperationContext& context, const json::object& body) {
  PageRequest request(body);
  const Order order = request.fields.Boolean("ScanIndexForward").value_or(true)
                          ? Order::kAscending
                          : Order::kDescending;
  if (auto ok = request.expressions.Read(
          request.fields, {"ProjectionExpression", "FilterExpression", "KeyConditionExpression"});
      !ok) {
    return std::unexpected(std::move(ok.error()));
  }
  if (auto ok = request.CheckSelect(); !ok) return std::unexpected(std::move(ok.error()));
  const Node* condition = request.expressions.key_condition();
  if (condition == nullptr) {
    return Invalid(
        "Either the KeyConditions or KeyConditionExpression parameter must be specified in the "
        "request.");
  }
  const auto table = request.FindIn(context.store);
  if (!table) return std::unexpected(table.error());
  const KeySchema& schema = (*table)->definition.key;
  auto range = ReadKeyCondition(*condition, schema);
  if (!range) return std::unexpected(std::move(range.error()));
  if (request.start) {
    if (auto ok = ContinueAfter(*request.start, schema, order, *range); !ok) {
      return std::unexpected(std::move(ok.error()));
    }
  }
  if (const Node* filter = request.expressions.filter()) {
    if (auto ok = CheckFilter(*filter, schema); !ok) return std::unexpected(std::move(ok.error()));
  }
  Page page(request);
  const auto read = context.store.Query(**table, range->partition, range->sort, order,
                                        [&](std::string_view item) { return page.Take(item); });
  if (!read) return std::unexpected(FromError(read.error()));
  return page.Finish(**table);
}

Outcome<std::string> Scan(OperationContext& context, const json::object& body) {
  constexpr std::int64_t kMaxSegments = 1'000'000;
  PageRequest request(body);
  const auto number = request.fields.Integer("Segment", Fields::Width::kInteger,
                                             {.min = 0, .max = kMaxSegments - 1});
  const auto total = request.fields.Integer("TotalSegments", Fields::Width::kInteger,
                                            {.min = 1, .max = kMaxSegments});
  if (auto ok =
          request.expressions.Read(request.fields, {"ProjectionExpression", "FilterExpression"});
      !ok) {
    return std::unexpected(std::move(ok.error()));
  }
  if (auto ok = request.CheckSelect(); !ok) return std::unexpected(std::move(ok.error()));
  const auto segment = ReadSegment(number, total);
  if (!segment) return std::unexpected(segment.error());
  const auto table = request.FindIn(context.store);
  if (!table) return std::unexpected(table.error());
  const auto range = RangeOf(*segment, request.start, (*table)->definition.key);
  if (!range) return std::unexpected(range.error());
  Page page(request);
  const auto read =
      context.store.Scan(**table, *range, [&](std::string_view item) { return page.Take(item); });
  if (!read) return std::unexpected(FromError(read.error()));
  return page.Finish(**table);
}

}  // namespace kelvin::tables
