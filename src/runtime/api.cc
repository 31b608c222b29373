#include "runtime/api.h"

#include <charconv>
#include <cstdint>

#include <fmt/format.h>

#include "base/encoding.h"

namespace kelvin::runtime {
namespace {

constexpr std::string_view kNextTarget = "/2018-06-01/runtime/invocation/next";
constexpr std::string_view kInitErrorTarget = "/2018-06-01/runtime/init/error";
constexpr std::string_view kInvocationPrefix = "/2018-06-01/runtime/invocation/";
constexpr std::size_t kShownBytes = 256;

ErrorCode CodeOfStatus(int status) {
  switch (status) {
    case 400:
      return ErrorCode::kInvalidArgument;
    case 403:
      return ErrorCode::kPermissionDenied;
    case 413:
      return ErrorCode::kResourceExhausted;
    case 500:
      return ErrorCode::kInternal;
    default:
      return ErrorCode::kCorrupt;
  }
}

Error Refused(std::string_view target, const http::Response& response) {
  return Error{CodeOfStatus(response.status),
               fmt::format("the Runtime API answered {} to {}: {}", response.status, target,
                           std::string_view(response.body).substr(0, kShownBytes))};
}

std::chrono::system_clock::time_point ParseDeadline(std::string_view text) {
  std::int64_t milliseconds = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), milliseconds);
  if (text.empty() || failure != std::errc{} || end != text.data() + text.size()) {
    return InvocationInfo::kNoDeadline;
  }
  constexpr auto kLast = std::chrono::duration_cast<std::chrono::milliseconds>(
      InvocationInfo::kNoDeadline.time_since_epoch());
  if (milliseconds < 0 || milliseconds >= kLast.count()) return InvocationInfo::kNoDeadline;
  return std::chrono::system_clock::time_point(std::chrono::milliseconds(milliseconds));
}

// The value of a string member of a flat JSON object that Lambda itself wrote, where identifiers
// never hold escapes; empty when it is not there.
std::string_view FlatMember(std::string_view object, std::string_view quoted_name) {
  std::size_t at = object.find(quoted_name);
  if (at == std::string_view::npos) return {};
  at = object.find_first_not_of(" \t:", at + quoted_name.size());
  if (at == std::string_view::npos || object[at] != '"') return {};
  const std::size_t end = object.find('"', at + 1);
  if (end == std::string_view::npos) return {};
  return object.substr(at + 1, end - at - 1);
}

InvocationInfo InfoFrom(const http::Headers& headers) {
  const std::string_view cognito = headers.Get("Lambda-Runtime-Cognito-Identity");
  return InvocationInfo{
      .request_id = headers.Get("Lambda-Runtime-Aws-Request-Id"),
      .invoked_function_arn = headers.Get("Lambda-Runtime-Invoked-Function-Arn"),
      .deadline = ParseDeadline(headers.Get("Lambda-Runtime-Deadline-Ms")),
      .trace_id = headers.Get("Lambda-Runtime-Trace-Id"),
      .client_context = headers.Get("Lambda-Runtime-Client-Context"),
      .cognito_identity_id = FlatMember(cognito, R"("cognitoIdentityId")"),
      .cognito_identity_pool_id = FlatMember(cognito, R"("cognitoIdentityPoolId")"),
      .tenant_id = headers.Get("Lambda-Runtime-Aws-Tenant-Id"),
  };
}

}  // namespace

Api::Api(http::Connector& connector, http::Endpoint endpoint)
    : client_(connector, std::move(endpoint)), json_({{"Content-Type", "application/json"}}) {}

std::expected<Invocation, Error> Api::Next() {
  const http::RequestView request{
      .method = "GET", .target = kNextTarget, .headers = nullptr, .body = {}};
  auto sent = client_.Send(request, next_, kNoDeadline);
  if (!sent) return std::unexpected(std::move(sent.error()));
  if (next_.status != 200) return std::unexpected(Refused(kNextTarget, next_));
  Invocation invocation{InfoFrom(next_.headers), next_.body};
  if (invocation.info.request_id.empty()) {
    return std::unexpected(Error{ErrorCode::kCorrupt,
                                 "expected the header Lambda-Runtime-Aws-Request-Id with the next "
                                 "invocation, it is missing"});
  }
  return invocation;
}

std::expected<void, Error> Api::PostResponse(std::string_view request_id, std::string_view body) {
  return Post(Target(request_id, "/response"), body, json_);
}

std::expected<void, Error> Api::PostError(std::string_view request_id, const ErrorDocument& error) {
  return PostDocument(Target(request_id, "/error"), error);
}

std::expected<void, Error> Api::PostInitError(const ErrorDocument& error) {
  return PostDocument(kInitErrorTarget, error);
}

std::expected<void, Error> Api::PostDocument(std::string_view target, const ErrorDocument& error) {
  http::Headers headers = json_;
  headers.Add("Lambda-Runtime-Function-Error-Type", error.error_type);
  return Post(target, error.body, headers);
}

std::expected<void, Error> Api::Post(std::string_view target, std::string_view body,
                                     const http::Headers& headers) {
  const http::RequestView request{
      .method = "POST", .target = target, .headers = &headers, .body = body};
  auto sent = client_.Send(request, posted_, kNoDeadline);
  if (!sent) return sent;
  if (posted_.status / 100 != 2) return std::unexpected(Refused(target, posted_));
  return {};
}

std::expected<void, Error> Api::BeginStream(std::string_view request_id,
                                            std::string_view content_type, std::string_view piece) {
  const http::Headers headers{
      {"Content-Type", std::string(content_type)},
      {"Lambda-Runtime-Function-Response-Mode", "streaming"},
      {"Trailer", "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body"}};
  const http::RequestView request{
      .method = "POST", .target = Target(request_id, "/response"), .headers = &headers, .body = {}};
  return Streamed(client_.BeginBody(request, piece, posted_, kNoDeadline));
}

std::expected<void, Error> Api::StreamPiece(std::string_view piece) {
  return Streamed(client_.SendPiece(piece, posted_, kNoDeadline));
}

std::expected<void, Error> Api::EndStream(const ErrorDocument* error) {
  http::Headers trailers;
  if (error != nullptr) {
    trailers.Add("Lambda-Runtime-Function-Error-Type", error->error_type);
    trailers.Add("Lambda-Runtime-Function-Error-Body", Base64Encode(error->body));
  }
  auto answered = Streamed(client_.EndBody(trailers, posted_, kNoDeadline));
  if (!answered) return answered;
  if (posted_.status / 100 != 2) return std::unexpected(Refused(target_, posted_));
  return {};
}

// What the API said before the end explains more than the connection it closed.
std::expected<void, Error> Api::Streamed(std::expected<void, Error> sent) const {
  if (sent || posted_.status == 0) return sent;
  return std::unexpected(Refused(target_, posted_));
}

std::string_view Api::Target(std::string_view request_id, std::string_view what) {
  target_.assign(kInvocationPrefix).append(request_id).append(what);
  return target_;
}

}  // namespace kelvin::runtime
