#pragma once

#include "base/error.h"
#include "sandbox/protocol.h"

namespace kelvin::sandbox {

// What to tell a user whose bootstrap did not start.
Error ExplainStartFailure(const SandboxFolders& folders, const RunnerNote& note);

}  // namespace kelvin::sandbox
