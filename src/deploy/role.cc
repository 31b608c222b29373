#include "deploy/role.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "aws/sha256.h"
#include "aws/xml.h"
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

bool Exists(const Error& error) {
  return error.remote_type.starts_with("EntityAlreadyExists");
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
  std::string name = "kelvin-" + function;
  if (name.size() <= kMost) return name;
  // Two long names that begin alike are not to share a role.
  const std::string digest = aws::Sha256Hex(function).substr(0, 8);
  return name.substr(0, kMost - 1 - digest.size()) + '-' + digest;
}

bool IsOwnRole(const std::string& arn, const std::string& function) {
  return arn.ends_with(":role/" + RoleName(function));
}

std::expected<bool, Error> IsPolicyCurrent(Api& api, const FunctionSpec& spec) {
  const auto answer = api.Send(IamCall(
      "GetRolePolicy", {{"RoleName", RoleName(spec.name)}, {"PolicyName", std::string(kPolicy)}}));
  if (!answer && IsMissing(answer.error())) return false;
  if (!answer) return std::unexpected(answer.error());
  const auto document = PercentDecode(aws::XmlText(*answer, "PolicyDocument"));
  boost::system::error_code failed;
  const json::value there = json::parse(document.value_or(""), failed);
  return !failed && there == json::parse(FunctionPolicy(spec));
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
  done.push_back(fmt::format("set the policy of role {}", name));
  std::string arn = aws::XmlText(*made, "Arn");
  if (arn.empty()) {
    return std::unexpected(
        Error{ErrorCode::kCorrupt, "expected IAM's answer to name the role's ARN, it does not"});
  }
  return arn;
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
