#include "cli/deploy_target.h"

#include <fmt/format.h>

namespace kelvin::cli {
namespace {

// 'kelvin serve' counts invokes by version; nobody else answers this. An endpoint that does not
// answer at all is told of by the call that matters.
bool IsKelvin(deploy::Api& api) {
  const auto answer = api.Send({.service = "lambda",
                                .action = "kelvin:GetMetrics",
                                .method = "GET",
                                .target = "/kelvin/metrics/none?version=1&since=0",
                                .attempts = 1});
  return answer || answer.error().code == ErrorCode::kUnavailable;
}

std::string Where(const aws::LambdaClientOptions& options) {
  const aws::ServiceEndpoint& endpoint = options.endpoint;
  if (endpoint.address.host.contains(".amazonaws.com")) return "AWS, " + options.region;
  const bool secure = endpoint.scheme == aws::Scheme::kHttps;
  return fmt::format("{}://{}", secure ? "https" : "http", endpoint.HostHeader());
}

}  // namespace

std::expected<DeployTarget, Error> OpenTarget(const Host& host, const Target& target) {
  auto options = LambdaOptions(host, target);
  if (!options) return std::unexpected(std::move(options.error()));
  DeployTarget opened;
  opened.region = options->region;
  opened.where = Where(*options);
  opened.api = deploy::NewApi({.credentials = options->credentials,
                               .provider = options->provider,
                               .region = options->region,
                               .endpoint_url = target.endpoint_url},
                              host.environment, host.clock, host.random);
  const bool aws = opened.where.starts_with("AWS");
  if (!aws && IsKelvin(*opened.api)) opened.place = deploy::Place::kLocal;
  return opened;
}

std::string DeployFailure(const Error& error, const DeployTarget& target) {
  if (error.code == ErrorCode::kUnavailable && error.remote_type.empty()) {
    return error.message +
           (target.place == deploy::Place::kAws
                ? "; look at the network, and at --region and --endpoint-url"
                : "; start a local service with 'kelvin serve', or name the endpoint with "
                  "--endpoint-url");
  }
  if (error.code == ErrorCode::kThrottled) {
    return error.message + "; the service kept refusing for too many requests: try again later";
  }
  return error.message;
}

}  // namespace kelvin::cli
