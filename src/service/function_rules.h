#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "service/api_error.h"
#include "service/function_config.h"

namespace kelvin::service {

using Checked = std::expected<void, ApiError>;

// One field of a request body: reads `value` into the configuration, or says in AWS's words what
// is wrong with it.
using FieldRule = Checked (*)(const boost::json::value& value, FunctionConfig& config);

// Reads every field of `body` that the configuration of a function has; others are left alone.
Checked ApplyConfigurationFields(const boost::json::object& body, FunctionConfig& config);

// 400 ValidationException in the form "1 validation error detected: Value '...' at '...' failed to
// satisfy constraint: ...".
ApiError ConstraintError(std::string_view value, std::string_view field,
                         std::string_view constraint);
ApiError InvalidParameter(std::string_view message);

// "[a, b]", as such messages show a list.
std::string ListText(const std::vector<std::string>& texts);
// 400 when a function may not have so many tags.
Checked CheckTagCount(std::size_t count);

}  // namespace kelvin::service
