#include "aws/sts.h"

#include <vector>

#include <fmt/format.h>

#include "aws/retry.h"
#include "aws/signed_client.h"
#include "aws/xml.h"
#include "base/encoding.h"

namespace kelvin::aws {
namespace {

constexpr std::chrono::seconds kTimeout{10};
constexpr int kAttempts = 3;

std::string Form(std::string_view action,
                 const std::vector<std::pair<std::string_view, std::string>>& parameters) {
  std::string body = fmt::format("Action={}&Version=2011-06-15", action);
  for (const auto& [name, value] : parameters) {
    if (!value.empty()) body += fmt::format("&{}={}", name, PercentEncode(value));
  }
  return body;
}

Error Explained(Error error, const AssumeRole& role) {
  const std::string& type = error.remote_type;
  if (type == "AccessDenied") {
    error.message +=
        fmt::format("; allow sts:AssumeRole on {} for who asks, and him in the role's trust policy",
                    role.role_arn);
  } else if (type.starts_with("ExpiredToken")) {
    error.message += "; what the role is asked for with has expired: renew it";
  }
  return error;
}

std::expected<FoundCredentials, Error> Read(const http::Response& response, std::string_view doing,
                                            const AssumeRole& role) {
  if (response.status != 200) {
    return std::unexpected(Explained(ErrorFromXml(doing, response), role));
  }
  FoundCredentials found{{XmlText(response.body, "AccessKeyId"),
                          XmlText(response.body, "SecretAccessKey"),
                          XmlText(response.body, "SessionToken")}};
  found.expires = ParseExpiration(XmlText(response.body, "Expiration"));
  if (found.keys.access_key_id.empty() || found.keys.secret_access_key.empty()) {
    return std::unexpected(
        Error{ErrorCode::kCorrupt,
              fmt::format("expected keys in the answer of {}, got something else", doing)});
  }
  return found;
}

std::expected<FoundCredentials, Error> Failed(Error error, std::string_view doing) {
  error.message = fmt::format("{} failed: {}", doing, error.message);
  return std::unexpected(std::move(error));
}

}  // namespace

std::expected<FoundCredentials, Error> TakeRole(const CredentialSources& sources,
                                                const std::string& region, const Credentials& with,
                                                const AssumeRole& role) {
  constexpr std::string_view kDoing = "STS AssumeRole";
  auto endpoint = FindEndpoint("sts", region, sources.environment);
  if (!endpoint) return std::unexpected(std::move(endpoint.error()));
  http::Connector& network = endpoint->scheme == Scheme::kHttps ? sources.secure : sources.plain;
  const std::string body =
      Form("AssumeRole",
           {{"RoleArn", role.role_arn},
            {"RoleSessionName", role.session_name},
            {"ExternalId", role.external_id},
            {"DurationSeconds",
             role.duration_seconds ? std::to_string(*role.duration_seconds) : std::string()},
            {"SerialNumber", role.mfa_serial},
            {"TokenCode", role.mfa_code}});
  SignedClient client(network, sources.clock, std::move(*endpoint), Signer(with, region, "sts"));
  for (int attempt = 1;; ++attempt) {
    http::Response response;
    auto sent = client.Send("POST", "/", {{"Content-Type", "application/x-www-form-urlencoded"}},
                            body, response, sources.clock.Now() + kTimeout, http::Resend::kYes);
    const bool again = !sent ? IsRetryable(sent.error().code) : response.status / 100 == 5;
    if (again && attempt < kAttempts) {
      sources.clock.SleepFor(std::chrono::milliseconds(100) * attempt);
      continue;
    }
    return sent ? Read(response, kDoing, role) : Failed(std::move(sent.error()), kDoing);
  }
}

std::expected<FoundCredentials, Error> TakeRoleWithToken(const CredentialSources& sources,
                                                         const std::string& region,
                                                         const std::string& token,
                                                         const AssumeRole& role) {
  constexpr std::string_view kDoing = "STS AssumeRoleWithWebIdentity";
  const auto endpoint = FindEndpoint("sts", region, sources.environment);
  if (!endpoint) return std::unexpected(endpoint.error());
  auto answer =
      SendAsk(sources, *endpoint,
              {.request = {.method = "POST",
                           .target = "/",
                           .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                           .body = Form("AssumeRoleWithWebIdentity",
                                        {{"RoleArn", role.role_arn},
                                         {"RoleSessionName", role.session_name},
                                         {"WebIdentityToken", token}})},
               .timeout = kTimeout,
               .attempts = kAttempts});
  return answer ? Read(*answer, kDoing, role) : Failed(std::move(answer.error()), kDoing);
}

}  // namespace kelvin::aws
