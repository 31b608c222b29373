#include "service/policy.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace kelvin::service {

namespace json = boost::json;

json::value PrincipalJson(const std::string& principal) {
  if (principal == "*") return "*";
  if (principal.ends_with(".amazonaws.com")) return json::object{{"Service", principal}};
  const bool is_account = principal.find_first_not_of("0123456789") == principal.npos;
  return json::object{
      {"AWS", is_account ? fmt::format("arn:aws:iam::{}:root", principal) : principal}};
}

std::string PolicyDocument(const StringMap& statements) {
  json::object policy{{"Version", "2012-10-17"}, {"Id", "default"}};
  json::array& list = policy["Statement"].emplace_array();
  for (const auto& [id, statement] : statements) list.push_back(json::parse(statement));
  return json::serialize(policy);
}

}  // namespace kelvin::service
