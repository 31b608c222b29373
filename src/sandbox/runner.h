#pragma once

#include <vector>

#include "base/file.h"
#include "sandbox/protocol.h"

namespace kelvin::sandbox {

// What a process becomes that is to execute the bootstrap: it makes everything ready (output,
// cgroups, limits, user), says so, and waits for the word. So a start costs one exec and no fork.
// Called in a fresh child of the keeper; `channel` is its end.
[[noreturn]] void RunRunner(const LaunchRequest& request, int channel, int output,
                            const std::vector<UniqueFd>& join_files);
// The same for an extension, which executes at once.
[[noreturn]] void RunExtension(const LaunchRequest& request, const Program& program, int channel,
                               int output, const std::vector<UniqueFd>& join_files);

}  // namespace kelvin::sandbox
