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
  json::object body;
  body["CodeSigningConfigArn"] = "";
  body["FunctionName"] = target->record->name();
  co_return JsonResponse(200, json::serialize(body));
}

awaitable<http::Response> PutCodeSigning(ControlParts& parts, ApiCall call) {
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  co_return ErrorResponse({ApiErrorKind::kCodeSigningConfigNotFound,
                           "There are no code signing configurations on this local service."});
}

awaitable<http::Response> DeleteCodeSigning(ControlParts& parts, ApiCall call) {
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  co_return NoContent();
}

json::object RuntimeManagementJson(const ControlParts& parts, const Target& target) {
  json::object body;
  body["UpdateRuntimeOn"] = "Auto";
  body["FunctionArn"] = FunctionArn(parts.place, target.record->name(), target.qualifier);
  return body;
}

awaitable<http::Response> GetRuntimeManagement(ControlParts& parts, ApiCall call) {
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  co_return JsonResponse(200, json::serialize(RuntimeManagementJson(parts, *target)));
}

awaitable<http::Response> PutRuntimeManagement(ControlParts& parts, ApiCall call) {
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  const auto body = ParseBody(call.request.body);
  if (!body) co_return ErrorResponse(body.error());
  const std::string mode = OptionalText(*body, "UpdateRuntimeOn");
  if (mode != "Auto") {
    co_return ErrorResponse(InvalidParameter(fmt::format(
        "UpdateRuntimeOn: expected Auto, got {}; runtimes are this machine's own", mode)));
  }
  co_return JsonResponse(200, json::serialize(RuntimeManagementJson(parts, *target)));
}

// Nothing here detects recursion; a function that wants it cut is told so.
awaitable<http::Response> GetRecursion(ControlParts& parts, ApiCall call) {
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  json::object body;
  body["RecursiveLoop"] = "Allow";
  co_return JsonResponse(200, json::serialize(body));
}

awaitable<http::Response> PutRecursion(ControlParts& parts, ApiCall call) {
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  const auto body = ParseBody(call.request.body);
  if (!body) co_return ErrorResponse(body.error());
  if (OptionalText(*body, "RecursiveLoop") != "Allow") {
    co_return ErrorResponse(InvalidParameter(
        "RecursiveLoop: this local service does not detect loops; expected Allow"));
  }
  json::object answer;
  answer["RecursiveLoop"] = "Allow";
  co_return JsonResponse(200, json::serialize(answer));
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
