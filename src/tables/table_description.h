#pragma once

#include <string_view>

#include "tables/json_writer.h"
#include "tables/store.h"

namespace kelvin::tables {

enum class TableStatus { kActive, kCreating, kUpdating };

// Writes a TableDescription. `store` says how much is in the table; null: nothing.
void WriteDescription(JsonWriter& json, const Table& table, TableStatus status,
                      std::string_view arn_prefix, const Store* store);

// The same of a table that is gone, of which the protocol says less.
void WriteDeleted(JsonWriter& json, const Table& table, std::string_view arn_prefix);

// What a table and its indexes are warm for without being asked.
inline constexpr Throughput kOnDemandWarm{12'000, 4'000};
Throughput LeastWarm(const TableDefinition& definition);

// A time as the protocol has it: seconds, to the millisecond.
double EpochSeconds(Clock::WallTime time);

}  // namespace kelvin::tables
