#pragma once

#include <optional>
#include <string>

#include "aws/credential_sources.h"

namespace kelvin::aws {

// A role to take, as AWS Security Token Service wants it named.
struct AssumeRole {
  std::string role_arn;
  std::string session_name;
  std::string external_id = {};
  std::optional<int> duration_seconds = {};
  std::string mfa_serial = {};
  std::string mfa_code = {};
};

// The role's temporary keys, asked for with keys that may take it. Errors as STS gives them, with
// what to look at; `region` is whose STS is asked.
std::expected<FoundCredentials, Error> TakeRole(const CredentialSources& sources,
                                                const std::string& region, const Credentials& with,
                                                const AssumeRole& role);

// The same for the token of an identity provider, which speaks for itself.
std::expected<FoundCredentials, Error> TakeRoleWithToken(const CredentialSources& sources,
                                                         const std::string& region,
                                                         const std::string& token,
                                                         const AssumeRole& role);

}  // namespace kelvin::aws
