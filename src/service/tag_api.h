#pragma once

#include "service/control.h"

namespace kelvin::service {

// ListTags, TagResource and UntagResource.
void AddTagCalls(Operations& operations, ControlParts& parts);

}  // namespace kelvin::service
