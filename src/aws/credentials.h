#pragma once

#include <expected>
#include <string>

#include "aws/environment.h"
#include "base/error.h"

namespace kelvin::aws {

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  // empty for long-lived keys
};

// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, when set, AWS_SESSION_TOKEN: what Lambda gives to
// every function. Fails with kInvalidArgument, naming the variable that is missing, empty or
// holds what no HTTP header can carry.
std::expected<Credentials, Error> CredentialsFromEnvironment(const EnvironmentLookup& lookup);

// AWS_REGION, else AWS_DEFAULT_REGION. Fails with kInvalidArgument when neither is set or the
// value is no region's name.
std::expected<std::string, Error> RegionFromEnvironment(const EnvironmentLookup& lookup);

}  // namespace kelvin::aws
