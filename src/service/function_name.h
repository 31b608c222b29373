#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "service/api_error.h"

namespace kelvin::service {

// Where the service pretends to be.
struct Place {
  std::string region;
  std::string account_id;
};

// A function as a caller names it.
struct FunctionName {
  std::string name;
  std::string qualifier;  // empty when none was given
};

// The kinds of name: "name", "name:qualifier", "123456789012:function:name[:qualifier]", or
// "arn:aws:lambda:region:123456789012:function:name[:qualifier]". Fails with AWS's
// ValidationException for anything else, and with its ResourceNotFoundException for the functions
// of other places.
std::expected<FunctionName, ApiError> ParseFunctionName(std::string_view text, const Place& place);

// Only a bare name of 1 to 64 of [a-zA-Z0-9-_], or one of the longer forms without a qualifier, is
// a name to create a function by.
std::expected<std::string, ApiError> ParseNewFunctionName(std::string_view text,
                                                          const Place& place);

// arn:aws:lambda:<region>:<account>:function:<name>[:<qualifier>]
std::string FunctionArn(const Place& place, std::string_view name, std::string_view qualifier = {});

// "Function not found: <arn>"
ApiError FunctionNotFound(std::string_view arn);

}  // namespace kelvin::service
