#include "service/request_body.h"

#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/encoding.h"
#include "service/function_rules.h"

namespace kelvin::service {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostZipBytes = 52'428'800;

}  // namespace

std::expected<json::object, ApiError> ParseBody(std::string_view body) {
  boost::system::error_code error;
  json::value value = json::parse(body, error);
  if (error || !value.is_object()) {
    return std::unexpected(
        ApiError{ApiErrorKind::kInvalidRequestContent,
                 fmt::format("Could not parse request body into json: {}",
                             error ? error.message() : std::string("expected an object"))});
  }
  return std::move(value.get_object());
}

std::string OptionalText(const json::object& body, std::string_view name) {
  const json::value* value = body.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

bool IsTrue(const json::object& body, std::string_view name) {
  const json::value* value = body.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::expected<std::string, ApiError> ReadZip(const json::object& code, std::string_view operation) {
  if (code.contains("ImageUri")) {
    return std::unexpected(InvalidParameter(
        operation == "UpdateFunctionCode"
            ? "Please don't provide ImageUri when updating a function with packageType Zip."
            : "ImageUri: images are not supported by this local service; send the code as "
              "ZipFile"));
  }
  if (code.contains("S3Bucket") || code.contains("S3Key")) {
    return std::unexpected(InvalidParameter(
        "S3Bucket: there is no S3 behind this local service; send the code as ZipFile"));
  }
  const json::value* zip = code.if_contains("ZipFile");
  if (zip == nullptr || !zip->is_string()) {
    return std::unexpected(InvalidParameter("Please provide a source for function code."));
  }
  auto bytes = Base64Decode({zip->get_string().data(), zip->get_string().size()});
  if (!bytes) {
    return std::unexpected(
        ApiError{ApiErrorKind::kInvalidRequestContent,
                 "Could not parse request body into json: ZipFile: " + bytes.error().message});
  }
  if (bytes->empty())
    return std::unexpected(InvalidParameter("Uploaded file must be a non-empty zip"));
  if (bytes->size() > kMostZipBytes) {
    return std::unexpected(
        ApiError{ApiErrorKind::kRequestTooLarge,
                 fmt::format("Zipped size must be smaller than {} bytes", kMostZipBytes)});
  }
  return std::move(*bytes);
}

ApiError MissingMember(std::string_view member) {
  return {ApiErrorKind::kValidation,
          fmt::format("1 validation error detected: Value null at '{}' failed to satisfy "
                      "constraint: Member must not be null",
                      member)};
}

}  // namespace kelvin::service
