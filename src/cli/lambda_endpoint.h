#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "aws/credential_provider.h"
#include "aws/credentials.h"
#include "aws/endpoint.h"
#include "aws/lambda_client.h"
#include "base/error.h"
#include "cli/arguments.h"
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

// Where a command's calls go, and as whom, as far as it was told; see AddTargetOptions.
struct Target {
  std::string endpoint_url = {};
  std::string profile = {};
  std::string region = {};
};

// Adds --endpoint-url, --profile and --region; `otherwise` says where calls go without them.
void AddTargetOptions(Arguments& parser, Target& target, std::string_view otherwise = "AWS");

// Who calls. `keys` hold now; `provider`, where there is one, gives those that hold later.
struct Identity {
  std::string region;
  aws::Credentials keys;
  std::shared_ptr<aws::CredentialProvider> provider;
};

// By the chain of aws/credential_chain.h. For an endpoint on this machine made-up keys and
// us-east-1 stand in for those that the environment does not have, unless a profile was named.
std::expected<Identity, Error> FindIdentity(const Host& host, const Target& target,
                                            const std::optional<aws::ServiceEndpoint>& endpoint);

// Options for the endpoint that was named, else AWS_ENDPOINT_URL_LAMBDA's or AWS_ENDPOINT_URL's,
// else AWS's own.
std::expected<aws::LambdaClientOptions, Error> LambdaOptions(const Host& host,
                                                             const Target& target);
// As above, but a 'kelvin serve' on this machine where nothing was named.
std::expected<aws::LambdaClientOptions, Error> LocalLambdaOptions(const Host& host, Target target);

// The environment with made-up credentials and us-east-1 where it has none: for endpoints on this
// machine.
aws::EnvironmentLookup WithStandIns(aws::EnvironmentLookup environment);

// The message of a failed call, with what to do where nobody listens.
std::string CallFailure(const Error& error);

}  // namespace kelvin::cli
