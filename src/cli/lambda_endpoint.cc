#include "cli/lambda_endpoint.h"

#include <fmt/format.h>

#include "aws/network.h"
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

std::string CallFailure(const Error& error) {
  if (error.code != ErrorCode::kUnavailable) return error.message;
  return error.message +
         "; start a local service with 'kelvin serve', or name the endpoint with --endpoint-url";
}

}  // namespace kelvin::cli
