#pragma once

#include <map>
#include <string>

#include "aws/credential_sources.h"

namespace kelvin::aws {

// What a profile says of IAM Identity Center, from its sso_session or written into itself.
struct SsoSettings {
  std::string profile;  // for messages
  std::string session;  // name of the sso_session; empty in the older form
  std::string start_url;
  std::string region;
  std::string account_id;
  std::string role_name;
};

// Where 'aws sso login' keeps the token of these settings, below ~/.aws/sso/cache.
std::string SsoCacheFile(const SsoSettings& settings);

// The role's keys, by the token that 'aws sso login' has cached. Fails with kPermissionDenied when
// there is none or it has expired, saying how to log in.
std::expected<FoundCredentials, Error> FromSso(const CredentialSources& sources,
                                               const SsoSettings& settings);

}  // namespace kelvin::aws
