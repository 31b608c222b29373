#pragma once

#include <expected>
#include <memory>
#include <string>

#include "base/error.h"
#include "cli/host.h"
#include "cli/lambda_endpoint.h"
#include "deploy/api.h"
#include "deploy/deployment.h"

namespace kelvin::cli {

// Where to deploy, as the options and the environment say.
struct DeployTarget {
  deploy::Place place = deploy::Place::kAws;
  std::string region;
  std::string where;  // "http://127.0.0.1:9001", or "AWS, eu-west-1"
  std::unique_ptr<deploy::Api> api;
};

// AWS unless the target or AWS_ENDPOINT_URL names another endpoint; one on this machine that says
// so itself is the local service, which has no IAM and no S3. The host outlives it.
std::expected<DeployTarget, Error> OpenTarget(const Host& host, const Target& target);

// The message of a failed call, with what to do where nobody listens or too much was asked.
std::string DeployFailure(const Error& error, const DeployTarget& target);

}  // namespace kelvin::cli
