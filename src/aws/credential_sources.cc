#include "aws/credential_sources.h"

#include <algorithm>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/time_format.h"
#include "http/client.h"

namespace kelvin::aws {

namespace json = boost::json;

std::string Variable(const CredentialSources& sources, std::string_view name) {
  return sources.environment(name).value_or("");
}

std::expected<http::Response, Error> SendAsk(const CredentialSources& sources,
                                             const ServiceEndpoint& endpoint, const Ask& ask) {
  http::Connector& network = endpoint.scheme == Scheme::kHttps ? sources.secure : sources.plain;
  http::Request request = ask.request;
  request.target = endpoint.base_path + request.target;
  request.headers.Set("Host", endpoint.HostHeader());
  for (int attempt = 1;; ++attempt) {
    http::Client client(network, endpoint.address);
    auto answer = client.Send(request, sources.clock.Now() + ask.timeout);
    const bool good = answer && answer->status / 100 != 5;
    if (good || attempt >= ask.attempts) return answer;
    sources.clock.SleepFor(std::chrono::milliseconds(100) * attempt);
  }
}

std::optional<Clock::WallTime> ParseExpiration(std::string_view text) {
  constexpr std::size_t kSeconds = std::string_view("2026-08-22T10:15:30").size();
  if (text.size() <= kSeconds) return std::nullopt;
  std::string_view zone = text.substr(kSeconds);
  if (zone.starts_with('.')) {
    zone.remove_prefix(std::min(zone.find_first_not_of("0123456789", 1), zone.size()));
  }
  if (zone != "Z" && zone != "UTC" && zone != "+00:00") return std::nullopt;
  std::string digits(text.substr(0, kSeconds));
  std::erase_if(digits, [](char c) { return c == '-' || c == ':'; });
  return ParseAmzDate(digits + 'Z');
}

std::expected<FoundCredentials, Error> ParseKeys(std::string_view text, std::string_view token_key,
                                                 std::string_view from) {
  boost::system::error_code error;
  const json::value document = json::parse(text, error);
  const json::object* object = error ? nullptr : document.if_object();
  const auto read = [object](std::string_view key) {
    const json::value* value = object == nullptr ? nullptr : object->if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string())
                                                  : std::string();
  };
  FoundCredentials found{{read("AccessKeyId"), read("SecretAccessKey"), read(token_key)}};
  if (found.keys.access_key_id.empty() || found.keys.secret_access_key.empty()) {
    std::string message = read("message");
    if (message.empty()) message = read("Message");
    return std::unexpected(Error{
        ErrorCode::kCorrupt,
        fmt::format("expected JSON with AccessKeyId and SecretAccessKey from {}, got {}{}{}", from,
                    object == nullptr ? "something else" : "neither or only one of them",
                    message.empty() ? "" : ": ", message)});
  }
  const std::string expiration = read("Expiration");
  if (!expiration.empty()) {
    found.expires = ParseExpiration(expiration);
    if (!found.expires) {
      return std::unexpected(
          Error{ErrorCode::kCorrupt,
                fmt::format("expected an Expiration such as 2026-08-22T10:15:30Z from {}, got '{}'",
                            from, expiration)});
    }
  }
  return found;
}

}  // namespace kelvin::aws
