#pragma once

#include <string>

#include "base/ids.h"
#include "service/function_record.h"

namespace kelvin::service {

// Makes a version of what $LATEST is now, and gives it back; when nothing has changed since the
// last version was published, gives that one. An empty description is $LATEST's.
FunctionConfig PublishLatest(FunctionRecord& record, Random& random,
                             const std::string& description);

}  // namespace kelvin::service
