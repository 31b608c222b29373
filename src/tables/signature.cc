#include "tables/signature.h"

#include <chrono>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "aws/check_signature.h"
#include "base/time_format.h"

namespace kelvin::tables {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kService = "dynamodb";
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
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// The parts of "AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=...".
using Parts = std::map<std::string_view, std::string_view>;

Outcome<Parts> ReadParts(std::string_view authorization, const http::Request& request) {
  const std::size_t blank = authorization.find(' ');
  Parts parts;
  const std::string_view rest =
      blank == std::string_view::npos ? std::string_view{} : authorization.substr(blank + 1);
  for (const std::string_view part : Split(rest, ',')) {
    const std::string_view trimmed = Trimmed(part);
    const std::size_t equals = trimmed.find('=');
    if (equals != std::string_view::npos) {
      parts[trimmed.substr(0, equals)] = trimmed.substr(equals + 1);
    }
  }
  std::string missing;
  for (const std::string_view name : {"Credential", "Signature", "SignedHeaders"}) {
    if (parts[name].empty()) {
      missing += fmt::format("Authorization header requires '{}' parameter. ", name);
    }
  }
  if (!request.headers.Has("X-Amz-Date")) {
    missing +=
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
  }
  if (missing.empty()) return parts;
  return Incomplete(fmt::format("{}Authorization={}", missing, authorization));
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
  if (!wrong.empty()) return WrongSignature(wrong);
  if (scope[0] == rules.credentials.access_key_id) return {};
  return std::unexpected(Failure{FailureKind::kUnrecognizedClient,
                                 "The security token included in the request is invalid."});
}

}  // namespace

Outcome<void> CheckSignature(const http::Request& request, const SignatureRules& rules,
                             Clock::WallTime now) {
  const std::string_view authorization = request.headers.Get("Authorization");
  const auto parts = ReadParts(authorization, request);
  if (!parts) return std::unexpected(parts.error());
  const std::string_view amz_date = request.headers.Get("X-Amz-Date");
  if (auto ok = CheckDate(amz_date, now); !ok) return ok;
  if (!authorization.starts_with(kAlgorithm) || authorization[kAlgorithm.size()] != ' ') {
    return Incomplete(fmt::format("Unsupported AWS 'algorithm': '{}' (only {} for now). ",
                                  authorization.substr(0, authorization.find(' ')), kAlgorithm));
  }
  const std::vector<std::string_view> scope = Split(parts->at("Credential"), '/');
  if (scope.size() != 5) {
    return Incomplete(
        fmt::format("Credential must have exactly 5 slash-delimited elements, e.g. "
                    "keyid/date/region/service/term, got '{}'",
                    parts->at("Credential")));
  }
  if (auto ok = CheckScope(scope, rules, amz_date); !ok) return ok;
  std::vector<std::string> signed_headers;
  for (const std::string_view name : Split(parts->at("SignedHeaders"), ';')) {
    signed_headers.emplace_back(name);
  }
  if (aws::IsSignedBy(rules.credentials.secret_access_key, {scope[1], scope[2], scope[3]}, request,
                      signed_headers, amz_date, parts->at("Signature"))) {
    return {};
  }
  return WrongSignature(
      "The request signature we calculated does not match the signature you provided. Check your "
      "AWS Secret Access Key and signing method. Consult the service documentation for details.");
}

}  // namespace kelvin::tables
