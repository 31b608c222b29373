#include "service/policy.h"

#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "service/request_body.h"

namespace kelvin::service {

namespace json = boost::json;

namespace {

// "*", a service, an account's number or any ARN, as a statement has it.
json::value PrincipalJson(const std::string& principal) {
  if (principal == "*") return "*";
  if (principal.ends_with(".amazonaws.com")) return json::object{{"Service", principal}};
  const bool is_account = principal.find_first_not_of("0123456789") == principal.npos;
  return json::object{
      {"AWS", is_account ? fmt::format("arn:aws:iam::{}:root", principal) : principal}};
}

}  // namespace

std::expected<json::object, ApiError> ParsePermission(std::string_view body) {
  auto permission = ParseBody(body);
  if (!permission) return permission;
  for (const auto& [name, member] :
       {std::pair{"StatementId", "statementId"}, std::pair{"Action", "action"},
        std::pair{"Principal", "principal"}}) {
    if (OptionalText(*permission, name).empty()) return std::unexpected(MissingMember(member));
  }
  return permission;
}

json::object PermissionStatement(const json::object& permission, std::string_view resource) {
  return {{"Sid", OptionalText(permission, "StatementId")},
          {"Effect", "Allow"},
          {"Principal", PrincipalJson(OptionalText(permission, "Principal"))},
          {"Action", OptionalText(permission, "Action")},
          {"Resource", resource}};
}

std::string PolicyDocument(const StringMap& statements) {
  json::object policy{{"Version", "2012-10-17"}, {"Id", "default"}};
  json::array& list = policy["Statement"].emplace_array();
  for (const auto& [id, statement] : statements) list.push_back(json::parse(statement));
  return json::serialize(policy);
}

}  // namespace kelvin::service
