#include "service/function_request.h"

#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/encoding.h"
#include "service/function_rules.h"

namespace kelvin::service {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostZipBytes = 52'428'800;

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

// `code` is the Code of a CreateFunction, or the whole body of an UpdateFunctionCode.
std::expected<std::string, ApiError> ReadZip(const json::object& code) {
  if (code.contains("ImageUri")) {
    return std::unexpected(InvalidParameter(
        "ImageUri: images are not supported by this local service; send the code as ZipFile"));
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
                 "Request must be smaller than 70167211 bytes for the CreateFunction operation"});
  }
  return std::move(*bytes);
}

// Empty when none is named.
std::expected<std::string, ApiError> ReadArchitecture(const json::object& body, Architecture host) {
  const json::value* value = body.if_contains("Architectures");
  if (value == nullptr || value->is_null()) return std::string();
  const bool one =
      value->is_array() && value->get_array().size() == 1 && value->get_array().front().is_string();
  const std::string name = one ? std::string(value->get_array().front().get_string()) : "";
  if (name != "x86_64" && name != "arm64") {
    return std::unexpected(ConstraintError(
        json::serialize(*value), "architectures",
        "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64]]"));
  }
  if (name != ArchitectureName(host)) {
    return std::unexpected(InvalidParameter(fmt::format(
        "Architectures: this local service runs on {} and cannot run {}; build the function for "
        "{} and give --architectures {}",
        ArchitectureName(host), name, ArchitectureName(host), ArchitectureName(host))));
  }
  return name;
}

std::unexpected<ApiError> Missing(std::string_view member) {
  return std::unexpected(ConstraintError("null", member, "Member must not be null"));
}

// Of a package type other than Zip.
Checked CheckPackageType(const json::object& body) {
  const std::string type = OptionalText(body, "PackageType");
  if (type.empty() || type == "Zip") return {};
  return std::unexpected(
      InvalidParameter("PackageType: this local service runs Zip packages only"));
}

}  // namespace

std::string_view ArchitectureName(Architecture architecture) {
  return architecture == Architecture::kArm ? "arm64" : "x86_64";
}

Architecture HostArchitecture() {
#if defined(__aarch64__)
  return Architecture::kArm;
#else
  return Architecture::kX86;
#endif
}

std::expected<CreateRequest, ApiError> ParseCreate(std::string_view text, const Place& place,
                                                   Architecture host) {
  auto body = ParseBody(text);
  if (!body) return std::unexpected(std::move(body.error()));
  if (!body->contains("FunctionName")) return Missing("functionName");
  auto name = ParseNewFunctionName(OptionalText(*body, "FunctionName"), place);
  if (!name) return std::unexpected(std::move(name.error()));
  CreateRequest request;
  FunctionConfig& config = request.config;
  config.name = std::move(*name);
  config.log_group = "/aws/lambda/" + config.name;
  auto checked = CheckPackageType(*body);
  if (checked) checked = ApplyConfigurationFields(*body, config);
  if (!checked) return std::unexpected(std::move(checked.error()));
  if (config.role.empty()) return Missing("role");
  if (config.runtime.empty() || config.handler.empty()) {
    return std::unexpected(InvalidParameter(
        "Runtime and Handler are mandatory parameters for functions created with deployment "
        "packages."));
  }
  auto architecture = ReadArchitecture(*body, host);
  if (!architecture) return std::unexpected(std::move(architecture.error()));
  // AWS means x86_64 when nothing is said; whoever says nothing here means this machine.
  config.architecture = architecture->empty() ? ArchitectureName(host) : *architecture;
  const json::value* code = body->if_contains("Code");
  if (code == nullptr || !code->is_object()) return Missing("code");
  auto zip = ReadZip(code->get_object());
  if (!zip) return std::unexpected(std::move(zip.error()));
  request.zip = std::move(*zip);
  return request;
}

std::expected<CodeRequest, ApiError> ParseCode(std::string_view text, Architecture host) {
  auto body = ParseBody(text);
  if (!body) return std::unexpected(std::move(body.error()));
  auto architecture = ReadArchitecture(*body, host);
  if (!architecture) return std::unexpected(std::move(architecture.error()));
  auto zip = ReadZip(*body);
  if (!zip) return std::unexpected(std::move(zip.error()));
  return CodeRequest{.zip = std::move(*zip),
                     .revision_id = OptionalText(*body, "RevisionId"),
                     .architecture = std::move(*architecture),
                     .dry_run = IsTrue(*body, "DryRun")};
}

std::expected<ConfigurationRequest, ApiError> ParseConfiguration(std::string_view text,
                                                                 const FunctionConfig& current) {
  auto body = ParseBody(text);
  if (!body) return std::unexpected(std::move(body.error()));
  ConfigurationRequest request{.config = current, .revision_id = OptionalText(*body, "RevisionId")};
  body->erase("Tags");
  auto checked = ApplyConfigurationFields(*body, request.config);
  if (!checked) return std::unexpected(std::move(checked.error()));
  return request;
}

}  // namespace kelvin::service
