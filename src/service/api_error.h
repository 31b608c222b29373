#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "http/message.h"

namespace kelvin::service {

// The failures that the Lambda API tells its callers apart by.
enum class ApiErrorKind {
  kInvalidParameterValue,
  kInvalidRequestContent,
  kValidation,
  kResourceNotFound,
  kResourceConflict,
  kPreconditionFailed,
  kRequestTooLarge,
  kTooManyRequests,
  kProvisionedConcurrencyNotFound,
  kCodeSigningConfigNotFound,
  kUnknownOperation,
  kService,
};

struct ApiError {
  ApiErrorKind kind = ApiErrorKind::kService;
  std::string message;
  std::string reason = {};  // of kTooManyRequests, such as ConcurrentInvocationLimitExceeded
};

// "ResourceNotFoundException" and so on.
std::string_view ApiErrorName(ApiErrorKind kind);

// The answer AWS would give: status, x-amzn-ErrorType and the JSON body.
http::Response ErrorResponse(const ApiError& error);

// What a failure within the service is to the caller: not the caller's fault.
ApiError ServiceError(const Error& error);

// A 2xx answer with a JSON body.
http::Response JsonResponse(int status, std::string body);

}  // namespace kelvin::service
