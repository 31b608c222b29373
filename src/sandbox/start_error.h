#pragma once

#include <filesystem>

#include "base/error.h"
#include "sandbox/protocol.h"

namespace kelvin::sandbox {

// What to tell a user whose bootstrap did not start; `code` is the unpacked package.
Error ExplainStartFailure(const std::filesystem::path& code, const RunnerNote& note);

}  // namespace kelvin::sandbox
