#pragma once

#include <expected>
#include <string>

#include "base/error.h"

namespace kelvin::cli {

// The payload that a --payload argument means: JSON as it stands, or the path of a file with JSON
// in it. Fails with kInvalidArgument, saying where the JSON breaks off or that there is no such
// file.
std::expected<std::string, Error> ReadPayload(const std::string& json_or_path);

// The JSON of a file. Errors as above, and those of reading.
std::expected<std::string, Error> ReadJsonFile(const std::string& path);

}  // namespace kelvin::cli
