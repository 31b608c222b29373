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

// Makes the role with least privilege, or brings its policy up to date, and gives its ARN. The log
// group and its retention are made too.
std::expected<std::string, Error> EnsureRole(Api& api, const FunctionSpec& spec,
                                             std::vector<std::string>& done);
std::expected<void, Error> EnsureLogs(Api& api, const FunctionSpec& spec,
                                      std::vector<std::string>& done);
// Removes the role that EnsureRole made; another's stays.
std::expected<void, Error> DeleteRole(Api& api, const std::string& function,
                                      std::vector<std::string>& done);

}  // namespace kelvin::deploy
