#include "deploy/api.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "aws/endpoint.h"
#include "aws/network.h"
#include "aws/retry.h"
#include "aws/sha256.h"
#include "aws/signed_client.h"
#include "aws/xml.h"
#include "http/stream.h"

namespace kelvin::deploy {
namespace {

constexpr std::chrono::minutes kCallTimeout{10};  // an upload of 250 MB over a slow line

bool StartsWithAny(std::string_view text, std::initializer_list<std::string_view> starts) {
  return std::ranges::any_of(starts, [text](std::string_view s) { return text.starts_with(s); });
}

Error Explained(Error error, const ApiCall& call) {
  const std::string& type = error.remote_type;
  if (type.starts_with("AccessDenied") || type == "UnauthorizedOperation") {
    error.code = ErrorCode::kPermissionDenied;
    error.message += fmt::format("; allow {} for this user or role", call.action);
  } else if (StartsWithAny(type, {"ExpiredToken", "RequestExpired", "TokenRefreshRequired"})) {
    error.code = ErrorCode::kPermissionDenied;
    error.message +=
        "; the credentials have expired: renew them ('aws sso login', or new temporary keys) and "
        "run the same command again";
  } else if (StartsWithAny(type,
                           {"UnrecognizedClient", "InvalidClientTokenId", "InvalidAccessKeyId",
                            "SignatureDoesNotMatch", "InvalidSignature"})) {
    error.code = ErrorCode::kPermissionDenied;
    error.message +=
        "; the credentials are not accepted: 'aws sts get-caller-identity' shows whose they are; "
        "name others with --profile";
  }
  return error;
}

// IAM is one for all regions of a partition, under a name and a signature of its own.
struct GlobalService {
  std::string_view region_prefix;
  std::string_view host;
  std::string_view signing_region;
};
constexpr GlobalService kIam[] = {{"cn-", "iam.cn-north-1.amazonaws.com.cn", "cn-north-1"},
                                  {"us-gov-", "iam.us-gov.amazonaws.com", "us-gov-west-1"},
                                  {"", "iam.amazonaws.com", "us-east-1"}};

// Whether a call whose answer was lost may be made again: what it makes could be there twice.
bool MayRepeat(const ApiCall& call) {
  return call.method != "POST" || call.service != "lambda";
}

class HttpApi final : public Api {
 public:
  HttpApi(ApiOptions options, const aws::EnvironmentLookup& environment, const Clock& clock,
          Random& random)
      : options_(std::move(options)), environment_(environment), clock_(clock), random_(random) {}

  std::expected<std::string, Error> Send(const ApiCall& call) override {
    auto client = ClientOf(call.service);
    if (!client) return std::unexpected(std::move(client.error()));
    const auto deadline = clock_.Now() + kCallTimeout;
    aws::Retrier retrier({.max_attempts = call.attempts}, clock_, random_, deadline);
    for (;;) {
      auto sent = SendOnce(**client, call, deadline);
      if (sent) return sent;
      const bool safe = MayRepeat(call) || sent.error().code == ErrorCode::kThrottled;
      if (!safe || !retrier.WaitForNext(sent.error().code)) return sent;
    }
  }

 private:
  struct Connection {
    std::unique_ptr<http::Connector> connector;
    std::unique_ptr<aws::SignedClient> client;
  };

  std::expected<aws::SignedClient*, Error> ClientOf(const std::string& service) {
    if (const auto found = connections_.find(service); found != connections_.end()) {
      return found->second.client.get();
    }
    std::string url = options_.endpoint_url;
    if (service != "lambda" && url.contains(".amazonaws.com")) url.clear();
    auto endpoint = aws::FindEndpoint(service, options_.region, environment_, url);
    if (!endpoint) return std::unexpected(std::move(endpoint.error()));
    std::string region = options_.region;
    if (service == "iam" && endpoint->address.host.contains(".amazonaws.com")) {
      const auto of = std::ranges::find_if(
          kIam, [&](const GlobalService& iam) { return region.starts_with(iam.region_prefix); });
      endpoint->address.host = of->host;
      region = of->signing_region;
    }
    aws::SignerOptions signer;
    if (service == "s3") signer.path_rule = aws::PathRule::kAsSent;
    Connection connection{
        .connector = aws::NewConnector(endpoint->scheme, clock_,
                                       aws::NetworkOptionsFromEnvironment(environment_)),
        .client = nullptr};
    connection.client = std::make_unique<aws::SignedClient>(
        *connection.connector, clock_, std::move(*endpoint),
        aws::Signer(options_.credentials, region, service, signer), options_.provider);
    return connections_.emplace(service, std::move(connection)).first->second.client.get();
  }

  std::expected<std::string, Error> SendOnce(aws::SignedClient& client, const ApiCall& call,
                                             Clock::TimePoint deadline) {
    http::Response response;
    http::Headers headers = call.headers;
    if (!call.body.empty() && !headers.Has("Content-Type")) {
      headers.Set("Content-Type", "application/json");
    }
    // S3 wants it told, the others only signed.
    if (call.service == "s3") headers.Set("X-Amz-Content-Sha256", aws::Sha256Hex(call.body));
    const auto resend = MayRepeat(call) ? http::Resend::kYes : http::Resend::kNo;
    auto sent =
        client.Send(call.method, call.target, headers, call.body, response, deadline, resend);
    if (!sent) {
      sent.error().message = fmt::format("{} failed: {}", call.action, sent.error().message);
      return std::unexpected(std::move(sent.error()));
    }
    if (response.status / 100 == 2) return std::move(response.body);
    return std::unexpected(Explained(aws::ErrorFromXml(call.action, response), call));
  }

  ApiOptions options_;
  const aws::EnvironmentLookup& environment_;
  const Clock& clock_;
  Random& random_;
  std::map<std::string, Connection> connections_;
};

}  // namespace

ApiCall JsonCall(const std::string& service, std::string_view target, std::string_view version,
                 const std::string& action, std::string body) {
  return {.service = service,
          .action = fmt::format("{}:{}", service, action),
          .method = "POST",
          .target = "/",
          .body = std::move(body),
          .headers = {{"Content-Type", fmt::format("application/x-amz-json-{}", version)},
                      {"X-Amz-Target", fmt::format("{}.{}", target, action)}}};
}

std::unique_ptr<Api> NewApi(ApiOptions options, const aws::EnvironmentLookup& environment,
                            const Clock& clock, Random& random) {
  return std::make_unique<HttpApi>(std::move(options), environment, clock, random);
}

}  // namespace kelvin::deploy
