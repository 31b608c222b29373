#pragma once

#include <expected>
#include <memory>
#include <string>

#include "aws/lambda_client.h"
#include "base/error.h"
#include "cli/compare_options.h"
#include "cli/host.h"
#include "http/stream.h"

namespace kelvin::cli {

// Where 'kelvin serve' listens unless told otherwise.
inline constexpr int kDefaultPort = 9001;

// A client together with the network that it needs.
class RemoteLambda {
 public:
  RemoteLambda(aws::LambdaClientOptions options, const Host& host);
  aws::LambdaClient& client() { return *client_; }

 private:
  std::unique_ptr<http::Connector> connector_;
  std::unique_ptr<aws::LambdaClient> client_;
};

// Options for the endpoint that was named, else for AWS_ENDPOINT_URL_LAMBDA or AWS_ENDPOINT_URL,
// else for a 'kelvin serve' on this machine. On loopback, made-up credentials and us-east-1 stand
// in for those that the environment does not have.
std::expected<aws::LambdaClientOptions, Error> LambdaOptions(const Host& host,
                                                             const std::string& endpoint_url);

// The environment with made-up credentials and us-east-1 where it has none: for endpoints on this
// machine.
aws::EnvironmentLookup WithStandIns(aws::EnvironmentLookup environment);

// Options for functions that exist: at --endpoint-url as above, else on AWS with the credentials
// and the region of the profile, the environment, the container or the instance.
std::expected<aws::LambdaClientOptions, Error> RemoteLambdaOptions(const Host& host,
                                                                   const CompareOptions& options);

// The message of a failed call, with what to do where nobody listens.
std::string CallFailure(const Error& error);

}  // namespace kelvin::cli
