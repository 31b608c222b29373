#pragma once

#include <string_view>

#include "tables/json_writer.h"
#include "tables/store.h"

namespace kelvin::tables {

enum class TableStatus { kActive, kCreating, kUpdating, kDeleting };

// Writes a TableDescription. `store` says how much is in the table; null: nothing.
void WriteDescription(JsonWriter& json, const Table& table, TableStatus status,
                      std::string_view arn_prefix, const Store* store);

// A time as the protocol has it: seconds, to the millisecond.
double EpochSeconds(Clock::WallTime time);

}  // namespace kelvin::tables
