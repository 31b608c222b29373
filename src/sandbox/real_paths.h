#pragma once

#include <string>
#include <string_view>

#include "sandbox/protocol.h"

namespace kelvin::sandbox {

// For a sandbox without mounts of its own, in which the folders are where the host has them: the
// "NAME=value" with which a process finds what Lambda has at /var/task, /opt, /var/runtime and
// /var/lang. Variables that are the function's own stay as they are.
std::string WithRealPaths(std::string_view variable, const SandboxFolders& folders);

}  // namespace kelvin::sandbox
