#pragma once

#include <string>
#include <vector>

#include "aws/credentials.h"
#include "base/clock.h"
#include "http/message.h"
#include "tables/failure.h"

namespace kelvin::tables {

// Whose signatures are accepted.
struct SignatureRules {
  std::vector<aws::Credentials> credentials;
  std::string region;
};

// Fails, as DynamoDB does, where the request does not even claim to be signed: in its header, or in
// its query.
Outcome<void> CheckAuthorization(const http::Request& request);

// Fails, as DynamoDB does, where the request is not signed by one of those credentials, for that
// region, within 15 minutes of `now`. For requests that passed CheckAuthorization.
Outcome<void> CheckSignature(const http::Request& request, const SignatureRules& rules,
                             Clock::WallTime now);

}  // namespace kelvin::tables
