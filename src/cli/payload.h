#pragma once

#include <expected>
#include <string>

#include "base/error.h"

namespace kelvin::cli {

// The payload that a --payload argument means: JSON as it stands, the path of a file with JSON in
// it, or "example:NAME", an example event. Fails with kInvalidArgument, saying where the JSON
// breaks off or that there is no such file or example.
std::expected<std::string, Error> ReadPayload(const std::string& argument);

// The JSON of a file. Errors as above, and those of reading.
std::expected<std::string, Error> ReadJsonFile(const std::string& path);

}  // namespace kelvin::cli
