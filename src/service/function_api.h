#pragma once

#include "service/control.h"

namespace kelvin::service {

// The calls that make, show, change and delete functions and their versions. What they answer with
// success is on the disk.
void AddFunctionCalls(Operations& operations, ControlParts& parts);

}  // namespace kelvin::service
