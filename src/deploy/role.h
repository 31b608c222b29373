#pragma once

#include <expected>
#include <string>
#include <vector>

#include <boost/json.hpp>

#include "deploy/api.h"
#include "deploy/function_spec.h"

namespace kelvin::deploy {

// The name of the role that deploy makes for a function.
std::string RoleName(const std::string& function);

// Lambda alone may take the role.
boost::json::object TrustPolicy();

// Whether the role of that ARN is the one that deploy made.
bool IsOwnRole(const std::string& arn, const std::string& function);
// Whether its policy is what the function needs. Reads only.
std::expected<bool, Error> IsPolicyCurrent(Api& api, const FunctionSpec& spec);
// Makes the role with least privilege, or brings its policy up to date, and gives its ARN.
std::expected<std::string, Error> EnsureRole(Api& api, const FunctionSpec& spec,
                                             std::vector<std::string>& done);
// Removes the role that EnsureRole made; another's stays.
std::expected<void, Error> DeleteRole(Api& api, const std::string& function,
                                      std::vector<std::string>& done);

}  // namespace kelvin::deploy
