#pragma once

#include <expected>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "service/api_error.h"

namespace kelvin::service {

// The object that a request's body is. Fails with AWS's
// InvalidRequestContentException.
std::expected<boost::json::object, ApiError> ParseBody(std::string_view body);

// Text at `name`; empty when it is missing or something else.
std::string OptionalText(const boost::json::object& body, std::string_view name);
// `name` is there and true.
bool IsTrue(const boost::json::object& body, std::string_view name);

// The zip of a "ZipFile": `code` is the Code of a CreateFunction, the Content of a
// PublishLayerVersion, or the whole body of an UpdateFunctionCode.
std::expected<std::string, ApiError> ReadZip(const boost::json::object& code,
                                             std::string_view operation);

// "... at 'member' failed to satisfy constraint: Member must not be null"
ApiError MissingMember(std::string_view member);

}  // namespace kelvin::service
