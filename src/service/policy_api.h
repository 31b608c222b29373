#pragma once

#include "service/control.h"

namespace kelvin::service {

// AddPermission, GetPolicy and RemovePermission. Policies are kept and shown; nobody is refused by
// one.
void AddPolicyCalls(Operations& operations, ControlParts& parts);

}  // namespace kelvin::service
