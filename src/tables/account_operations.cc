#include <fmt/format.h>

#include "tables/operation.h"

namespace kelvin::tables {
namespace {

namespace json = boost::json;

// What a new account has.
constexpr std::int64_t kAccountUnits = 80'000;
constexpr std::int64_t kTableUnits = 40'000;
constexpr std::int64_t kCacheMinutes = 1440;

}  // namespace

Outcome<std::string> DescribeLimits(OperationContext&, const json::object&) {
  std::string answer;
  JsonWriter out(answer);
  out.BeginObject();
  out.Field("AccountMaxReadCapacityUnits", kAccountUnits);
  out.Field("AccountMaxWriteCapacityUnits", kAccountUnits);
  out.Field("TableMaxReadCapacityUnits", kTableUnits);
  out.Field("TableMaxWriteCapacityUnits", kTableUnits);
  out.EndObject();
  return answer;
}

// Clients that discover their endpoint are sent back to the one they asked.
Outcome<std::string> DescribeEndpoints(OperationContext& context, const json::object&) {
  std::string answer;
  JsonWriter out(answer);
  out.BeginObject();
  out.Key("Endpoints");
  out.BeginArray();
  out.BeginObject();
  out.Field("Address", context.host.empty()
                           ? fmt::format("dynamodb.{}.amazonaws.com", context.region)
                           : context.host);
  out.Field("CachePeriodInMinutes", kCacheMinutes);
  out.EndObject();
  out.EndArray();
  out.EndObject();
  return answer;
}

Outcome<std::string> RefusePartiQl(OperationContext&, const json::object&) {
  return Invalid(
      "PartiQL is not supported by these local tables: use GetItem, Query, Scan, PutItem, "
      "UpdateItem, DeleteItem or the batch and transaction operations instead");
}

}  // namespace kelvin::tables
