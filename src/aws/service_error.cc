#include "aws/service_error.h"

#include <array>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace kelvin::aws {
namespace {

namespace json = boost::json;

struct NamedCode {
  std::string_view name;
  ErrorCode code;
};

// Names whose HTTP status (often a plain 400) does not say enough.
constexpr auto kCodes = std::to_array<NamedCode>({
    {"AccessDeniedException", ErrorCode::kPermissionDenied},
    {"CodeStorageExceededException", ErrorCode::kResourceExhausted},
    {"ExpiredTokenException", ErrorCode::kPermissionDenied},
    {"IncompleteSignatureException", ErrorCode::kPermissionDenied},
    {"InternalServerError", ErrorCode::kUnavailable},
    {"InvalidSignatureException", ErrorCode::kPermissionDenied},
    {"ItemCollectionSizeLimitExceededException", ErrorCode::kResourceExhausted},
    {"LimitExceededException", ErrorCode::kResourceExhausted},
    {"MissingAuthenticationTokenException", ErrorCode::kPermissionDenied},
    {"ProvisionedThroughputExceededException", ErrorCode::kThrottled},
    {"RequestLimitExceeded", ErrorCode::kThrottled},
    {"ResourceConflictException", ErrorCode::kAlreadyExists},
    {"ResourceInUseException", ErrorCode::kAlreadyExists},
    {"ResourceNotFoundException", ErrorCode::kNotFound},
    {"ServiceUnavailable", ErrorCode::kUnavailable},
    {"Throttling", ErrorCode::kThrottled},
    {"ThrottlingException", ErrorCode::kThrottled},
    {"TooManyRequestsException", ErrorCode::kThrottled},
    {"UnrecognizedClientException", ErrorCode::kPermissionDenied},
});

ErrorCode CodeOfStatus(int status) {
  switch (status) {
    case 401:
    case 403:
      return ErrorCode::kPermissionDenied;
    case 404:
      return ErrorCode::kNotFound;
    case 409:
      return ErrorCode::kAlreadyExists;
    case 413:
      return ErrorCode::kResourceExhausted;
    case 429:
      return ErrorCode::kThrottled;
    default:
      return status >= 500 ? ErrorCode::kUnavailable : ErrorCode::kInvalidArgument;
  }
}

ErrorCode CodeOf(std::string_view name, int status) {
  for (const NamedCode& known : kCodes) {
    if (known.name == name) return known.code;
  }
  return CodeOfStatus(status);
}

std::string_view Text(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  const json::string* text = value != nullptr ? value->if_string() : nullptr;
  return text != nullptr ? std::string_view(*text) : std::string_view{};
}

// "prefix#Name:http://..." is how services wrap a name.
std::string_view BareName(std::string_view type) {
  type = type.substr(0, type.find(':'));
  return type.substr(type.find('#') + 1);
}

}  // namespace

Error ErrorFromResponse(std::string_view doing, const http::Response& response) {
  json::error_code failure;
  const json::value parsed = json::parse(response.body, failure);
  const json::object* object = failure ? nullptr : parsed.if_object();
  std::string_view name = BareName(response.headers.Get("x-amzn-ErrorType"));
  std::string_view message;
  if (object != nullptr) {
    if (name.empty()) name = BareName(Text(*object, "__type"));
    if (name.empty()) name = BareName(Text(*object, "Code"));
    message = Text(*object, "message");
    if (message.empty()) message = Text(*object, "Message");
  }
  Error error{CodeOf(name, response.status), {}, std::string(name)};
  error.message = fmt::format("{} failed: {} (HTTP {}{}{})", doing,
                              message.empty() ? "the service gave no reason" : message,
                              response.status, name.empty() ? "" : ", ", name);
  return error;
}

}  // namespace kelvin::aws
