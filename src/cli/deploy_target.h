#pragma once

#include <expected>
#include <memory>
#include <string>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/host.h"
#include "deploy/api.h"
#include "deploy/deployment.h"

namespace kelvin::cli {

// Where to deploy, as the options and the environment say.
struct DeployTarget {
  deploy::Place place = deploy::Place::kAws;
  std::string where;  // "http://127.0.0.1:9001", or "AWS, eu-west-1"
  std::unique_ptr<deploy::Api> api;
};

void AddTargetOptions(Arguments& parser, std::string& endpoint_url);

// AWS, with the credentials and the region of the environment, unless `endpoint_url` or
// AWS_ENDPOINT_URL names another endpoint; one on this machine counts as the local service, which
// has no IAM, S3 or CloudWatch. The host outlives it.
std::expected<DeployTarget, Error> OpenTarget(const Host& host, const std::string& endpoint_url);

}  // namespace kelvin::cli
