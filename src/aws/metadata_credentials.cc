#include "aws/metadata_credentials.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace kelvin::aws {
namespace {

constexpr std::string_view kContainerHost = "http://169.254.170.2";
constexpr std::chrono::milliseconds kContainerTimeout{2000};
constexpr int kContainerAttempts = 3;

std::unexpected<Error> Failed(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}

// Keys are not sent to, or taken from, just anybody: without TLS only what cannot leave the
// machine's own network.
bool MayBeAsked(const ServiceEndpoint& endpoint) {
  const std::string& host = endpoint.address.host;
  return endpoint.scheme == Scheme::kHttps || host == "localhost" || host == "::1" ||
         host.starts_with("127.") || host == "169.254.170.2" || host == "169.254.170.23" ||
         host == "fd00:ec2::23";
}

std::expected<std::string, Error> ContainerToken(const CredentialSources& sources) {
  std::string token = Variable(sources, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
  const std::string file = Variable(sources, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  if (!file.empty()) {
    auto text = sources.read_file(file);
    if (!text) {
      text.error().message =
          fmt::format("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: {}", text.error().message);
      return text;
    }
    token = std::move(*text);
    while (token.ends_with('\n') || token.ends_with('\r')) token.pop_back();
  }
  if (std::ranges::any_of(token, [](char c) { return c == '\r' || c == '\n'; })) {
    return Failed(ErrorCode::kInvalidArgument,
                  "expected the container's authorization token to be one line, it has several");
  }
  return token;
}

int Number(const CredentialSources& sources, std::string_view name, int fallback, int most) {
  const std::string text = Variable(sources, name);
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool good = error == std::errc{} && end == text.data() + text.size();
  return good && number >= 1 && number <= most ? number : fallback;
}

std::string InstanceUrl(const CredentialSources& sources) {
  const std::string url = Variable(sources, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
  if (!url.empty()) return url;
  const std::string mode = Variable(sources, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
  return mode == "IPv6" || mode == "ipv6" ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
}

}  // namespace

std::expected<std::optional<FoundCredentials>, Error> FromContainer(
    const CredentialSources& sources) {
  const std::string relative = Variable(sources, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const std::string full = Variable(sources, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (relative.empty() && full.empty()) return std::nullopt;
  const std::string url = relative.empty() ? full : std::string(kContainerHost) + relative;
  const std::string_view variable = relative.empty() ? "AWS_CONTAINER_CREDENTIALS_FULL_URI"
                                                     : "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
  const std::size_t scheme = url.find("://");
  const std::size_t path = scheme == std::string::npos ? scheme : url.find('/', scheme + 3);
  auto endpoint = ParseEndpointUrl(std::string_view(url).substr(0, path));
  if (!endpoint) {
    return Failed(endpoint.error().code, fmt::format("{}: {}", variable, endpoint.error().message));
  }
  if (!MayBeAsked(*endpoint)) {
    return Failed(ErrorCode::kInvalidArgument,
                  fmt::format("expected {} to be https, or http on this machine or at one of AWS's "
                              "own addresses, got {}",
                              variable, url));
  }
  const auto token = ContainerToken(sources);
  if (!token) return std::unexpected(token.error());
  http::Headers headers{{"Accept", "application/json"}};
  if (!token->empty()) headers.Add("Authorization", *token);
  const std::string from = fmt::format("the container's service at {}", endpoint->HostHeader());
  const auto answer =
      SendAsk(sources, *endpoint,
              {.request = {.method = "GET",
                           .target = path == std::string::npos ? "/" : url.substr(path),
                           .headers = std::move(headers),
                           .body = {}},
               .timeout = kContainerTimeout,
               .attempts = kContainerAttempts});
  if (!answer) {
    return Failed(answer.error().code, fmt::format("{} ({}) does not answer: {}", from, variable,
                                                   answer.error().message));
  }
  if (answer->status != 200) {
    return Failed(ErrorCode::kPermissionDenied,
                  fmt::format("{} ({}) answered {}: the task or pod may have no role", from,
                              variable, answer->status));
  }
  auto found = ParseKeys(answer->body, "Token", from);
  if (!found) return std::unexpected(std::move(found.error()));
  return std::move(*found);
}

std::expected<FoundCredentials, Error> FromInstance(const CredentialSources& sources) {
  const std::string disabled = Variable(sources, "AWS_EC2_METADATA_DISABLED");
  if (disabled == "true" || disabled == "True" || disabled == "TRUE") {
    return Failed(ErrorCode::kNotFound, "switched off by AWS_EC2_METADATA_DISABLED");
  }
  const auto endpoint = ParseEndpointUrl(InstanceUrl(sources));
  if (!endpoint) return std::unexpected(endpoint.error());
  const std::chrono::seconds timeout(Number(sources, "AWS_METADATA_SERVICE_TIMEOUT", 1, 60));
  const int attempts = Number(sources, "AWS_METADATA_SERVICE_NUM_ATTEMPTS", 1, 10);
  const auto ask = [&](std::string method, std::string target,
                       http::Headers headers) -> std::expected<std::string, Error> {
    auto answer = SendAsk(sources, *endpoint,
                          {.request = {.method = std::move(method),
                                       .target = std::move(target),
                                       .headers = std::move(headers),
                                       .body = {}},
                           .timeout = timeout,
                           .attempts = attempts});
    if (!answer) return std::unexpected(std::move(answer.error()));
    if (answer->status == 404) {
      return Failed(ErrorCode::kNotFound,
                    "the instance has no role: attach an instance profile to it");
    }
    if (answer->status != 200) {
      return Failed(ErrorCode::kUnavailable,
                    fmt::format("{} answered {}", endpoint->HostHeader(), answer->status));
    }
    return std::move(answer->body);
  };
  const auto token =
      ask("PUT", "/latest/api/token", {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}});
  if (!token) return std::unexpected(token.error());
  if (std::ranges::any_of(*token, [](char c) { return c <= ' ' || c >= 0x7f; })) {
    return Failed(ErrorCode::kCorrupt, "expected a session token, got something else");
  }
  const http::Headers headers{{"X-aws-ec2-metadata-token", *token}};
  const std::string base = "/latest/meta-data/iam/security-credentials/";
  const auto role = ask("GET", base, headers);
  if (!role) return std::unexpected(role.error());
  const std::string name = role->substr(0, role->find_first_of("\r\n"));
  if (name.empty() || std::ranges::any_of(name, [](char c) { return c <= ' ' || c >= 0x7f; })) {
    return Failed(ErrorCode::kCorrupt, "expected the name of a role, got something else");
  }
  const auto text = ask("GET", base + name, headers);
  if (!text) return std::unexpected(text.error());
  return ParseKeys(*text, "Token", fmt::format("the instance's role {}", name));
}

}  // namespace kelvin::aws
