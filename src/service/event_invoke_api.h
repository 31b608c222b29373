#pragma once

#include "service/control.h"

namespace kelvin::service {

// The calls about what becomes of asynchronous invokes.
void AddEventInvokeCalls(Operations& operations, ControlParts& parts);

}  // namespace kelvin::service
