#pragma once

#include <expected>
#include <filesystem>
#include <string>

#include "base/error.h"
#include "package/contents.h"

namespace kelvin::cli {

// The path of the zip with Kelvin's engine, which lies beside a package of mode jit or r2r where
// kelvin_add_function puts it; empty for a package that needs none. kInvalidArgument when it is
// needed and not there.
std::expected<std::string, Error> EngineLayerOf(const std::filesystem::path& package,
                                                const package::Contents& contents);

}  // namespace kelvin::cli
