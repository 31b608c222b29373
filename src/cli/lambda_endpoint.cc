#include "cli/lambda_endpoint.h"

#include <fmt/format.h>
#include <unistd.h>

#include "aws/network.h"
#include "aws/system_credentials.h"
#include "cli/serve_options.h"

namespace kelvin::cli {
namespace {

// The endpoint that was named, by option or environment; empty without.
std::string GivenUrl(const Host& host, const std::string& given) {
  if (!given.empty()) return given;
  for (const char* name : {"AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL"}) {
    if (const auto value = host.environment(name); value && !value->empty()) return *value;
  }
  return {};
}

// Asks at the terminal; empty where there is none.
std::function<std::expected<std::string, Error>(const std::string&)> AskCode(const Host& host) {
  if (!host.err.terminal || ::isatty(STDIN_FILENO) != 1) return {};
  return [write = host.err.write](const std::string& serial) -> std::expected<std::string, Error> {
    write(fmt::format("Code of MFA device {}: ", serial));
    std::string code;
    for (char next = 0; ::read(STDIN_FILENO, &next, 1) == 1 && next != '\n';) code += next;
    const bool good = code.size() == 6 && code.find_first_not_of("0123456789") == std::string::npos;
    if (good) return code;
    return std::unexpected(
        Error{ErrorCode::kInvalidArgument,
              fmt::format("expected the six digits that {} shows, got '{}'", serial, code)});
  };
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

std::expected<Identity, Error> FindIdentity(const Host& host, const Target& target,
                                            const std::optional<aws::ServiceEndpoint>& endpoint) {
  Identity identity;
  const bool here = endpoint && IsLoopbackAddress(endpoint->address.host);
  if (here && target.profile.empty()) {
    const auto environment = WithStandIns(host.environment);
    auto keys = aws::CredentialsFromEnvironment(environment);
    if (!keys) return std::unexpected(std::move(keys.error()));
    auto region = target.region.empty() ? aws::RegionFromEnvironment(environment)
                                        : std::expected<std::string, Error>(target.region);
    if (!region) return std::unexpected(std::move(region.error()));
    identity.region = std::move(*region);
    identity.keys = std::move(*keys);
    return identity;
  }
  auto chain = std::make_shared<aws::SystemCredentials>(
      aws::SystemCredentialOptions{.environment = host.environment,
                                   .profile = target.profile,
                                   .region = target.region,
                                   .ask_code = AskCode(host)},
      host.clock);
  auto region = chain->Region();
  if (!region && here) region = "us-east-1";
  if (!region) return std::unexpected(std::move(region.error()));
  identity.region = std::move(*region);
  // What is wrong with them is said before anything is begun.
  auto keys = chain->Get();
  if (!keys) return std::unexpected(std::move(keys.error()));
  identity.keys = std::move(*keys);
  identity.provider = std::move(chain);
  return identity;
}

std::expected<aws::LambdaClientOptions, Error> LambdaOptions(const Host& host,
                                                             const Target& target) {
  const std::string url = GivenUrl(host, target.endpoint_url);
  std::optional<aws::ServiceEndpoint> endpoint;
  if (!url.empty()) {
    auto parsed = aws::ParseEndpointUrl(url);
    if (!parsed) return std::unexpected(std::move(parsed.error()));
    endpoint = std::move(*parsed);
  }
  auto identity = FindIdentity(host, target, endpoint);
  if (!identity) return std::unexpected(std::move(identity.error()));
  if (!endpoint) {
    auto found = aws::FindEndpoint("lambda", identity->region, host.environment);
    if (!found) return std::unexpected(std::move(found.error()));
    endpoint = std::move(*found);
  }
  aws::LambdaClientOptions options;
  options.endpoint = std::move(*endpoint);
  options.region = std::move(identity->region);
  options.credentials = std::move(identity->keys);
  options.provider = std::move(identity->provider);
  return options;
}

std::expected<aws::LambdaClientOptions, Error> LocalLambdaOptions(const Host& host, Target target) {
  if (target.profile.empty() && target.region.empty() &&
      GivenUrl(host, target.endpoint_url).empty()) {
    target.endpoint_url = fmt::format("http://127.0.0.1:{}", kDefaultPort);
  }
  return LambdaOptions(host, target);
}

void AddTargetOptions(Arguments& parser, Target& target, std::string_view otherwise) {
  CLI::App& app = parser.app();
  app.add_option("--endpoint-url", target.endpoint_url,
                 fmt::format("Where to; http://127.0.0.1:9001 is what 'kelvin serve' listens on; "
                             "default: AWS_ENDPOINT_URL_LAMBDA, AWS_ENDPOINT_URL, or {}",
                             otherwise))
      ->type_name("URL");
  app.add_option("--profile", target.profile, "Credentials and region of ~/.aws for AWS")
      ->type_name("NAME");
  app.add_option("--region", target.region,
                 "Region of AWS; default: AWS_REGION, else the profile's")
      ->type_name("REGION");
}

std::string CallFailure(const Error& error) {
  const bool by_service = !error.remote_type.empty();
  switch (error.code) {
    case ErrorCode::kUnavailable:
      return error.message +
             "; start a local service with 'kelvin serve', or name the endpoint with "
             "--endpoint-url";
    case ErrorCode::kPermissionDenied:
      if (!by_service) return error.message;
      if (error.remote_type.starts_with("ExpiredToken")) {
        return error.message +
               "; the credentials have expired: renew them ('aws sso login', or new temporary "
               "keys) and run the same command again";
      }
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
