#include "service/policy_api.h"

#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "service/function_rules.h"
#include "service/policy.h"
#include "service/request_body.h"

namespace kelvin::service {

namespace json = boost::json;
using boost::asio::awaitable;

namespace {

using Done = std::expected<void, ApiError>;

json::object StatementJson(const json::object& body, const std::string& arn) {
  json::object statement = PermissionStatement(body, arn);
  struct Row {
    std::string_view field, comparison, key;
  };
  static constexpr Row kRows[] = {
      {"SourceArn", "ArnLike", "AWS:SourceArn"},
      {"SourceAccount", "StringEquals", "AWS:SourceAccount"},
      {"EventSourceToken", "StringEquals", "lambda:EventSourceToken"},
      {"PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"},
      {"FunctionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"},
  };
  json::object conditions;
  for (const Row& row : kRows) {
    const std::string value = OptionalText(body, row.field);
    if (value.empty()) continue;
    json::value& comparison = conditions[row.comparison];
    if (!comparison.is_object()) comparison.emplace_object();
    comparison.get_object()[row.key] = value;
  }
  const json::value* via_url = body.if_contains("InvokedViaFunctionUrl");
  if (via_url != nullptr && via_url->is_bool()) {
    conditions["Bool"] =
        json::object{{"lambda:InvokedViaFunctionUrl", via_url->get_bool() ? "true" : "false"}};
  }
  if (!conditions.empty()) statement["Condition"] = std::move(conditions);
  return statement;
}

awaitable<http::Response> Add(ControlParts& parts, ApiCall call) {
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  const auto body = ParsePermission(call.request.body);
  if (!body) co_return ErrorResponse(body.error());
  const std::string id = OptionalText(*body, "StatementId");
  const std::string arn = FunctionArn(parts.place, target->record->name(), target->qualifier);
  const std::string statement = json::serialize(StatementJson(*body, arn));
  const Edit edit = [&](FunctionRecord& record) -> Done {
    const std::string revision = OptionalText(*body, "RevisionId");
    if (auto current = CheckRevision(revision, record.latest.revision_id); !current) return current;
    if (record.policies[target->qualifier].emplace(id, statement).second) return {};
    return std::unexpected(ApiError{
        ApiErrorKind::kResourceConflict,
        fmt::format("The statement id ({}) provided already exists. Please provide a new statement "
                    "id, or remove the existing statement.",
                    id)});
  };
  const std::string name = target->record->name();
  const auto edited = co_await EditFunction(parts, name, edit);
  if (!edited) co_return ErrorResponse(edited.error());
  json::object answer;
  answer["Statement"] = statement;
  co_return JsonResponse(201, json::serialize(answer));
}

awaitable<http::Response> Get(ControlParts& parts, ApiCall call) {
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  const auto found = target->record->policies.find(target->qualifier);
  if (found == target->record->policies.end()) co_return ErrorResponse(NoSuchResource());
  json::object answer;
  answer["Policy"] = PolicyDocument(found->second);
  answer["RevisionId"] = target->config->revision_id;
  co_return JsonResponse(200, json::serialize(answer));
}

awaitable<http::Response> Remove(ControlParts& parts, ApiCall call) {
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  const std::string id(call.route.InPath("StatementId"));
  const Edit edit = [&](FunctionRecord& record) -> Done {
    const auto found = record.policies.find(target->qualifier);
    if (found == record.policies.end() || found->second.erase(id) == 0) {
      return std::unexpected(
          ApiError{ApiErrorKind::kResourceNotFound,
                   fmt::format("Statement {} is not found in resource policy.", id)});
    }
    if (found->second.empty()) record.policies.erase(found);
    return {};
  };
  const std::string name = target->record->name();
  co_return co_await EditWithoutAnswer(parts, name, edit);
}

}  // namespace

void AddPolicyCalls(Operations& operations, ControlParts& parts) {
  AddControlCall(operations, parts, "AddPermission", Add);
  AddControlCall(operations, parts, "GetPolicy", Get);
  AddControlCall(operations, parts, "RemovePermission", Remove);
}

}  // namespace kelvin::service
