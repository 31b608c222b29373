#pragma once

#include "service/control.h"

namespace kelvin::service {

// The calls about aliases.
void AddAliasCalls(Operations& operations, ControlParts& parts);

// The version that an invoke of the target runs: an alias may send a part elsewhere.
const FunctionConfig& ChooseVersion(const Target& target, Random& random);

}  // namespace kelvin::service
