#pragma once

#include <expected>

#include "aws/credentials.h"
#include "base/error.h"

namespace kelvin::aws {

// Gives the credentials that hold now; those that end are got anew in time. Not thread-safe.
class CredentialProvider {
 public:
  virtual ~CredentialProvider() = default;
  virtual std::expected<Credentials, Error> Get() = 0;
};

}  // namespace kelvin::aws
