#pragma once

#include <string_view>

#include "base/error.h"
#include "sandbox/protocol.h"

namespace kelvin::sandbox {

// What to tell a user whose bootstrap did not start.
Error ExplainStartFailure(const SandboxFolders& folders, const RunnerNote& note);
// The same for an extension, in the words that Lambda has for it.
Error ExplainExtensionFailure(const SandboxFolders& folders, std::string_view name,
                              const RunnerNote& note);

}  // namespace kelvin::sandbox
