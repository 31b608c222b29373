#pragma once

#include <expected>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "aws/credential_sources.h"
#include "aws/profiles.h"

namespace kelvin::aws {

// The two files of ~/.aws, or where AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE say.
struct ProfileFiles {
  ProfileFileContent config;
  ProfileFileContent credentials;
  std::string config_path;
  std::string credentials_path;

  bool Has(const std::string& profile) const;
  // A profile's setting; the credentials file wins. Empty without.
  std::string Get(const std::string& profile, const std::string& key) const;
  std::vector<std::string> Names() const;
};

// A file that is not there is empty; one that cannot be read is an error.
std::expected<ProfileFiles, Error> ReadProfileFiles(const CredentialSources& sources);

// The profile asked for by name, else AWS_PROFILE's, else "default".
std::string ProfileName(const CredentialSources& sources);

// Credentials by what the profile says, in the order of the AWS CLI: a role, a web identity's role,
// SSO, keys in the credentials file, credential_process, keys in the configuration. Nothing when it
// says nothing of them, an error when what it says does not work.
class ProfileCredentials {
 public:
  // All of it outlives the object.
  ProfileCredentials(const CredentialSources& sources, const ProfileFiles& files,
                     std::string region)
      : sources_(sources), files_(files), region_(std::move(region)) {}

  using Result = std::expected<std::optional<FoundCredentials>, Error>;
  Result OfRole(const std::string& profile);
  // AWS_WEB_IDENTITY_TOKEN_FILE and its kin count where no profile was asked for.
  Result OfWebIdentity(const std::string& profile);
  Result OfRest(const std::string& profile);  // SSO, keys, process

 private:
  std::expected<FoundCredentials, Error> SourceOf(const std::string& profile);
  std::expected<FoundCredentials, Error> FromSourceProfile(const std::string& profile);
  std::expected<FoundCredentials, Error> FromNamedSource(const std::string& profile);
  Result OfSso(const std::string& profile);
  Result OfKeys(const std::string& profile, const Sections& file, const std::string& path);
  Result OfProcess(const std::string& profile);
  bool HasRole(const std::string& profile) const;
  bool HasKeys(const std::string& profile) const;
  std::string SessionName(const std::string& given) const;

  const CredentialSources& sources_;
  const ProfileFiles& files_;
  std::string region_;
  std::vector<std::string> visited_;
};

}  // namespace kelvin::aws
