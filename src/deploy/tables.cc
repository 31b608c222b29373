#include "deploy/tables.h"

#include <string_view>
#include <utility>

#include <boost/json.hpp>

namespace kelvin::deploy {
namespace {

namespace json = boost::json;

ApiCall TablesCall(const std::string& action, std::string body) {
  return JsonCall("dynamodb", "DynamoDB_20120810", "1.0", action, std::move(body));
}

}  // namespace

std::string CreateTableBody(const TableSpec& table) {
  json::array attributes;
  json::array schema;
  const auto add = [&](const std::string& name, const std::string& type, std::string_view role) {
    attributes.push_back({{"AttributeName", name}, {"AttributeType", type}});
    schema.push_back({{"AttributeName", name}, {"KeyType", role}});
  };
  add(table.hash_key, table.hash_type, "HASH");
  if (!table.range_key.empty()) add(table.range_key, table.range_type, "RANGE");
  return json::serialize(json::object{{"TableName", table.name},
                                      {"AttributeDefinitions", std::move(attributes)},
                                      {"KeySchema", std::move(schema)},
                                      {"BillingMode", "PAY_PER_REQUEST"}});
}

std::expected<bool, Error> HasTable(Api& api, const std::string& name) {
  const auto described =
      api.Send(TablesCall("DescribeTable", json::serialize(json::object{{"TableName", name}})));
  if (described) return true;
  if (described.error().remote_type.starts_with("ResourceNotFound")) return false;
  return std::unexpected(described.error());
}

std::expected<void, Error> MakeTable(Api& api, const TableSpec& table) {
  if (auto made = api.Send(TablesCall("CreateTable", CreateTableBody(table))); !made) {
    return std::unexpected(std::move(made.error()));
  }
  const json::object living = {{"AttributeName", table.ttl_attribute}, {"Enabled", true}};
  const json::object body = {{"TableName", table.name}, {"TimeToLiveSpecification", living}};
  auto kept = api.Send(TablesCall("UpdateTimeToLive", json::serialize(body)));
  if (!kept) return std::unexpected(std::move(kept.error()));
  return {};
}

}  // namespace kelvin::deploy
