#pragma once

#include "service/control.h"

namespace kelvin::service {

// Account settings, and what is always the same here: code signing, runtime management, recursion.
void AddSettingsCalls(Operations& operations, ControlParts& parts);

}  // namespace kelvin::service
