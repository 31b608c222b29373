#include "tables/page.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tables/condition.h"
#include "tables/item_codec.h"
#include "tables/value_json.h"

namespace kelvin::tables {
namespace {

// What a page reads before it ends; the item that goes beyond is still part of it.
constexpr std::size_t kPageBytes = 1024 * 1024;

bool IsProjected(const Source& source, std::string_view attribute) {
  const IndexDefinition& index = *source.index;
  return index.projection == ProjectionType::kAll || index.key.Has(attribute) ||
         source.table_key().Has(attribute) ||
         std::ranges::find(index.attributes, attribute) != index.attributes.end();
}

// Attributes that a request shows or filters by, and that the index does not have.
std::vector<std::string> Unprojected(const Source& source, const std::vector<const Path*>& paths) {
  std::vector<std::string> names;
  for (const Path* path : paths) {
    const auto& name = std::get<std::string>((*path)[0]);
    if (!IsProjected(source, name)) names.push_back(name);
  }
  return names;
}

Outcome<void> CheckGlobalIndex(const PageRequest& request, const Source& source) {
  if (request.consistency == Consistency::kStrong) {
    return Invalid("Consistent reads are not supported on global secondary indexes");
  }
  if (request.select == "ALL_ATTRIBUTES" && source.index->projection != ProjectionType::kAll) {
    return InvalidParameter(
        fmt::format("Select type ALL_ATTRIBUTES is not supported for global secondary index {} "
                    "because its projection type is not ALL",
                    source.index->name));
  }
  const auto missing = Unprojected(source, request.expressions.projection_paths());
  if (missing.empty()) return {};
  return InvalidParameter(fmt::format("Global secondary index {} does not project [{}]",
                                      source.index->name, fmt::join(missing, ", ")));
}

Source::Fetch FetchOf(const PageRequest& request, const Source& source) {
  if (source.index->projection == ProjectionType::kAll) return Source::Fetch::kNo;
  if (request.select == "ALL_ATTRIBUTES") return Source::Fetch::kYes;
  std::vector<const Path*> paths = request.expressions.projection_paths();
  if (const Node* filter = request.expressions.filter()) CollectPaths(*filter, paths);
  return Unprojected(source, paths).empty() ? Source::Fetch::kNo : Source::Fetch::kYes;
}

}  // namespace

Outcome<void> CheckFilterProjected(const PageRequest& request, const Source& source) {
  if (source.index == nullptr || request.expressions.filter() == nullptr) return {};
  std::vector<const Path*> paths;
  CollectPaths(*request.expressions.filter(), paths);
  auto missing = Unprojected(source, paths);
  if (missing.empty()) return {};
  std::ranges::sort(missing);
  const auto repeated = std::ranges::unique(missing);
  missing.erase(repeated.begin(), repeated.end());
  return InvalidParameter(
      fmt::format("Secondary index {} does not project one or more filter attributes: [{}]",
                  source.index->name, fmt::join(missing, ", ")));
}

namespace {

std::unexpected<Failure> BadStart(std::string_view why = {}) {
  return Invalid(why.empty() ? "The provided starting key is invalid"
                             : fmt::format("The provided starting key is invalid: {}", why));
}

Outcome<void> CheckStartAttribute(const KeyAttribute& key, KeyRole role, const Item& start) {
  const Value* value = start.Find(key.name);
  if (value == nullptr) return BadStart();
  if (value->type() != key.type) {
    return Invalid("The provided key element does not match the schema");
  }
  return CheckKeyValue(role, key.name, *value);
}

}  // namespace

PageRequest::PageRequest(const boost::json::object& request, PageKind kind,
                         const ExpressionForms& forms)
    : fields(request, faults),
      table_name(fields.ItemTableName()),
      capacity(ReadCapacityReport(fields)),
      expressions(fields, forms) {
  constexpr std::array<std::string_view, 4> kSelect = {
      "SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"};
  consistency = ReadConsistency(fields);
  ReadLimit(kind);
  select = fields.Enum("Select", kSelect);
  index = fields.String("IndexName");
  if (index) fields.CheckName("IndexName", *index);
  start = fields.Attributes("ExclusiveStartKey");
}

// The two operations word this differently.
void PageRequest::ReadLimit(PageKind kind) {
  if (kind == PageKind::kScan) {
    limit = fields.Integer("Limit", Fields::Width::kInteger, {.min = 1});
    return;
  }
  limit = fields.Integer("Limit", Fields::Width::kInteger,
                         {.min = std::numeric_limits<std::int64_t>::min()});
  if (limit && *limit < 1) {
    faults.ConstraintText(
        "Value at 'Limit' failed to satisfy constraint: Member must have value greater than or "
        "equal to 1");
  }
}

Outcome<void> PageRequest::CheckSelect() const {
  const bool projects = !expressions.projection().empty();
  const auto broken = [](std::string_view what) {
    return Invalid(fmt::format("1 validation error detected: {}", what));
  };
  if (projects && select && select != "SPECIFIC_ATTRIBUTES") {
    return broken(fmt::format(
        "Cannot specify the {} when choosing to get {}",
        expressions.has_attributes_to_get() ? "AttributesToGet" : "ProjectionExpression",
        select == "COUNT" ? "only the Count" : *select));
  }
  if (select == "ALL_PROJECTED_ATTRIBUTES" && !index) {
    return InvalidParameter(
        "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName");
  }
  if (select != "SPECIFIC_ATTRIBUTES" || projects) return {};
  return broken(
      "Must specify the AttributesToGet or ProjectionExpression when choosing to get "
      "SPECIFIC_ATTRIBUTES");
}

std::vector<std::string_view> Source::PlaceNames() const {
  std::vector<std::string_view> names;
  const auto add = [&](std::string_view name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  for (const KeySchema* schema : {&table_key(), &key()}) {
    add(schema->partition.name);
    if (schema->sort) add(schema->sort->name);
  }
  return names;
}

Outcome<Source> FindSource(const Store& store, const PageRequest& request) {
  auto table = FindTable(store, request.table_name);
  if (!table) return std::unexpected(std::move(table.error()));
  Source source{std::move(*table)};
  if (!request.index) return source;
  source.index = source.table->definition.FindIndex(*request.index);
  if (source.index == nullptr) {
    return Invalid(fmt::format("The table does not have the specified index: {}", *request.index));
  }
  if (source.index->kind == IndexKind::kGlobal) {
    if (auto ok = CheckGlobalIndex(request, source); !ok) return std::unexpected(ok.error());
    return source;
  }
  source.fetch = FetchOf(request, source);
  return source;
}

Outcome<Key> StartPlace(const PageRequest& request, const Source& source, PageKind kind) {
  const Item& start = *request.start;
  if (start.size() != source.PlaceNames().size()) {
    if (kind == PageKind::kQuery || source.index != nullptr) return BadStart();
    return BadStart("The provided key element does not match the schema");
  }
  const KeySchema& key = source.key();
  if (source.index != nullptr || kind == PageKind::kQuery) {
    auto ok = CheckStartAttribute(key.partition, KeyRole::kPartition, start);
    if (ok && key.sort) ok = CheckStartAttribute(*key.sort, KeyRole::kSort, start);
    if (!ok) return std::unexpected(std::move(ok.error()));
  }
  auto item_place = KeyOfRequest(source.table_key(), KeyAttributesOf(source.table_key(), start));
  if (!item_place) return BadStart(item_place.error().message);
  if (source.index == nullptr) return item_place;
  const auto sort = key.sort ? std::optional(*start.Find(key.sort->name)) : std::nullopt;
  return Key{EncodePartition(*start.Find(key.partition.name)), EncodeIndexSort(sort, *item_place)};
}

Page::Page(const PageRequest& request, const Source& source, Reader& reader)
    : request_(request),
      source_(source),
      reader_(reader),
      paths_(request.expressions.projection_paths()) {
  if (source.table_key().sort) sort_key_ = source.table_key().sort->name;
  json_.BeginArray();
}

std::optional<std::string> Page::FetchItem(std::string_view index_row) {
  const auto row = DecodeItem(index_row);
  const auto key =
      row ? KeyOfItem(source_.table_key(), *row) : Outcome<Key>(std::unexpected(Failure{}));
  if (!key) return std::nullopt;
  std::optional<std::string> item;
  const auto read = reader_.Get(source_.table->container, *key, [&](std::string_view bytes) {
    item = std::string(bytes);
    return Visit::kStop;
  });
  return read ? item : std::nullopt;
}

Visit Page::Take(std::string_view bytes) {
  const auto page_size = EncodedPageSize(bytes, sort_key_);
  bool kept = page_size.has_value();
  if (kept && source_.fetch == Source::Fetch::kYes) {
    const auto item = FetchItem(bytes);
    kept = item && Keep(*item);
    if (kept) {
      fetched_units_ += ReadUnits(EncodedItemSize(*item).value_or(0), request_.consistency);
      bytes_ += EncodedItemSize(bytes).value_or(0);
    }
  } else if (kept) {
    kept = Keep(bytes);
  }
  if (!kept) {
    damaged_ = true;
    return Visit::kStop;
  }
  last_.assign(bytes);
  ++scanned_;
  page_bytes_ += *page_size;
  // A full page says where it ended even where nothing follows.
  more_ = (request_.limit && scanned_ == *request_.limit) || page_bytes_ >= kPageBytes;
  return more_ ? Visit::kStop : Visit::kContinue;
}

bool Page::Keep(std::string_view bytes) {
  const Node* filter = request_.expressions.filter();
  const bool counts_only = request_.select == "COUNT";
  const bool measures = source_.fetch == Source::Fetch::kNo;
  if (filter == nullptr && paths_.empty() && !counts_only) {
    const auto size = WriteEncodedItem(json_, bytes);
    if (measures) bytes_ += size.value_or(0);
    ++count_;
    return size.has_value();
  }
  const auto item = DecodeItem(bytes);
  if (!item) return false;
  if (measures) bytes_ += SizeOf(*item);
  if (filter != nullptr && !Holds(*filter, *item)) return true;
  ++count_;
  if (!counts_only) WriteItem(json_, paths_.empty() ? *item : Project(*item, paths_));
  return true;
}

void Page::WriteConsumed(JsonWriter& json) const {
  Consumed consumed(request_.table_name);
  const double units = ReadUnits(bytes_, request_.consistency);
  if (source_.index == nullptr) {
    consumed.AddTable(units);
  } else {
    consumed.AddTable(fetched_units_);
    consumed.AddIndex(source_.index->kind, source_.index->name, units);
  }
  WriteCapacity(json, request_.capacity, consumed);
}

Outcome<std::string> Page::Finish() {
  json_.EndArray();
  const auto last = more_ ? DecodeItem(last_) : std::optional(Item{});
  if (damaged_ || !last) {
    return std::unexpected(
        FromError(Error{ErrorCode::kCorrupt, fmt::format("an item of table {} is damaged on disk",
                                                         source_.table->definition.name)}));
  }
  std::string answer;
  JsonWriter json(answer);
  json.BeginObject();
  if (request_.select != "COUNT") {
    json.Key("Items");
    json.Raw(items_);
  }
  json.Field("Count", count_);
  json.Field("ScannedCount", scanned_);
  if (more_) {
    json.Key("LastEvaluatedKey");
    json.BeginObject();
    for (const std::string_view name : source_.PlaceNames()) {
      json.Key(name);
      if (const Value* value = last->Find(name)) WriteValue(json, *value);
    }
    json.EndObject();
  }
  WriteConsumed(json);
  json.EndObject();
  return answer;
}

}  // namespace kelvin::tables
