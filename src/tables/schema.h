#pragma once

#include <cstdint>
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

// What CreateTable, UpdateTable and UpdateTimeToLive say of a table.
struct TableDefinition {
  std::string name;
  std::string id;  // a UUID
  Clock::WallTime created;
  KeySchema key;
  BillingMode billing = BillingMode::kProvisioned;
  Throughput throughput;
  DeletionProtection deletion_protection = DeletionProtection::kOff;
  std::optional<std::string> time_to_live;  // the attribute with the time, where it is enabled
};

// The catalog's form of a definition, which old files must stay readable in.
std::string WriteDefinition(const TableDefinition& definition);
// Fails with kCorrupt.
std::expected<TableDefinition, Error> ReadDefinition(std::string_view text);

}  // namespace kelvin::tables
