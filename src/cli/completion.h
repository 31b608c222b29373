#pragma once

#include <string>
#include <vector>

#include "cli/host.h"

namespace kelvin::cli {

// kelvin completion SHELL: prints what makes bash, zsh or fish complete kelvin's commands and
// options. The shell asks kelvin itself each time (RunCommand's "complete"), so a script does not
// grow old with its options. Gives the exit code back.
int Completion(const std::vector<std::string>& arguments, const Host& host);

}  // namespace kelvin::cli
