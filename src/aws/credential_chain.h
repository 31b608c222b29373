#pragma once

#include <expected>
#include <filesystem>
#include <functional>
#include <string>

#include "aws/credentials.h"
#include "aws/environment.h"
#include "base/clock.h"
#include "base/error.h"
#include "http/stream.h"

namespace kelvin::aws {

// Where the tools look for credentials and a region: what a person at a terminal has, and what a
// container or an instance gives. (A function has its own in the environment: see credentials.h.)
struct CredentialSources {
  EnvironmentLookup environment;
  std::string profile;  // asked for by name; empty: AWS_PROFILE, else "default"
  std::function<std::expected<std::string, Error>(const std::filesystem::path&)> read_file;
  // Reaches the metadata services, which are addresses without TLS. Outlives the call.
  http::Connector& metadata;
  const Clock& clock;
};

// The first of: the environment (unless a profile was asked for), the profile's keys in
// ~/.aws/credentials or ~/.aws/config, the container's service, the instance's service (IMDSv2).
// The services get a second each, so that a machine that has none is not held up. Fails with
// kInvalidArgument, saying where it looked and what each place lacked.
std::expected<Credentials, Error> FindCredentials(const CredentialSources& sources);

// AWS_REGION or AWS_DEFAULT_REGION (unless a profile was asked for), else the profile's region.
std::expected<std::string, Error> FindRegion(const CredentialSources& sources);

}  // namespace kelvin::aws
