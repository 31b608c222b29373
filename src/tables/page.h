#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tables/capacity.h"
#include "tables/fields.h"
#include "tables/json_writer.h"
#include "tables/request.h"
#include "tables/store.h"

namespace kelvin::tables {

enum class PageKind { kQuery, kScan };

// What Query and Scan have in common: the members that say what a page shows.
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

  PageRequest(const boost::json::object& request, PageKind kind, const ExpressionForms& forms);
  PageRequest(const PageRequest&) = delete;
  PageRequest& operator=(const PageRequest&) = delete;

  // Whether Select fits the rest.
  Outcome<void> CheckSelect() const;

 private:
  void ReadLimit(PageKind kind);
};

// Where a Query or Scan reads: a table or one of its indexes.
struct Source {
  TablePtr table;
  const IndexDefinition* index = nullptr;  // within `table`; null: the table itself
  // Whether whole items are fetched from the table, for attributes that the index does not have.
  enum class Fetch { kNo, kYes } fetch = Fetch::kNo;

  std::int64_t container() const { return index != nullptr ? index->container : table->container; }
  const KeySchema& key() const { return index != nullptr ? index->key : table->definition.key; }
  const KeySchema& table_key() const { return table->definition.key; }
  // The attributes that LastEvaluatedKey has.
  std::vector<std::string_view> PlaceNames() const;
};
Outcome<Source> FindSource(const Store& store, const PageRequest& request);

// A query's filter sees what the index has, even where the item is fetched later.
Outcome<void> CheckFilterProjected(const PageRequest& request, const Source& source);

// The place of an ExclusiveStartKey, with the messages of Query or of Scan.
Outcome<Key> StartPlace(const PageRequest& request, const Source& source, PageKind kind);

// Takes items one after another and writes those that pass the filter, up to the page's limits.
class Page {
 public:
  Page(const PageRequest& request, const Source& source, Reader& reader);

  Visit Take(std::string_view bytes);
  // The answer, after the last Take.
  Outcome<std::string> Finish();

 private:
  bool Keep(std::string_view bytes);
  std::optional<std::string> FetchItem(std::string_view index_row);
  void WriteConsumed(JsonWriter& json) const;

  const PageRequest& request_;
  const Source& source_;
  Reader& reader_;
  std::vector<const Path*> paths_;
  std::string_view sort_key_;
  std::string items_;
  JsonWriter json_{items_};
  std::string last_;
  std::int64_t scanned_ = 0;
  std::int64_t count_ = 0;
  std::size_t page_bytes_ = 0;
  std::size_t bytes_ = 0;
  double fetched_units_ = 0;
  bool more_ = false;
  bool damaged_ = false;
};

}  // namespace kelvin::tables
