#pragma once

#include "service/control.h"

namespace kelvin::service {

// The calls about reserved and provisioned concurrency.
void AddConcurrencyCalls(Operations& operations, ControlParts& parts);

}  // namespace kelvin::service
