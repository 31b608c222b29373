#include "cli/deploy_target.h"

#include <fmt/format.h>

#include "aws/credentials.h"
#include "cli/lambda_endpoint.h"

namespace kelvin::cli {
namespace {

std::string GivenUrl(const Host& host, const std::string& endpoint_url) {
  if (!endpoint_url.empty()) return endpoint_url;
  for (const char* name : {"AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL"}) {
    if (const auto value = host.environment(name); value && !value->empty()) return *value;
  }
  return {};
}

}  // namespace

void AddTargetOptions(Arguments& parser, std::string& endpoint_url) {
  parser.app()
      .add_option("--endpoint-url", endpoint_url,
                  "Where to; http://127.0.0.1:9001 is what 'kelvin serve' listens on; default: "
                  "AWS_ENDPOINT_URL_LAMBDA, AWS_ENDPOINT_URL, or AWS")
      ->type_name("URL");
}

std::expected<DeployTarget, Error> OpenTarget(const Host& host, const std::string& endpoint_url) {
  const std::string given = GivenUrl(host, endpoint_url);
  std::string url = given;
  if (url.empty()) {
    const auto region = aws::RegionFromEnvironment(host.environment);
    if (!region) return std::unexpected(region.error());
    url = fmt::format("https://lambda.{}.amazonaws.com", *region);
  }
  auto options = LambdaOptions(host, url);
  if (!options) return std::unexpected(std::move(options.error()));
  const std::string& address = options->endpoint.address.host;
  const bool local = address == "localhost" || address == "::1" || address.starts_with("127.");
  DeployTarget target;
  target.place = local ? deploy::Place::kLocal : deploy::Place::kAws;
  target.where = given.empty() ? "AWS, " + options->region : given;
  target.api = deploy::NewApi(
      {.credentials = options->credentials, .region = options->region, .endpoint_url = given},
      host.environment, host.clock, host.random);
  return target;
}

}  // namespace kelvin::cli
