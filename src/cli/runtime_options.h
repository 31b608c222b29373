#pragma once

#include <expected>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/config.h"
#include "service/managed_runtimes.h"

namespace kelvin::cli {

// "nodejs20.x=FOLDER". Fails with kInvalidArgument.
std::expected<RuntimeConfig, Error> ParseRuntime(const std::string& text);

// Finds what is in the folders: one with a bootstrap is /var/runtime, and a folder `lang` in it
// /var/lang; in one with var/runtime/bootstrap, such as the files of one of AWS's images,
// var/runtime and var/lang are. Fails with kInvalidArgument where there is neither; of two runtimes
// of one name the later counts.
std::expected<service::ManagedRuntimes, Error> FindRuntimes(
    const std::vector<RuntimeConfig>& configured);

}  // namespace kelvin::cli
