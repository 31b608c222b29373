#include "deploy/role.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/encoding.h"

namespace kelvin::deploy {
namespace {

namespace json = boost::json;

constexpr std::string_view kPolicy = "function";

ApiCall IamCall(const std::string& action,
                const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string body = fmt::format("Action={}&Version=2010-05-08", action);
  for (const auto& [name, value] : parameters) {
    body += fmt::format("&{}={}", name, PercentEncode(value));
  }
  return {.service = "iam",
          .action = "iam:" + action,
          .method = "POST",
          .target = "/",
          .body = std::move(body),
          .headers = {{"Content-Type", "application/x-www-form-urlencoded"}}};
}

ApiCall LogsCall(const std::string& action, const json::object& body) {
  return {.service = "logs",
          .action = "logs:" + action,
          .method = "POST",
          .target = "/",
          .body = json::serialize(body),
          .headers = {{"Content-Type", "application/x-amz-json-1.1"},
                      {"X-Amz-Target", "Logs_20140328." + action}}};
}

std::string FunctionPolicy(const FunctionSpec& spec) {
  json::array statements{
      {{"Effect", "Allow"},
       {"Action", {"logs:CreateLogStream", "logs:PutLogEvents"}},
       {"Resource", fmt::format("arn:*:logs:*:*:log-group:/aws/lambda/{}:*", spec.name)}}};
  if (!spec.actions.empty() && !spec.tables.empty()) {
    json::array actions;
    for (const std::string& action : spec.actions) actions.push_back(json::string(action));
    json::array tables;
    for (const std::string& table : spec.tables) {
      tables.push_back(json::string(fmt::format("arn:*:dynamodb:*:*:table/{}", table)));
    }
    statements.push_back(
        {{"Effect", "Allow"}, {"Action", std::move(actions)}, {"Resource", std::move(tables)}});
  }
  return json::serialize(
      json::object{{"Version", "2012-10-17"}, {"Statement", std::move(statements)}});
}

std::string ArnIn(const std::string& xml) {
  const std::size_t begin = xml.find("<Arn>");
  const std::size_t end = xml.find("</Arn>");
  if (begin == std::string::npos || end == std::string::npos || end < begin) return {};
  return xml.substr(begin + 5, end - begin - 5);
}

bool Exists(const Error& error) {
  return error.remote_type.starts_with("EntityAlreadyExists") ||
         error.remote_type.starts_with("ResourceAlreadyExists");
}
bool IsMissing(const Error& error) {
  return error.code == ErrorCode::kNotFound || error.remote_type.starts_with("NoSuchEntity");
}

}  // namespace

json::object TrustPolicy() {
  return {{"Version", "2012-10-17"},
          {"Statement", json::array{{{"Effect", "Allow"},
                                     {"Principal", {{"Service", "lambda.amazonaws.com"}}},
                                     {"Action", "sts:AssumeRole"}}}}};
}

std::string RoleName(const std::string& function) {
  constexpr std::size_t kMost = 64;
  return ("kelvin-" + function).substr(0, kMost);
}

std::expected<std::string, Error> EnsureRole(Api& api, const FunctionSpec& spec,
                                             std::vector<std::string>& done) {
  const std::string name = RoleName(spec.name);
  auto made =
      api.Send(IamCall("CreateRole", {{"RoleName", name},
                                      {"AssumeRolePolicyDocument", json::serialize(TrustPolicy())},
                                      {"Description", "Made by kelvin deploy"}}));
  if (made) done.push_back(fmt::format("created role {}", name));
  if (!made && Exists(made.error())) made = api.Send(IamCall("GetRole", {{"RoleName", name}}));
  if (!made) return std::unexpected(std::move(made.error()));
  auto put = api.Send(IamCall("PutRolePolicy", {{"RoleName", name},
                                                {"PolicyName", std::string(kPolicy)},
                                                {"PolicyDocument", FunctionPolicy(spec)}}));
  if (!put) return std::unexpected(std::move(put.error()));
  std::string arn = ArnIn(*made);
  if (arn.empty()) {
    return std::unexpected(
        Error{ErrorCode::kCorrupt, "expected IAM's answer to name the role's ARN, it does not"});
  }
  return arn;
}

std::expected<void, Error> EnsureLogs(Api& api, const FunctionSpec& spec,
                                      std::vector<std::string>& done) {
  const std::string group = "/aws/lambda/" + spec.name;
  auto made = api.Send(LogsCall("CreateLogGroup", {{"logGroupName", group}}));
  if (made) done.push_back(fmt::format("created log group {}", group));
  if (!made && !Exists(made.error())) return std::unexpected(std::move(made.error()));
  auto kept =
      api.Send(LogsCall("PutRetentionPolicy",
                        {{"logGroupName", group}, {"retentionInDays", spec.log_retention_days}}));
  if (!kept) return std::unexpected(std::move(kept.error()));
  return {};
}

std::expected<void, Error> DeleteRole(Api& api, const std::string& function,
                                      std::vector<std::string>& done) {
  const std::string name = RoleName(function);
  for (const ApiCall& call :
       {IamCall("DeleteRolePolicy", {{"RoleName", name}, {"PolicyName", std::string(kPolicy)}}),
        IamCall("DeleteRole", {{"RoleName", name}})}) {
    auto sent = api.Send(call);
    if (sent && call.action == "iam:DeleteRole")
      done.push_back(fmt::format("deleted role {}", name));
    if (!sent && !IsMissing(sent.error())) return std::unexpected(std::move(sent.error()));
  }
  return {};
}

}  // namespace kelvin::deploy
