#pragma once

#include <string>
#include <vector>

#include "lab/record.h"

namespace kelvin::lab {

// From which invoke of its environment on a build that compiles as it runs (jit, r2r) is faster
// than the aot build of its group is in the end; one line for each such build. A moment's luck does
// not count: it must stay so. Nothing for groups without aot, and where the record has no numbers
// of invokes.
std::vector<std::string> OvertakingLines(const Record& record);

}  // namespace kelvin::lab
