#pragma once

#include <expected>
#include <string>
#include <vector>

#include "aws/lambda_client.h"
#include "cli/arguments.h"
#include "cli/host.h"
#include "cli/lambda_endpoint.h"

namespace kelvin::cli {

struct InvokeOptions {
  std::string function;
  std::string payload = "{}";  // as given: JSON or a path
  Target target = {};
  aws::LogType log = aws::LogType::kNone;
};

std::expected<InvokeOptions, Stop> ParseInvoke(const std::vector<std::string>& arguments);

// Invokes once: the answer to standard output, the log's tail to standard error. kExitFinding when
// the function failed.
int InvokeOnce(aws::LambdaClient& client, const InvokeOptions& options, const Host& host);

// kelvin invoke: gives the exit code back.
int Invoke(const std::vector<std::string>& arguments, const Host& host);

}  // namespace kelvin::cli
