#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/ids.h"

namespace kelvin::service {

// The X-Amzn-Trace-Id of a request: the caller's `given`, or a new one that nobody samples.
std::string TraceId(std::string_view given, const Clock& clock, Random& random);

}  // namespace kelvin::service
