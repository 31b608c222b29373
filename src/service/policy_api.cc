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

// Of what `qualifier` names; a policy's is that of what it is for.
std::string& RevisionOf(FunctionRecord& record, const std::string& qualifier) {
  if (qualifier.empty() || qualifier == "$LATEST") return record.latest.revision_id;
  const auto alias = record.aliases.find(qualifier);
  if (alias != record.aliases.end()) return alias->second.revision_id;
  return record.versions.at(std::stoi(qualifier)).revision_id;
}

ApiError NoPolicy(const Place& place, const FunctionName& named) {
  if (!named.qualifier.empty()) return NoAliasOrVersion(place, named);
  return {ApiErrorKind::kResourceNotFound,
          "No policy found for: " + FunctionArn(place, named.name)};
}

ApiError NothingToShow(const Place& place, const FunctionName& named) {
  return named.qualifier.empty() ? NoFunction(place, named) : NoSuchResource();
}

// A function, a version or an alias that `record` still has.
Done CheckThere(const ControlParts& parts, const FunctionRecord& record,
                const std::string& qualifier) {
  const bool there = qualifier.empty() || record.aliases.contains(qualifier) ||
                     FindVersion(record, qualifier) != nullptr;
  if (there) return {};
  return std::unexpected(NoAliasOrVersion(parts.place, {record.name(), qualifier}));
}

awaitable<http::Response> Add(ControlParts& parts, ApiCall call) {
  const auto body = ParsePermission(call.request.body);
  if (!body) co_return ErrorResponse(body.error());
  const auto target = TargetOf(parts, call.route, NoAliasOrVersion);
  if (!target) co_return ErrorResponse(target.error());
  if (target->qualifier == "$LATEST") {
    co_return ErrorResponse(
        InvalidParameter("We currently do not support adding policies for $LATEST."));
  }
  const std::string id = OptionalText(*body, "StatementId");
  const std::string arn = FunctionArn(parts.place, target->record->name(), target->qualifier);
  const std::string statement = json::serialize(StatementJson(*body, arn));
  const Edit edit = [&](FunctionRecord& record) -> Done {
    auto checked = CheckThere(parts, record, target->qualifier);
    if (!checked) return checked;
    std::string& revision = RevisionOf(record, target->qualifier);
    checked = CheckRevision(OptionalText(*body, "RevisionId"), revision);
    if (!checked) return checked;
    if (record.policies[target->qualifier].emplace(id, statement).second) {
      revision = NewUuid(parts.random);
      return {};
    }
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
  const auto target = TargetOf(parts, call.route, NothingToShow);
  if (!target) co_return ErrorResponse(target.error());
  const auto found = target->record->policies.find(target->qualifier);
  if (found == target->record->policies.end()) co_return ErrorResponse(NoSuchResource());
  json::object answer;
  answer["Policy"] = PolicyDocument(found->second);
  answer["RevisionId"] =
      target->alias != nullptr ? target->alias->revision_id : target->config->revision_id;
  co_return JsonResponse(200, json::serialize(answer));
}

awaitable<http::Response> Remove(ControlParts& parts, ApiCall call) {
  const auto target = TargetOf(parts, call.route, NoPolicy);
  if (!target) co_return ErrorResponse(target.error());
  const std::string id(call.route.InPath("StatementId"));
  const Edit edit = [&](FunctionRecord& record) -> Done {
    const auto found = record.policies.find(target->qualifier);
    if (found == record.policies.end()) {
      return std::unexpected(ApiError{ApiErrorKind::kResourceNotFound,
                                      "No policy is associated with the given resource."});
    }
    auto checked = CheckThere(parts, record, target->qualifier);
    if (!checked) return checked;
    std::string& revision = RevisionOf(record, target->qualifier);
    checked = CheckRevision(call.route.InQuery("RevisionId"), revision);
    if (!checked) return checked;
    if (found->second.erase(id) == 0) {
      return std::unexpected(
          ApiError{ApiErrorKind::kResourceNotFound,
                   fmt::format("Statement {} is not found in resource policy.", id)});
    }
    if (found->second.empty()) record.policies.erase(found);
    revision = NewUuid(parts.random);
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
