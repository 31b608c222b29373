#pragma once

#include <expected>
#include <optional>
#include <string>

#include "aws/credential_sources.h"

namespace kelvin::aws {

// The keys that a container's service gives (ECS, EKS, CodeBuild, Greengrass), where
// AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI says that there is one: nothing without,
// an error when it does not answer as it should.
std::expected<std::optional<FoundCredentials>, Error> FromContainer(
    const CredentialSources& sources);

// The keys of an EC2 instance's role by IMDSv2. Fails when there is no such service, which is so on
// most machines: a second, or AWS_METADATA_SERVICE_TIMEOUT, is all that it gets.
std::expected<FoundCredentials, Error> FromInstance(const CredentialSources& sources);

}  // namespace kelvin::aws
