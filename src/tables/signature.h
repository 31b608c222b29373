#pragma once

#include <string>

#include "aws/credentials.h"
#include "base/clock.h"
#include "http/message.h"
#include "tables/failure.h"

namespace kelvin::tables {

// Whose signatures are accepted.
struct SignatureRules {
  aws::Credentials credentials;
  std::string region;
};

// Fails, as DynamoDB does, where the request is not signed by those credentials, for that region,
// within 15 minutes of `now`.
Outcome<void> CheckSignature(const http::Request& request, const SignatureRules& rules,
                             Clock::WallTime now);

}  // namespace kelvin::tables
