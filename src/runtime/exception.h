#pragma once

#include "kelvin/handler_error.h"

namespace kelvin::runtime {

// The exception being handled, as an error with its C++ type, its message and the stack of its
// throw; a HandlerError that was thrown keeps its own type. Call it within a catch block only.
HandlerError DescribeCurrentException();

}  // namespace kelvin::runtime
