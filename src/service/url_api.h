#pragma once

#include "service/control.h"

namespace kelvin::service {

// The calls about function URLs' configurations.
void AddUrlCalls(Operations& operations, ControlParts& parts);

}  // namespace kelvin::service
