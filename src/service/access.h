#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/credentials.h"
#include "base/clock.h"
#include "http/message.h"

namespace kelvin::service {

// Who may drive the service.
struct AccessRules {
  // Every request must be signed with one of these; anybody may, when there are none.
  std::vector<aws::Credentials> credentials;
};

// The refusal of a request, as AWS words it; nothing for one that is let through.
//   403 for a Host or an Origin that is not this machine's, so that no web page can drive the
//       service through its visitor's browser; with credentials the Host may be any, since the
//       signature covers it
//   403 MissingAuthenticationTokenException, UnrecognizedClientException, InvalidSignatureException
//       for a signature that is not there, of nobody known, wrong, or more than 5 minutes off
// Function URLs are for web pages: all are let through.
enum class Audience { kApi, kFunctionUrl };
std::optional<http::Response> Refuse(const AccessRules& rules, const http::Request& request,
                                     Audience audience, Clock::WallTime now);

}  // namespace kelvin::service
