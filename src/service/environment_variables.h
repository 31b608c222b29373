#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/function_config.h"

namespace kelvin::service {

using EnvironmentVariables = std::vector<std::pair<std::string, std::string>>;

// What differs from one environment of a function to the next.
struct EnvironmentFacts {
  std::string_view runtime_api;  // host:port
  std::string_view log_stream;
  std::string_view initialization = "on-demand";
};

// All that a function's first process sees: Lambda's own variables, `defaults` (of the service),
// and the function's, of which the later win.
EnvironmentVariables FunctionEnvironment(const FunctionConfig& config, const Place& place,
                                         const EnvironmentVariables& defaults,
                                         const EnvironmentFacts& facts);

// Whether Lambda sets the variable itself and refuses a function that wants to.
bool IsReservedVariable(std::string_view name);

}  // namespace kelvin::service
