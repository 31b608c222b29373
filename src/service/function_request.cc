#include "service/function_request.h"

#include <algorithm>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "service/function_rules.h"
#include "service/request_body.h"

namespace kelvin::service {
namespace {

namespace json = boost::json;

// Empty when none is named.
std::expected<std::string, ApiError> ReadArchitecture(const json::object& body,
                                                      const Machine& host) {
  const json::value* value = body.if_contains("Architectures");
  if (value == nullptr || value->is_null()) return std::string();
  std::vector<std::string> names;
  if (value->is_array()) {
    for (const json::value& it : value->get_array()) {
      names.push_back(it.is_string() ? std::string(it.get_string()) : json::serialize(it));
    }
  }
  const auto refuse = [&](std::string_view constraint) {
    return std::unexpected(ConstraintError(ListText(names), "architectures", constraint));
  };
  if (names.empty()) return refuse("Member must have length greater than or equal to 1");
  if (names.size() > 1) return refuse("Member must have length less than or equal to 1");
  const std::string& name = names.front();
  if (name != "x86_64" && name != "arm64") {
    return refuse(
        "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], "
        "Member must not be null]");
  }
  if (!host.Runs(name == "arm64" ? Architecture::kArm : Architecture::kX86)) {
    const std::string_view native = ArchitectureName(host.native);
    return std::unexpected(InvalidParameter(fmt::format(
        "Architectures: this local service runs on {} and cannot run {}; build the function for "
        "{} and give --architectures {}, or install an emulator (Debian's qemu-user-static and "
        "binfmt-support) and start the service again",
        native, name, native, native)));
  }
  return name;
}

// Nothing when they are not named.
std::expected<std::optional<std::vector<std::string>>, ApiError> ReadLayers(
    const json::object& body) {
  const json::value* value = body.if_contains("Layers");
  if (value == nullptr || value->is_null()) return std::nullopt;
  const bool valid = value->is_array() && std::ranges::all_of(value->get_array(), [](auto& it) {
                       return it.is_string();
                     });
  if (!valid) {
    return std::unexpected(
        ApiError{ApiErrorKind::kInvalidRequestContent,
                 "Could not parse request body into json: expected an array of text as Layers"});
  }
  std::vector<std::string> arns;
  for (const json::value& arn : value->get_array()) arns.emplace_back(arn.get_string());
  return arns;
}

// Of a package type other than Zip.
Checked CheckPackageType(const json::object& body) {
  const std::string type = OptionalText(body, "PackageType");
  if (type.empty() || type == "Zip") return {};
  return std::unexpected(
      InvalidParameter("PackageType: this local service runs Zip packages only"));
}

}  // namespace

std::expected<CreateRequest, ApiError> ParseCreate(std::string_view text, const Place& place,
                                                   const Machine& host) {
  auto body = ParseBody(text);
  if (!body) return std::unexpected(std::move(body.error()));
  if (!body->contains("FunctionName")) return std::unexpected(MissingMember("functionName"));
  auto name = ParseNewFunctionName(OptionalText(*body, "FunctionName"), place);
  if (!name) return std::unexpected(std::move(name.error()));
  CreateRequest request;
  FunctionConfig& config = request.config;
  config.name = std::move(*name);
  config.log_group = "/aws/lambda/" + config.name;
  auto checked = CheckPackageType(*body);
  if (checked) checked = ApplyConfigurationFields(*body, config);
  if (!checked) return std::unexpected(std::move(checked.error()));
  if (config.role.empty()) return std::unexpected(MissingMember("role"));
  if (config.runtime.empty() || config.handler.empty()) {
    return std::unexpected(InvalidParameter(
        "Runtime and Handler are mandatory parameters for functions created with deployment "
        "packages."));
  }
  auto architecture = ReadArchitecture(*body, host);
  if (!architecture) return std::unexpected(std::move(architecture.error()));
  // AWS means x86_64 when nothing is said; whoever says nothing here means this machine.
  config.architecture = architecture->empty() ? ArchitectureName(host.native) : *architecture;
  auto layers = ReadLayers(*body);
  if (!layers) return std::unexpected(std::move(layers.error()));
  request.layers = std::move(*layers).value_or(std::vector<std::string>{});
  const json::value* code = body->if_contains("Code");
  if (code == nullptr || !code->is_object()) return std::unexpected(MissingMember("code"));
  auto zip = ReadZip(code->get_object(), "CreateFunction");
  if (!zip) return std::unexpected(std::move(zip.error()));
  request.zip = std::move(*zip);
  request.publish = IsTrue(*body, "Publish");
  return request;
}

std::expected<CodeRequest, ApiError> ParseCode(std::string_view text, const Machine& host) {
  auto body = ParseBody(text);
  if (!body) return std::unexpected(std::move(body.error()));
  auto architecture = ReadArchitecture(*body, host);
  if (!architecture) return std::unexpected(std::move(architecture.error()));
  auto zip = ReadZip(*body, "UpdateFunctionCode");
  if (!zip) return std::unexpected(std::move(zip.error()));
  return CodeRequest{.zip = std::move(*zip),
                     .revision_id = OptionalText(*body, "RevisionId"),
                     .architecture = std::move(*architecture),
                     .dry_run = IsTrue(*body, "DryRun"),
                     .publish = IsTrue(*body, "Publish")};
}

std::expected<ConfigurationRequest, ApiError> ParseConfiguration(std::string_view text,
                                                                 const FunctionConfig& current) {
  auto body = ParseBody(text);
  if (!body) return std::unexpected(std::move(body.error()));
  auto layers = ReadLayers(*body);
  if (!layers) return std::unexpected(std::move(layers.error()));
  ConfigurationRequest request{.config = current,
                               .revision_id = OptionalText(*body, "RevisionId"),
                               .layers = std::move(*layers)};
  body->erase("Tags");
  auto checked = ApplyConfigurationFields(*body, request.config);
  if (!checked) return std::unexpected(std::move(checked.error()));
  return request;
}

}  // namespace kelvin::service
