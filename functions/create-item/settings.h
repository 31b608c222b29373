#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>

#include <kelvin/kelvin.h>

namespace create_item {

struct Settings {
  std::string table_name;                // TABLE_NAME: a table's name or ARN; required
  std::optional<std::chrono::days> ttl;  // TTL_DAYS: from 1 to 36500; items live for ever without
};

// From the function's environment variables. The error says which variable, what was expected and
// what came.
std::expected<Settings, kelvin::HandlerError> ReadSettings(const kelvin::Environment& environment);

}  // namespace create_item
