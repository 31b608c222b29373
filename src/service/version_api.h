#pragma once

#include "service/control.h"

namespace kelvin::service {

// PublishVersion and ListVersionsByFunction.
void AddVersionCalls(Operations& operations, ControlParts& parts);

}  // namespace kelvin::service
