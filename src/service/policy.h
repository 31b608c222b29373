#pragma once

#include <expected>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "service/api_error.h"
#include "service/string_map.h"

namespace kelvin::service {

// Resource policies in AWS's form.

// The body of a call that gives somebody a permission, with what every such call must say:
// StatementId, Action and Principal.
std::expected<boost::json::object, ApiError> ParsePermission(std::string_view body);
// Its statement, as yet without conditions.
boost::json::object PermissionStatement(const boost::json::object& permission,
                                        std::string_view resource);
// The document of statements, JSON by id.
std::string PolicyDocument(const StringMap& statements);

}  // namespace kelvin::service
