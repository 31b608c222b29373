#include "deploy/api.h"

#include <map>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "aws/endpoint.h"
#include "aws/network.h"
#include "aws/retry.h"
#include "aws/service_error.h"
#include "aws/signed_client.h"
#include "http/stream.h"

namespace kelvin::deploy {
namespace {

constexpr std::chrono::minutes kCallTimeout{10};  // an upload of 250 MB over a slow line

// IAM and S3 answer in XML; what of an error matters is between two tags.
std::string_view Between(std::string_view text, std::string_view tag) {
  const std::string open = fmt::format("<{}>", tag);
  const std::size_t begin = text.find(open);
  if (begin == std::string_view::npos) return {};
  const std::string_view rest = text.substr(begin + open.size());
  const std::size_t end = rest.find('<');
  return end == std::string_view::npos ? std::string_view() : rest.substr(0, end);
}

void FromXml(http::Response& response) {
  const std::string code(Between(response.body, "Code"));
  if (code.empty()) return;
  const std::string message(Between(response.body, "Message"));
  response.headers.Set("x-amzn-ErrorType", code);
  response.body = boost::json::serialize(boost::json::object{{"message", message}});
}

Error Explained(Error error, const ApiCall& call) {
  const std::string& type = error.remote_type;
  if (type.starts_with("AccessDenied") || type == "UnauthorizedOperation") {
    error.code = ErrorCode::kPermissionDenied;
    error.message += fmt::format("; allow {} for this user or role", call.action);
  } else if (type.starts_with("ExpiredToken") || type == "RequestExpired" ||
             type == "TokenRefreshRequired") {
    error.code = ErrorCode::kPermissionDenied;
    error.message +=
        "; the credentials have expired: renew them ('aws sso login', or new temporary keys) and "
        "run the same command again";
  }
  return error;
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
    aws::Retrier retrier({}, clock_, random_, deadline);
    for (;;) {
      auto sent = SendOnce(**client, call, deadline);
      if (sent) return sent;
      // A POST that may have been carried out is not repeated unless it was refused for now.
      const bool safe = call.method != "POST" || sent.error().code == ErrorCode::kThrottled;
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
    // IAM is one for all regions, and signs for the first.
    const bool global = service == "iam" && options_.endpoint_url.empty();
    const std::string region = global ? "us-east-1" : options_.region;
    const std::string url = global ? "https://iam.amazonaws.com" : options_.endpoint_url;
    auto endpoint = aws::FindEndpoint(service, region, environment_, url);
    if (!endpoint) return std::unexpected(std::move(endpoint.error()));
    aws::SignerOptions signer;
    if (service == "s3") signer.path_rule = aws::PathRule::kAsSent;
    Connection connection{
        .connector = aws::NewConnector(endpoint->scheme, clock_,
                                       aws::NetworkOptionsFromEnvironment(environment_)),
        .client = nullptr};
    connection.client = std::make_unique<aws::SignedClient>(
        *connection.connector, clock_, std::move(*endpoint),
        aws::Signer(options_.credentials, region, service, signer));
    return connections_.emplace(service, std::move(connection)).first->second.client.get();
  }

  std::expected<std::string, Error> SendOnce(aws::SignedClient& client, const ApiCall& call,
                                             Clock::TimePoint deadline) {
    http::Response response;
    http::Headers headers = call.headers;
    if (!call.body.empty() && !headers.Has("Content-Type")) {
      headers.Set("Content-Type", "application/json");
    }
    const auto resend = call.method == "POST" ? http::Resend::kNo : http::Resend::kYes;
    auto sent =
        client.Send(call.method, call.target, headers, call.body, response, deadline, resend);
    if (!sent) {
      sent.error().message = fmt::format("{} failed: {}", call.action, sent.error().message);
      return std::unexpected(std::move(sent.error()));
    }
    if (response.status / 100 == 2) return std::move(response.body);
    FromXml(response);
    return std::unexpected(Explained(aws::ErrorFromResponse(call.action, response), call));
  }

  ApiOptions options_;
  const aws::EnvironmentLookup& environment_;
  const Clock& clock_;
  Random& random_;
  std::map<std::string, Connection> connections_;
};

}  // namespace

std::unique_ptr<Api> NewApi(ApiOptions options, const aws::EnvironmentLookup& environment,
                            const Clock& clock, Random& random) {
  return std::make_unique<HttpApi>(std::move(options), environment, clock, random);
}

}  // namespace kelvin::deploy
