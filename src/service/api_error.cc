#include "service/api_error.h"

#include <utility>

#include <boost/json.hpp>

namespace kelvin::service {
namespace {

struct Row {
  ApiErrorKind kind;
  int status;
  std::string_view name;
  std::string_view fault;        // AWS's "Type"
  std::string_view message_key;  // most say "message", some "Message"
};

constexpr Row kRows[] = {
    {ApiErrorKind::kInvalidParameterValue, 400, "InvalidParameterValueException", "User",
     "message"},
    {ApiErrorKind::kInvalidRequestContent, 400, "InvalidRequestContentException", "User",
     "message"},
    {ApiErrorKind::kValidation, 400, "ValidationException", "User", "message"},
    {ApiErrorKind::kResourceNotFound, 404, "ResourceNotFoundException", "User", "Message"},
    {ApiErrorKind::kResourceConflict, 409, "ResourceConflictException", "User", "message"},
    {ApiErrorKind::kPreconditionFailed, 412, "PreconditionFailedException", "User", "message"},
    {ApiErrorKind::kRequestTooLarge, 413, "RequestEntityTooLargeException", "User", "message"},
    {ApiErrorKind::kTooManyRequests, 429, "TooManyRequestsException", "User", "message"},
    {ApiErrorKind::kProvisionedConcurrencyNotFound, 404,
     "ProvisionedConcurrencyConfigNotFoundException", "User", "message"},
    {ApiErrorKind::kCodeSigningConfigNotFound, 404, "CodeSigningConfigNotFoundException", "User",
     "Message"},
    {ApiErrorKind::kUnknownOperation, 404, "UnknownOperationException", "User", "message"},
    {ApiErrorKind::kService, 500, "ServiceException", "Service", "Message"},
};

const Row& RowOf(ApiErrorKind kind) {
  for (const Row& row : kRows) {
    if (row.kind == kind) return row;
  }
  std::unreachable();
}

}  // namespace

std::string_view ApiErrorName(ApiErrorKind kind) {
  return RowOf(kind).name;
}

http::Response ErrorResponse(const ApiError& error) {
  const Row& row = RowOf(error.kind);
  boost::json::object body{{"Type", row.fault}, {row.message_key, error.message}};
  if (!error.reason.empty()) body["Reason"] = error.reason;
  auto response = JsonResponse(row.status, boost::json::serialize(body));
  response.headers.Add("x-amzn-ErrorType", row.name);
  return response;
}

ApiError ServiceError(const Error& error) {
  return {ApiErrorKind::kService, error.message};
}

http::Response JsonResponse(int status, std::string body) {
  http::Response response;
  response.status = status;
  response.headers.Add("Content-Type", "application/json");
  response.body = std::move(body);
  return response;
}

}  // namespace kelvin::service
