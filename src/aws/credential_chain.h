#pragma once

#include <expected>
#include <optional>
#include <string>

#include "aws/credential_provider.h"
#include "aws/credential_sources.h"

namespace kelvin::aws {

// The first of, as the AWS CLI has it: the environment (unless a profile was asked for), a role
// that the profile takes, a web identity's role, SSO, keys in ~/.aws/credentials,
// credential_process, keys in ~/.aws/config, the container's service, the instance's service. What
// is set up and does not work ends the search with its error. Fails with kInvalidArgument when
// nothing is set up, saying where it looked and what each place lacked.
std::expected<FoundCredentials, Error> FindCredentials(const CredentialSources& sources);

// The region asked for by name, else AWS_REGION or AWS_DEFAULT_REGION, else the profile's. (As the
// AWS CLI has it, the environment's region wins over that of a profile that was asked for.)
std::expected<std::string, Error> FindRegion(const CredentialSources& sources);

// Finds credentials when they are first asked for, and again five minutes before they end; while
// new ones cannot be had, those that still hold are given on.
class CredentialChain final : public CredentialProvider {
 public:
  // What the sources refer to outlives it.
  explicit CredentialChain(CredentialSources sources) : sources_(std::move(sources)) {}
  std::expected<Credentials, Error> Get() override;

 private:
  CredentialSources sources_;
  std::optional<FoundCredentials> found_;
};

}  // namespace kelvin::aws
