#include "aws/sso.h"

#include <array>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <openssl/evp.h>

#include "aws/service_error.h"
#include "base/encoding.h"

namespace kelvin::aws {
namespace {

namespace json = boost::json;

std::string Sha1Hex(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  return HexEncode({reinterpret_cast<const char*>(digest.data()), size});
}

std::unexpected<Error> LogIn(const SsoSettings& settings, std::string_view why) {
  return std::unexpected(Error{
      ErrorCode::kPermissionDenied,
      fmt::format("profile {} needs a login: {}; run 'aws sso login --profile {}' and then the "
                  "same command again",
                  settings.profile, why, settings.profile)});
}

std::string Text(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::expected<std::string, Error> CachedToken(const CredentialSources& sources,
                                              const SsoSettings& settings) {
  const std::filesystem::path path =
      std::filesystem::path(Variable(sources, "HOME")) / ".aws/sso/cache" / SsoCacheFile(settings);
  const auto text = sources.read_file(path);
  if (!text && text.error().code == ErrorCode::kNotFound) {
    return LogIn(settings, fmt::format("there is no token in {}", path.native()));
  }
  if (!text) return std::unexpected(text.error());
  boost::system::error_code error;
  const json::value document = json::parse(*text, error);
  const json::object* object = error ? nullptr : document.if_object();
  std::string token = object == nullptr ? std::string() : Text(*object, "accessToken");
  const auto expires =
      object == nullptr ? std::nullopt : ParseExpiration(Text(*object, "expiresAt"));
  if (token.empty() || !expires) {
    return LogIn(settings, fmt::format("{} holds no token that can be read", path.native()));
  }
  if (*expires <= sources.clock.WallNow()) {
    return LogIn(settings, fmt::format("its token has expired at {}", Text(*object, "expiresAt")));
  }
  return token;
}

std::expected<FoundCredentials, Error> Read(const std::string& body) {
  boost::system::error_code error;
  const json::value document = json::parse(body, error);
  const json::object* answer = error ? nullptr : document.if_object();
  const json::value* inner = answer == nullptr ? nullptr : answer->if_contains("roleCredentials");
  const json::object* keys = inner == nullptr ? nullptr : inner->if_object();
  if (keys == nullptr || Text(*keys, "accessKeyId").empty() ||
      Text(*keys, "secretAccessKey").empty()) {
    return std::unexpected(Error{ErrorCode::kCorrupt,
                                 "expected roleCredentials in the answer of SSO "
                                 "GetRoleCredentials, got something else"});
  }
  FoundCredentials found{
      {Text(*keys, "accessKeyId"), Text(*keys, "secretAccessKey"), Text(*keys, "sessionToken")}};
  const json::value* expiration = keys->if_contains("expiration");
  if (expiration != nullptr && expiration->is_int64()) {
    found.expires = Clock::WallTime(std::chrono::milliseconds(expiration->get_int64()));
  }
  return found;
}

}  // namespace

std::string SsoCacheFile(const SsoSettings& settings) {
  return Sha1Hex(settings.session.empty() ? settings.start_url : settings.session) + ".json";
}

std::expected<FoundCredentials, Error> FromSso(const CredentialSources& sources,
                                               const SsoSettings& settings) {
  const auto token = CachedToken(sources, settings);
  if (!token) return std::unexpected(token.error());
  // The service's endpoint is not called by the service's name.
  auto endpoint = FindEndpoint("sso", settings.region, sources.environment);
  if (!endpoint) return std::unexpected(std::move(endpoint.error()));
  if (endpoint->address.host.starts_with("sso.")) {
    endpoint->address.host.insert(0, "portal.");
  }
  auto answer = SendAsk(
      sources, *endpoint,
      {.request = {.method = "GET",
                   .target = fmt::format("/federation/credentials?role_name={}&account_id={}",
                                         PercentEncode(settings.role_name),
                                         PercentEncode(settings.account_id)),
                   .headers = {{"x-amz-sso_bearer_token", *token}},
                   .body = {}},
       .attempts = 3});
  if (!answer) {
    answer.error().message =
        fmt::format("SSO GetRoleCredentials failed: {}", answer.error().message);
    return std::unexpected(std::move(answer.error()));
  }
  if (answer->status == 401) return LogIn(settings, "its token is no longer accepted");
  if (answer->status != 200) {
    Error error = ErrorFromResponse("SSO GetRoleCredentials", *answer);
    error.message += fmt::format("; is role {} in account {} given to you, as profile {} has it",
                                 settings.role_name, settings.account_id, settings.profile);
    return std::unexpected(std::move(error));
  }
  return Read(answer->body);
}

}  // namespace kelvin::aws
