#include "aws/sigv4.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/encoding.h"
#include "base/time_format.h"

namespace kelvin::aws {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kTerminator = "aws4_request";

constexpr std::array<std::string_view, 8> kNeverSigned = {
    "authorization", "connection",        "expect",     "te",
    "trailer",       "transfer-encoding", "user-agent", "x-amzn-trace-id"};

bool IsBlank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

std::string LowerCase(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string NormalizedPath(std::string_view path) {
  std::vector<std::string_view> segments;
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    const std::string_view segment = path.substr(start, end - start);
    if (segment == "..") {
      if (!segments.empty()) segments.pop_back();
    } else if (!segment.empty() && segment != ".") {
      segments.push_back(segment);
    }
    start = end + 1;
  }
  std::string out;
  for (const std::string_view segment : segments) out.append("/").append(segment);
  if (out.empty() || path.back() == '/') out += '/';
  return out;
}

// A stray '%' can only mean itself.
std::string DecodeLeniently(std::string_view text) {
  return PercentDecode(text).value_or(std::string(text));
}

void AppendCanonicalHeader(const http::Headers& headers, std::string_view name, std::string& out) {
  out.append(name).append(":");
  bool first = true;
  for (const auto& [key, value] : headers) {
    if (!http::EqualsIgnoringCase(key, name)) continue;
    if (!first) out += ',';
    out += CanonicalHeaderValue(value);
    first = false;
  }
  out += '\n';
}

std::string Joined(std::span<const std::string> names) {
  std::string out;
  for (const std::string& name : names) {
    if (!out.empty()) out += ';';
    out += name;
  }
  return out;
}

}  // namespace

std::string CanonicalPath(std::string_view path, PathRule rule) {
  if (path.empty()) return "/";
  if (rule == PathRule::kAsSent) return PercentEncode(DecodeLeniently(path), Slash::kKeep);
  return PercentEncode(NormalizedPath(path), Slash::kKeep);
}

std::string CanonicalQuery(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    if (part.empty()) continue;
    const std::size_t equals = std::min(part.find('='), part.size());
    const std::string_view value = part.substr(std::min(equals + 1, part.size()));
    parameters.emplace_back(PercentEncode(DecodeLeniently(part.substr(0, equals))),
                            PercentEncode(DecodeLeniently(value)));
  }
  std::ranges::sort(parameters);
  std::string out;
  for (const auto& [name, value] : parameters) {
    if (!out.empty()) out += '&';
    out.append(name).append("=").append(value);
  }
  return out;
}

std::string CanonicalHeaderValue(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  bool gap = false;
  for (const char c : value) {
    if (IsBlank(c)) {
      gap = !out.empty();
      continue;
    }
    if (gap) out += ' ';
    gap = false;
    out += c;
  }
  return out;
}

std::string CanonicalRequest(const CanonicalInput& input) {
  const std::size_t mark = std::min(input.target.find('?'), input.target.size());
  const std::string_view query = input.target.substr(std::min(mark + 1, input.target.size()));
  std::string out(input.method);
  out.append("\n").append(CanonicalPath(input.target.substr(0, mark), input.path_rule));
  out.append("\n").append(CanonicalQuery(query)).append("\n");
  for (const std::string& name : input.signed_headers) {
    AppendCanonicalHeader(*input.headers, name, out);
  }
  out.append("\n").append(Joined(input.signed_headers)).append("\n").append(input.payload_hash);
  return out;
}

std::string ScopeText(const SigningScope& scope) {
  std::string out(scope.date);
  out.append("/").append(scope.region).append("/").append(scope.service).append("/");
  return out.append(kTerminator);
}

Sha256Digest SigningKey(std::string_view secret_access_key, const SigningScope& scope) {
  const Sha256Digest date = HmacSha256(std::string("AWS4").append(secret_access_key), scope.date);
  const Sha256Digest region = HmacSha256(BytesOf(date), scope.region);
  const Sha256Digest service = HmacSha256(BytesOf(region), scope.service);
  return HmacSha256(BytesOf(service), kTerminator);
}

std::string StringToSign(std::string_view amz_date, const SigningScope& scope,
                         std::string_view canonical_request) {
  std::string out(kAlgorithm);
  out.append("\n").append(amz_date).append("\n").append(ScopeText(scope)).append("\n");
  return out.append(Sha256Hex(canonical_request));
}

std::string Signature(const Sha256Digest& signing_key, std::string_view string_to_sign) {
  return HexEncode(BytesOf(HmacSha256(BytesOf(signing_key), string_to_sign)));
}

std::vector<std::string> SignableHeaders(const http::Headers& headers) {
  std::vector<std::string> names;
  for (const auto& field : headers) {
    std::string name = LowerCase(field.first);
    if (std::ranges::find(kNeverSigned, name) == kNeverSigned.end())
      names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  return names;
}

Signer::Signer(Credentials credentials, std::string region, std::string service,
               SignerOptions options)
    : credentials_(std::move(credentials)),
      region_(std::move(region)),
      service_(std::move(service)),
      options_(options) {}

void Signer::Use(Credentials credentials) {
  if (credentials.secret_access_key != credentials_.secret_access_key) key_date_.clear();
  credentials_ = std::move(credentials);
}

void Signer::Sign(std::string_view method, std::string_view target, std::string_view body,
                  Clock::WallTime now, http::Headers& headers) {
  const std::string amz_date = FormatAmzDate(now);
  const SigningScope scope{std::string_view(amz_date).substr(0, 8), region_, service_};
  if (key_date_ != scope.date) {
    key_ = SigningKey(credentials_.secret_access_key, scope);
    key_date_ = scope.date;
  }
  headers.Set("X-Amz-Date", amz_date);
  if (!credentials_.session_token.empty()) {
    headers.Set("X-Amz-Security-Token", credentials_.session_token);
  }
  std::string payload_hash(kUnsignedPayload);
  if (options_.payload == PayloadSigning::kSigned) {
    payload_hash = Sha256Hex(body);
  } else {
    headers.Set("X-Amz-Content-Sha256", kUnsignedPayload);
  }
  const std::vector<std::string> names = SignableHeaders(headers);
  const std::string canonical =
      CanonicalRequest({method, target, &headers, names, payload_hash, options_.path_rule});
  std::string authorization(kAlgorithm);
  authorization.append(" Credential=").append(credentials_.access_key_id).append("/");
  authorization.append(ScopeText(scope)).append(", SignedHeaders=").append(Joined(names));
  authorization.append(", Signature=")
      .append(Signature(key_, StringToSign(amz_date, scope, canonical)));
  headers.Set("Authorization", authorization);
}

}  // namespace kelvin::aws
