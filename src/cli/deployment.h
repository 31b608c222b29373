#pragma once

#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "aws/lambda_client.h"
#include "base/error.h"
#include "cli/compare_options.h"
#include "cli/config.h"
#include "http/message.h"
#include "lab/run.h"

namespace kelvin::cli {

// A function to create, and how it is measured then.
struct DeployedFunction {
  // The zip with the engine that the package needs, beside it as kelvin_add_function puts it; empty
  // for a package with a bootstrap of its own.
  std::string engine_layer = {};
  aws::CreateFunctionInput input;
  lab::Subject subject;
  std::string package;  // the zip's path, for messages
};

// What a run on a service of its own puts there first.
struct Deployment {
  std::vector<TableConfig> tables;
  std::vector<DeployedFunction> functions;
  std::vector<RuntimeConfig> runtimes;  // that the service has
};

// Reads the configuration, the packages and the payloads that the options ask for. A function is
// named after its mode too ("hello-aot") and can be asked for by either name. Fails with
// kInvalidArgument on whatever is missing or malformed, saying what to do.
std::expected<Deployment, Error> PlanDeployment(const CompareOptions& options);

// Creates tables and functions. `tables` answers a DynamoDB request.
std::expected<void, Error> Deploy(
    const Deployment& deployment, aws::LambdaClient& client,
    const std::function<http::Response(const http::Request&)>& tables);

}  // namespace kelvin::cli
