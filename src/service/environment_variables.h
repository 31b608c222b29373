#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/function_config.h"

namespace kelvin::service {

using EnvironmentVariables = std::vector<std::pair<std::string, std::string>>;

// All that a function's first process sees: Lambda's own variables, `defaults` (of the service),
// and the function's, of which the later win. `runtime_api` is the host:port of its Runtime API.
EnvironmentVariables FunctionEnvironment(const FunctionConfig& config, const Place& place,
                                         const EnvironmentVariables& defaults,
                                         std::string_view runtime_api, std::string_view log_stream);

// Whether Lambda sets the variable itself and refuses a function that wants to.
bool IsReservedVariable(std::string_view name);

}  // namespace kelvin::service
