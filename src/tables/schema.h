#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "tables/value.h"

namespace kelvin::tables {

struct KeyAttribute {
  std::string name;
  ValueType type = ValueType::kString;  // kString, kNumber or kBinary
};

struct KeySchema {
  KeyAttribute partition;
  std::optional<KeyAttribute> sort;

  bool Has(std::string_view attribute) const {
    return partition.name == attribute || (sort && sort->name == attribute);
  }
};

enum class BillingMode { kProvisioned, kPayPerRequest };
enum class DeletionProtection { kOff, kOn };

struct Throughput {
  std::int64_t read = 0;
  std::int64_t write = 0;
};

enum class IndexKind { kGlobal, kLocal };
enum class ProjectionType { kAll, kInclude, kKeysOnly };

// A secondary index. Its rows are kept like items, in a container of their own.
struct IndexDefinition {
  IndexKind kind = IndexKind::kGlobal;
  std::string name;
  std::int64_t container = 0;  // chosen by the store
  KeySchema key;
  ProjectionType projection = ProjectionType::kAll;
  std::vector<std::string> attributes;  // what kInclude has beside the keys
  Throughput throughput;
  std::optional<Throughput> warm;  // what was asked for; 0 where it was not
};

// Items leave by themselves once the time in this attribute, in seconds since 1970, has passed.
struct TimeToLive {
  std::string attribute;
  std::int64_t container = 0;  // of the rows that order items by that time; chosen by the store
};

// What CreateTable, UpdateTable, UpdateTimeToLive and the tags say of a table.
struct TableDefinition {
  std::string name;
  std::string id;  // a UUID
  Clock::WallTime created;
  KeySchema key;
  std::vector<KeyAttribute> attributes;  // all that are keys somewhere, in the request's order
  std::vector<IndexDefinition> indexes;
  BillingMode billing = BillingMode::kProvisioned;
  Throughput throughput;
  std::optional<Clock::WallTime> on_demand_since;
  DeletionProtection deletion_protection = DeletionProtection::kOff;
  std::optional<TimeToLive> time_to_live;
  std::map<std::string, std::string> tags;
  std::string table_class;  // empty where never given
  std::optional<Clock::WallTime> table_class_changed;
  std::optional<Throughput> warm;               // what was asked for; 0 where it was not
  std::string kms_key;                          // an ARN; empty for DynamoDB's own key
  std::optional<Throughput> on_demand_maximum;  // -1 for "no maximum"

  const IndexDefinition* FindIndex(std::string_view index) const;
  // Null where no key has an attribute of that name.
  const KeyAttribute* FindAttribute(std::string_view attribute) const;
};

std::string_view ProjectionName(ProjectionType type);  // "ALL", "INCLUDE", "KEYS_ONLY"

// The catalog's form of a definition, which old files must stay readable in.
std::string WriteDefinition(const TableDefinition& definition);
// Fails with kCorrupt.
std::expected<TableDefinition, Error> ReadDefinition(std::string_view text);

}  // namespace kelvin::tables
