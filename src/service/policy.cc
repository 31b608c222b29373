#include "service/policy.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "service/function_rules.h"
#include "service/request_body.h"

namespace kelvin::service {

namespace json = boost::json;

namespace {

// Such as s3.amazonaws.com, and alexa-appkit.amazon.com.
bool IsService(std::string_view principal) {
  for (const std::string_view end : {".amazonaws.com", ".amazonaws.com.cn", ".amazon.com"}) {
    if (principal.ends_with(end)) return true;
  }
  return false;
}

bool IsAccount(std::string_view principal) {
  return principal.size() == 12 && principal.find_first_not_of("0123456789") == principal.npos;
}

// IAM's ids of users and roles look like words.
bool IsPrincipal(std::string_view text) {
  return text == "*" || IsService(text) || IsAccount(text) || text.starts_with("arn:") ||
         (text.size() >= 16 &&
          std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) != 0; }));
}

// "*", a service, an account's number or any ARN, as a statement has it.
json::value PrincipalJson(const std::string& principal) {
  if (principal == "*") return "*";
  if (IsService(principal)) return json::object{{"Service", principal}};
  return json::object{
      {"AWS", IsAccount(principal) ? fmt::format("arn:aws:iam::{}:root", principal) : principal}};
}

bool IsStatementId(std::string_view text) {
  return std::ranges::all_of(
      text, [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; });
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
  if (const auto id = OptionalText(*permission, "StatementId"); !IsStatementId(id)) {
    return std::unexpected(ConstraintError(
        id, "statementId", "Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)"));
  }
  if (!IsPrincipal(OptionalText(*permission, "Principal"))) {
    return std::unexpected(InvalidParameter(
        "The provided principal was invalid. Please check the principal and try again."));
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
