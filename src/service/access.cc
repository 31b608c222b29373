#include "service/access.h"

#include <algorithm>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "aws/check_signature.h"
#include "base/time_format.h"
#include "http/this_machine.h"

namespace kelvin::service {
namespace {

constexpr std::chrono::minutes kMostSkew{5};
constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256 ";

http::Response Forbidden(std::string_view type, std::string_view message) {
  http::Response response;
  response.status = 403;
  response.headers.Add("Content-Type", "application/json");
  response.headers.Add("x-amzn-ErrorType", type);
  response.body = boost::json::serialize(
      boost::json::object{{"__type", type}, {"message", message}, {"Message", message}});
  return response;
}

http::Response Foreign(std::string_view header, std::string_view value) {
  return Forbidden(
      "AccessDeniedException",
      fmt::format(
          "expected {} to name this machine, got \"{}\": requests of web pages and of other "
          "names are refused; start kelvin serve with --credentials to be reached by "
          "another name",
          header, value));
}

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == text.npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// Of an Authorization header.
struct Authorization {
  std::string key_id, date, region, service, signature;
  std::vector<std::string> signed_headers;
};

std::optional<Authorization> ParseAuthorization(std::string_view text) {
  if (!text.starts_with(kAlgorithm)) return std::nullopt;
  text.remove_prefix(kAlgorithm.size());
  Authorization parsed;
  for (std::string_view part : Split(text, ',')) {
    part.remove_prefix(std::min(part.find_first_not_of(' '), part.size()));
    const auto equals = std::min(part.find('='), part.size());
    const auto name = part.substr(0, equals);
    const auto value = part.substr(std::min(equals + 1, part.size()));
    if (name == "Credential") {
      const auto scope = Split(value, '/');
      if (scope.size() != 5 || scope[4] != "aws4_request") return std::nullopt;
      parsed.key_id = scope[0];
      parsed.date = scope[1];
      parsed.region = scope[2];
      parsed.service = scope[3];
    } else if (name == "SignedHeaders") {
      parsed.signed_headers = Split(value, ';');
    } else if (name == "Signature") {
      parsed.signature = value;
    }
  }
  const bool host_signed = std::ranges::count(parsed.signed_headers, "host") > 0;
  if (parsed.key_id.empty() || parsed.signature.empty() || !host_signed) return std::nullopt;
  return parsed;
}

std::optional<http::Response> CheckSignature(const AccessRules& rules, const http::Request& request,
                                             Clock::WallTime now) {
  const std::string_view header = request.headers.Get("Authorization");
  if (header.empty()) {
    return Forbidden("MissingAuthenticationTokenException", "Missing Authentication Token");
  }
  const auto given = ParseAuthorization(header);
  const std::string_view amz_date = request.headers.Get("X-Amz-Date");
  const auto at = ParseAmzDate(amz_date);
  if (!given || !at || !amz_date.starts_with(given->date)) {
    return Forbidden("IncompleteSignatureException",
                     "expected an Authorization header by AWS Signature Version 4 and X-Amz-Date");
  }
  const auto known =
      std::ranges::find(rules.credentials, given->key_id, &aws::Credentials::access_key_id);
  if (known == rules.credentials.end()) {
    return Forbidden("UnrecognizedClientException",
                     "The security token included in the request is invalid.");
  }
  if (now - *at > kMostSkew || *at - now > kMostSkew) {
    return Forbidden("InvalidSignatureException",
                     fmt::format("Signature expired: {} is now earlier than {} ({} - 5 min.)",
                                 amz_date, FormatAmzDate(now - kMostSkew), FormatAmzDate(now)));
  }
  if (aws::IsSignedBy(known->secret_access_key, {given->date, given->region, given->service},
                      request, given->signed_headers, amz_date, given->signature)) {
    return {};
  }
  return Forbidden(
      "InvalidSignatureException",
      "The request signature we calculated does not match the signature you provided. Check your "
      "AWS Secret Access Key and signing method. Consult the service documentation for details.");
}

}  // namespace

std::optional<http::Response> Refuse(const AccessRules& rules, const http::Request& request,
                                     Audience audience, Clock::WallTime now) {
  if (audience == Audience::kFunctionUrl) return std::nullopt;
  if (const auto origin = request.headers.Get("Origin"); !origin.empty()) {
    const auto slashes = origin.find("://");
    if (slashes == origin.npos || !http::IsThisMachine(origin.substr(slashes + 3))) {
      return Foreign("Origin", origin);
    }
  }
  if (!rules.credentials.empty()) return CheckSignature(rules, request, now);
  const auto host = request.headers.Get("Host");
  if (!host.empty() && !http::IsThisMachine(host)) return Foreign("Host", host);
  return std::nullopt;
}

}  // namespace kelvin::service
