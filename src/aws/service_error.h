#pragma once

#include <string_view>

#include "base/error.h"
#include "http/message.h"

namespace kelvin::aws {

// The failure that an answer of an AWS JSON service stands for: AWS's name in `remote_type`, its
// message, and the code that callers act upon: kNotFound, kAlreadyExists, kThrottled,
// kPermissionDenied, kResourceExhausted, kUnavailable for whatever the service says is its own
// fault, else kInvalidArgument. `doing` names the call: "Lambda GetFunction".
Error ErrorFromResponse(std::string_view doing, const http::Response& response);

}  // namespace kelvin::aws
