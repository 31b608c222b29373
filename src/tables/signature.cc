#include "tables/signature.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "aws/check_signature.h"
#include "base/time_format.h"

namespace kelvin::tables {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kService = "dynamodb";
constexpr std::string_view kQueryAlgorithm = "X-Amz-Algorithm";
constexpr std::string_view kQueryDate = "X-Amz-Date";
constexpr std::chrono::minutes kSkew{15};

std::unexpected<Failure> Incomplete(std::string message) {
  return std::unexpected(Failure{FailureKind::kIncompleteSignature, std::move(message)});
}

std::unexpected<Failure> WrongSignature(std::string message) {
  return std::unexpected(Failure{FailureKind::kInvalidSignature, std::move(message)});
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string_view Trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  return text;
}

// The value of the first "name=value", or bare "name", in a list; none where there is none. Looked
// for in every request, so without a look at each part.
std::optional<std::string_view> FindPart(std::string_view list, std::string_view name,
                                         std::string_view separators) {
  const auto separates = [&](char c) {
    return std::ranges::any_of(separators, [&](char separator) { return c == separator; });
  };
  for (std::size_t at = list.find(name); at != list.npos; at = list.find(name, at + name.size())) {
    if (at > 0 && !separates(list[at - 1])) continue;
    const std::string_view rest = list.substr(at + name.size());
    if (rest.empty() || separates(rest.front())) return std::string_view{};
    if (rest.front() != '=') continue;
    const auto end = std::ranges::find_if(rest, separates);
    return std::string_view(rest.begin() + 1, end);
  }
  return std::nullopt;
}

// Of "AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=...".
std::string_view HeaderPart(std::string_view authorization, std::string_view name) {
  return FindPart(authorization, name, ", ").value_or("");
}

std::string_view QueryOf(std::string_view target) {
  const std::size_t mark = target.find('?');
  return mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
}

Outcome<void> CheckHeader(std::string_view authorization, const http::Request& request) {
  std::string missing;
  for (const std::string_view name : {"Credential", "Signature", "SignedHeaders"}) {
    if (HeaderPart(authorization, name).empty()) {
      missing += fmt::format("Authorization header requires '{}' parameter. ", name);
    }
  }
  if (!request.headers.Has("X-Amz-Date") && !request.headers.Has("Date")) {
    missing +=
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
  }
  if (missing.empty()) return {};
  return Incomplete(fmt::format("{}Authorization={}", missing, authorization));
}

Outcome<void> CheckQuery(std::string_view query) {
  std::string missing;
  for (const std::string_view name :
       {kQueryAlgorithm, std::string_view("X-Amz-Credential"), std::string_view("X-Amz-Signature"),
        std::string_view("X-Amz-SignedHeaders"), kQueryDate}) {
    if (FindPart(query, name, "&").value_or("").empty()) {
      missing += fmt::format("AWS query-string parameters must include '{}'. ", name);
    }
  }
  if (missing.empty()) return {};
  return Incomplete(missing + "Re-examine the query-string parameters.");
}

Outcome<void> CheckDate(std::string_view amz_date, Clock::WallTime now) {
  const auto date = ParseAmzDate(amz_date);
  if (!date) {
    return Incomplete(
        fmt::format("Date must be in ISO-8601 'basic format'. Got '{}'. See "
                    "http://en.wikipedia.org/wiki/ISO_8601",
                    amz_date));
  }
  if (*date < now - kSkew) {
    return WrongSignature(fmt::format("Signature expired: {} is now earlier than {} ({} - 15 min.)",
                                      amz_date, FormatAmzDate(now - kSkew), FormatAmzDate(now)));
  }
  if (*date > now + kSkew) {
    return WrongSignature(
        fmt::format("Signature not yet current: {} is still later than {} ({} + 15 min.)", amz_date,
                    FormatAmzDate(now + kSkew), FormatAmzDate(now)));
  }
  return {};
}

Outcome<void> CheckScope(const std::vector<std::string_view>& scope, const SignatureRules& rules,
                         std::string_view amz_date) {
  std::string wrong;
  if (scope[2] != rules.region) {
    wrong += fmt::format("Credential should be scoped to a valid region, not '{}'. ", scope[2]);
  }
  if (scope[3] != kService) {
    wrong += fmt::format("Credential should be scoped to correct service: '{}'. ", kService);
  }
  if (scope[4] != "aws4_request") {
    wrong += fmt::format(
        "Credential should be scoped with a valid terminator: 'aws4_request', not '{}'. ",
        scope[4]);
  }
  if (scope[1] != amz_date.substr(0, 8)) {
    wrong += fmt::format(
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
        "HTTP: '{}' != '{}', from '{}'. ",
        scope[1], amz_date.substr(0, 8), amz_date);
  }
  if (wrong.empty()) return {};
  return WrongSignature(wrong);
}

}  // namespace

Outcome<void> CheckAuthorization(const http::Request& request) {
  const std::string_view authorization = request.headers.Get("Authorization");
  const bool by_header = request.headers.Has("Authorization");
  const std::string_view query = QueryOf(request.target);
  const bool by_query = FindPart(query, kQueryAlgorithm, "&").has_value();
  if (by_header && by_query) {
    return WrongSignature(
        "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.");
  }
  if (by_query) return CheckQuery(query);
  if (Trimmed(authorization).starts_with("AWS4-")) return CheckHeader(authorization, request);
  return std::unexpected(
      Failure{FailureKind::kMissingAuthenticationToken, "Request is missing Authentication Token"});
}

Outcome<void> CheckSignature(const http::Request& request, const SignatureRules& rules,
                             Clock::WallTime now) {
  if (!request.headers.Has("Authorization")) {
    return WrongSignature("Requests signed in their query are not supported by these local tables");
  }
  const std::string_view authorization = request.headers.Get("Authorization");
  const std::string_view amz_date = request.headers.Get("X-Amz-Date");
  if (auto ok = CheckDate(amz_date, now); !ok) return ok;
  std::vector<std::string> signed_headers;
  for (const std::string_view name : Split(HeaderPart(authorization, "SignedHeaders"), ';')) {
    signed_headers.emplace_back(name);
  }
  if (std::ranges::find(signed_headers, "host") == signed_headers.end()) {
    return WrongSignature("'Host' must be a 'SignedHeader' in the AWS Authorization.");
  }
  if (!authorization.starts_with(kAlgorithm) || authorization[kAlgorithm.size()] != ' ') {
    return Incomplete(fmt::format("Unsupported AWS 'algorithm': '{}' (only {} for now). ",
                                  authorization.substr(0, authorization.find(' ')), kAlgorithm));
  }
  const std::string_view credential = HeaderPart(authorization, "Credential");
  const std::vector<std::string_view> scope = Split(credential, '/');
  if (scope.size() != 5) {
    return Incomplete(
        fmt::format("Credential must have exactly 5 slash-delimited elements, e.g. "
                    "keyid/date/region/service/term, got '{}'",
                    credential));
  }
  if (auto ok = CheckScope(scope, rules, amz_date); !ok) return ok;
  const auto signer =
      std::ranges::find(rules.credentials, scope[0], &aws::Credentials::access_key_id);
  if (signer == rules.credentials.end()) {
    return std::unexpected(Failure{FailureKind::kUnrecognizedClient,
                                   "The security token included in the request is invalid."});
  }
  if (aws::IsSignedBy(signer->secret_access_key, {scope[1], scope[2], scope[3]}, request,
                      signed_headers, amz_date, HeaderPart(authorization, "Signature"))) {
    return {};
  }
  return WrongSignature(
      "The request signature we calculated does not match the signature you provided. Check your "
      "AWS Secret Access Key and signing method. Consult the service documentation for details.");
}

}  // namespace kelvin::tables
