#include "service/settings_api.h"

#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "service/function_rules.h"
#include "service/request_body.h"

namespace kelvin::service {

namespace json = boost::json;
using boost::asio::awaitable;

namespace {

constexpr std::int64_t kTotalCodeBytes = 80'530'636'800;
constexpr std::int64_t kUnzippedBytes = 262'144'000;
constexpr std::int64_t kZippedBytes = 52'428'800;

awaitable<http::Response> GetAccountSettings(ControlParts& parts, ApiCall) {
  std::uint64_t bytes = 0;
  for (const auto& [name, record] : parts.registry.all()) {
    bytes += record->latest.code_size;
    for (const auto& [number, config] : record->versions) bytes += config.code_size;
  }
  for (const auto& [name, layer] : parts.layers.all()) {
    for (const auto& [number, version] : layer->versions) bytes += version.code_size;
  }
  json::object body;
  body["AccountLimit"] =
      json::object{{"TotalCodeSize", kTotalCodeBytes},
                   {"CodeSizeUnzipped", kUnzippedBytes},
                   {"CodeSizeZipped", kZippedBytes},
                   {"ConcurrentExecutions", parts.scheduler.account_concurrency()},
                   {"UnreservedConcurrentExecutions", parts.scheduler.unreserved_concurrency()}};
  body["AccountUsage"] =
      json::object{{"TotalCodeSize", bytes}, {"FunctionCount", parts.registry.all().size()}};
  co_return JsonResponse(200, json::serialize(body));
}

awaitable<http::Response> GetCodeSigning(ControlParts& parts, ApiCall call) {
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  co_return JsonResponse(200, "{}");
}

awaitable<http::Response> PutCodeSigning(ControlParts& parts, ApiCall call) {
  const auto named = NameOf(parts.place, call.route);
  if (!named) co_return ErrorResponse(named.error());
  const auto body = ParseBody(call.request.body);
  if (!body) co_return ErrorResponse(body.error());
  // There are none on this machine.
  co_return ErrorResponse(
      {ApiErrorKind::kCodeSigningConfigNotFound,
       fmt::format("The code signing configuration cannot be found. Check that the provided "
                   "configuration is not deleted: {}.",
                   OptionalText(*body, "CodeSigningConfigArn"))});
}

awaitable<http::Response> DeleteCodeSigning(ControlParts& parts, ApiCall call) {
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  co_return NoContent();
}

ApiError NotOneOf(std::string_view value, std::string_view member, std::string_view allowed) {
  return {
      ApiErrorKind::kValidation,
      fmt::format("1 validation error detected: Value '{}' at '{}' failed to satisfy constraint: "
                  "Member must satisfy enum value set: [{}]",
                  value, member, allowed)};
}

std::string VersionNamed(const Target& target) {
  return target.qualifier.empty() ? "$LATEST" : target.qualifier;
}

http::Response DescribeRuntimeManagement(const ControlParts& parts, const FunctionRecord& record,
                                         const std::string& version) {
  const auto found = record.update_runtime_on.find(version);
  json::object body;
  body["UpdateRuntimeOn"] = found == record.update_runtime_on.end() ? "Auto" : found->second;
  body["FunctionArn"] = FunctionArn(parts.place, record.name(), version);
  return JsonResponse(200, json::serialize(body));
}

awaitable<http::Response> GetRuntimeManagement(ControlParts& parts, ApiCall call) {
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  co_return DescribeRuntimeManagement(parts, *target->record, VersionNamed(*target));
}

awaitable<http::Response> PutRuntimeManagement(ControlParts& parts, ApiCall call) {
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  const auto body = ParseBody(call.request.body);
  if (!body) co_return ErrorResponse(body.error());
  const std::string mode = OptionalText(*body, "UpdateRuntimeOn");
  if (mode == "Manual") {
    co_return ErrorResponse(InvalidParameter(
        "UpdateRuntimeOn: expected Auto or FunctionUpdate, got Manual; runtimes are this machine's "
        "own, and have one version"));
  }
  if (mode != "Auto" && mode != "FunctionUpdate") {
    co_return ErrorResponse(NotOneOf(mode, "updateRuntimeOn", "Auto, Manual, FunctionUpdate"));
  }
  const std::string version = VersionNamed(*target);
  const Edit edit = [&](FunctionRecord& record) -> std::expected<void, ApiError> {
    record.update_runtime_on[version] = mode;
    return {};
  };
  const std::string name = target->record->name();
  const auto edited = co_await EditFunction(parts, name, edit);
  if (!edited) co_return ErrorResponse(edited.error());
  co_return DescribeRuntimeManagement(parts, **edited, version);
}

// Nothing here detects loops, whatever a function wants.
http::Response DescribeRecursion(const FunctionRecord& record) {
  json::object body;
  body["RecursiveLoop"] = record.recursive_loop;
  return JsonResponse(200, json::serialize(body));
}

awaitable<http::Response> GetRecursion(ControlParts& parts, ApiCall call) {
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  co_return DescribeRecursion(*target->record);
}

awaitable<http::Response> PutRecursion(ControlParts& parts, ApiCall call) {
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  const auto body = ParseBody(call.request.body);
  if (!body) co_return ErrorResponse(body.error());
  const std::string wanted = OptionalText(*body, "RecursiveLoop");
  if (wanted != "Allow" && wanted != "Terminate") {
    co_return ErrorResponse(NotOneOf(wanted, "recursiveLoop", "Allow, Terminate"));
  }
  const Edit edit = [&](FunctionRecord& record) -> std::expected<void, ApiError> {
    record.recursive_loop = wanted;
    return {};
  };
  const std::string name = target->record->name();
  const auto edited = co_await EditFunction(parts, name, edit);
  if (!edited) co_return ErrorResponse(edited.error());
  co_return DescribeRecursion(**edited);
}

// There are no event sources on this machine, so none is mapped.
awaitable<http::Response> ListEventSourceMappings(ControlParts&, ApiCall) {
  json::object body;
  body["EventSourceMappings"] = json::array{};
  co_return JsonResponse(200, json::serialize(body));
}

}  // namespace

void AddSettingsCalls(Operations& operations, ControlParts& parts) {
  AddControlCall(operations, parts, "GetAccountSettings", GetAccountSettings);
  AddControlCall(operations, parts, "GetFunctionCodeSigningConfig", GetCodeSigning);
  AddControlCall(operations, parts, "PutFunctionCodeSigningConfig", PutCodeSigning);
  AddControlCall(operations, parts, "DeleteFunctionCodeSigningConfig", DeleteCodeSigning);
  AddControlCall(operations, parts, "GetRuntimeManagementConfig", GetRuntimeManagement);
  AddControlCall(operations, parts, "PutRuntimeManagementConfig", PutRuntimeManagement);
  AddControlCall(operations, parts, "GetFunctionRecursionConfig", GetRecursion);
  AddControlCall(operations, parts, "PutFunctionRecursionConfig", PutRecursion);
  AddControlCall(operations, parts, "ListEventSourceMappings", ListEventSourceMappings);
}

}  // namespace kelvin::service
