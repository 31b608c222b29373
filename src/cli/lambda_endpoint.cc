#include "cli/lambda_endpoint.h"

#include <fmt/format.h>

#include "aws/credential_chain.h"
#include "aws/network.h"
#include "base/file.h"
#include "cli/serve_options.h"

namespace kelvin::cli {
namespace {

std::string EndpointUrl(const Host& host, const std::string& given) {
  if (!given.empty()) return given;
  for (const char* name : {"AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL"}) {
    if (const auto value = host.environment(name); value && !value->empty()) return *value;
  }
  return fmt::format("http://127.0.0.1:{}", kDefaultPort);
}

}  // namespace

aws::EnvironmentLookup WithStandIns(aws::EnvironmentLookup environment) {
  return [environment](std::string_view name) -> std::optional<std::string> {
    if (auto value = environment(name); value && !value->empty()) return value;
    if (name == "AWS_ACCESS_KEY_ID" || name == "AWS_SECRET_ACCESS_KEY") return "kelvin";
    if (name == "AWS_REGION" || name == "AWS_DEFAULT_REGION") return "us-east-1";
    return std::nullopt;
  };
}

RemoteLambda::RemoteLambda(aws::LambdaClientOptions options, const Host& host)
    : connector_(aws::NewConnector(options.endpoint.scheme, host.clock,
                                   aws::NetworkOptionsFromEnvironment(host.environment))),
      client_(aws::NewLambdaClient(std::move(options), *connector_, host.clock, host.random)) {}

std::expected<aws::LambdaClientOptions, Error> LambdaOptions(const Host& host,
                                                             const std::string& endpoint_url) {
  const std::string url = EndpointUrl(host, endpoint_url);
  const auto endpoint = aws::ParseEndpointUrl(url);
  if (!endpoint) return std::unexpected(endpoint.error());
  return aws::LambdaClientOptionsFromEnvironment(
      IsLoopbackAddress(endpoint->address.host) ? WithStandIns(host.environment) : host.environment,
      url);
}

std::expected<aws::LambdaClientOptions, Error> RemoteLambdaOptions(const Host& host,
                                                                   const CompareOptions& options) {
  if (!options.endpoint_url.empty() && options.profile.empty()) {
    const auto endpoint = aws::ParseEndpointUrl(options.endpoint_url);
    if (!endpoint) return std::unexpected(endpoint.error());
    if (IsLoopbackAddress(endpoint->address.host)) return LambdaOptions(host, options.endpoint_url);
  }
  http::TcpConnector metadata;
  const aws::CredentialSources sources{
      .environment = host.environment,
      .profile = options.profile,
      .read_file = [](const std::filesystem::path& path) { return ReadFile(path); },
      .metadata = metadata,
      .clock = host.clock};
  aws::LambdaClientOptions lambda;
  if (options.region_given) {
    lambda.region = options.region;
  } else {
    auto region = aws::FindRegion(sources);
    if (!region) return std::unexpected(std::move(region.error()));
    lambda.region = std::move(*region);
  }
  auto endpoint =
      aws::FindEndpoint("lambda", lambda.region, host.environment, options.endpoint_url);
  if (!endpoint) return std::unexpected(std::move(endpoint.error()));
  lambda.endpoint = std::move(*endpoint);
  auto credentials = aws::FindCredentials(sources);
  if (!credentials) return std::unexpected(std::move(credentials.error()));
  lambda.credentials = std::move(*credentials);
  return lambda;
}

std::string CallFailure(const Error& error) {
  switch (error.code) {
    case ErrorCode::kUnavailable:
      return error.message +
             "; start a local service with 'kelvin serve', or name the endpoint with "
             "--endpoint-url";
    case ErrorCode::kPermissionDenied:
      return error.message +
             "; check the credentials, their region, and that they allow lambda:GetFunction, "
             "lambda:UpdateFunctionConfiguration and lambda:InvokeFunction";
    case ErrorCode::kThrottled:
      return error.message +
             "; Lambda kept refusing for too many requests: try again later, or go on with what "
             "was measured by 'kelvin compare --resume'";
    default:
      return error.message;
  }
}

}  // namespace kelvin::cli
