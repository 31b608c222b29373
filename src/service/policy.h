#pragma once

#include <string>

#include <boost/json/value.hpp>

#include "service/string_map.h"

namespace kelvin::service {

// Resource policies in AWS's form.

// "*", a service, an account's number or any ARN, as a statement has it.
boost::json::value PrincipalJson(const std::string& principal);
// The document of statements, JSON by id.
std::string PolicyDocument(const StringMap& statements);

}  // namespace kelvin::service
