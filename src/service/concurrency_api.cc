#include "service/concurrency_api.h"

#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/time_format.h"
#include "service/function_rules.h"
#include "service/paging.h"
#include "service/request_body.h"

namespace kelvin::service {

namespace json = boost::json;
using boost::asio::awaitable;

namespace {

using Done = std::expected<void, ApiError>;

// What AWS leaves to functions without a reservation at least.
constexpr int kLeastUnreserved = 100;

std::expected<int, ApiError> ReadCount(const http::Request& request, std::string_view name,
                                       std::string_view member, int least) {
  const auto body = ParseBody(request.body);
  if (!body) return std::unexpected(body.error());
  const json::value* value = body->if_contains(name);
  if (value == nullptr || value->is_null()) return std::unexpected(MissingMember(member));
  boost::system::error_code error;
  const int count = value->to_number<int>(error);
  if (error || count < least) {
    return std::unexpected(
        ConstraintError(json::serialize(*value), member,
                        fmt::format("Member must have value greater than or equal to {}", least)));
  }
  return count;
}

http::Response Reserved(int status, std::optional<int> concurrency) {
  json::object body;
  if (concurrency) body["ReservedConcurrentExecutions"] = *concurrency;
  return JsonResponse(status, json::serialize(body));
}

// Of all that is provisioned for the function but `qualifier`.
int OthersProvisioned(const FunctionRecord& record, std::string_view qualifier = {}) {
  int sum = 0;
  for (const auto& [name, provisioned] : record.provisioned) {
    if (name != qualifier) sum += provisioned.requested;
  }
  return sum;
}

ApiError NoLatest(const Place& place, const FunctionName& named) {
  return FunctionNotFound(FunctionArn(place, named.name, "$LATEST"));
}

awaitable<http::Response> PutReserved(ControlParts& parts, ApiCall call) {
  const auto count =
      ReadCount(call.request, "ReservedConcurrentExecutions", "reservedConcurrentExecutions", 0);
  if (!count) co_return ErrorResponse(count.error());
  const auto target = FunctionOf(parts, call.route, NoLatest);
  if (!target) co_return ErrorResponse(target.error());
  const Edit edit = [&](FunctionRecord& record) -> Done {
    if (const int provisioned = OthersProvisioned(record); *count < provisioned) {
      return std::unexpected(
          InvalidParameter(fmt::format(" ReservedConcurrentExecutions  {} should not be lower than "
                                       "function's total provisioned concurrency [{}].",
                                       *count, provisioned)));
    }
    const int left =
        parts.scheduler.unreserved_concurrency() + record.reserved_concurrency.value_or(0) - *count;
    if (left < kLeastUnreserved) {
      return std::unexpected(InvalidParameter(
          fmt::format("Specified ReservedConcurrentExecutions for function decreases account's "
                      "UnreservedConcurrentExecution below its minimum value of [{}].",
                      kLeastUnreserved)));
    }
    record.reserved_concurrency = *count;
    return {};
  };
  const std::string name = target->record->name();
  const auto edited = co_await EditFunction(parts, name, edit);
  if (!edited) co_return ErrorResponse(edited.error());
  co_return Reserved(200, *count);
}

awaitable<http::Response> GetReserved(ControlParts& parts, ApiCall call) {
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  co_return Reserved(200, target->record->reserved_concurrency);
}

awaitable<http::Response> DeleteReserved(ControlParts& parts, ApiCall call) {
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  const Edit edit = [](FunctionRecord& record) -> Done {
    record.reserved_concurrency.reset();
    return {};
  };
  const std::string name = target->record->name();
  co_return co_await EditWithoutAnswer(parts, name, edit);
}

std::string VersionOf(const FunctionRecord& record, const std::string& qualifier) {
  const auto alias = record.aliases.find(qualifier);
  return alias == record.aliases.end() ? qualifier : alias->second.version;
}

json::object ProvisionedJson(const ControlParts& parts, const FunctionRecord& record,
                             const std::string& qualifier) {
  const ProvisionedConcurrency& provisioned = record.provisioned.at(qualifier);
  const auto ready = static_cast<int>(
      parts.scheduler.provisioned_ready(record.name(), VersionOf(record, qualifier)));
  const int available = std::min(ready, provisioned.requested);
  return {{"RequestedProvisionedConcurrentExecutions", provisioned.requested},
          {"AvailableProvisionedConcurrentExecutions", available},
          {"AllocatedProvisionedConcurrentExecutions", available},
          {"Status", available == provisioned.requested ? "READY" : "IN_PROGRESS"},
          {"LastModified", provisioned.last_modified}};
}

// A version or an alias; AWS provisions nothing else, and says so by `unpublished`.
std::expected<Target, ApiError> ProvisionedTarget(
    const ControlParts& parts, const Route& route,
    std::string_view unpublished =
        "The function resource provided must be an alias or a published version.") {
  auto target = TargetOf(parts, route, NoAliasOrVersion);
  if (!target) return target;
  if (target->qualifier.empty()) return std::unexpected(MissingMember("qualifier"));
  if (target->version() == "$LATEST") return std::unexpected(InvalidParameter(unpublished));
  return target;
}

// What is provisioned comes out of what is reserved for the function, or of what all functions
// without a reservation share.
Done CheckPlaces(const ControlParts& parts, const FunctionRecord& record,
                 std::string_view qualifier, int count) {
  if (record.reserved_concurrency) {
    if (OthersProvisioned(record, qualifier) + count <= *record.reserved_concurrency) return {};
    return std::unexpected(
        InvalidParameter("Requested Provisioned Concurrency should not be greater than the "
                         "reservedConcurrentExecution for function"));
  }
  int left = parts.scheduler.unreserved_concurrency();
  for (const auto& [name, other] : parts.registry.all()) {
    if (other->reserved_concurrency) continue;
    left -= OthersProvisioned(*other, name == record.name() ? qualifier : std::string_view{});
  }
  if (count > left) {
    return std::unexpected(
        InvalidParameter(fmt::format("Specified ConcurrentExecutions for function is greater than "
                                     "account's unreserved concurrency [{}].",
                                     left)));
  }
  if (left - count >= kLeastUnreserved) return {};
  return std::unexpected(
      InvalidParameter(fmt::format("Specified ConcurrentExecutions for function decreases "
                                   "account's UnreservedConcurrentExecution below its minimum "
                                   "value of [{}].",
                                   kLeastUnreserved)));
}

Done CheckOtherNames(const FunctionRecord& record, const Target& target) {
  for (const auto& [qualifier, other] : record.provisioned) {
    if (qualifier == target.qualifier || VersionOf(record, qualifier) != target.version()) continue;
    return std::unexpected(
        ApiError{ApiErrorKind::kResourceConflict,
                 target.alias != nullptr
                     ? "Alias can't be used for Provisioned Concurrency configuration on an "
                       "already Provisioned version"
                     : "Version is pointed by a Provisioned Concurrency alias"});
  }
  return {};
}

ApiError NotProvisioned() {
  return {ApiErrorKind::kProvisionedConcurrencyNotFound,
          "No Provisioned Concurrency Config found for this function"};
}

awaitable<http::Response> PutProvisioned(ControlParts& parts, ApiCall call) {
  const auto count = ReadCount(call.request, "ProvisionedConcurrentExecutions",
                               "provisionedConcurrentExecutions", 1);
  if (!count) co_return ErrorResponse(count.error());
  const auto target = ProvisionedTarget(
      parts, call.route,
      "Provisioned Concurrency Configs cannot be applied to unpublished function versions.");
  if (!target) co_return ErrorResponse(target.error());
  const Edit edit = [&](FunctionRecord& record) -> Done {
    auto checked = CheckOtherNames(record, *target);
    if (checked) checked = CheckPlaces(parts, record, target->qualifier, *count);
    if (!checked) return checked;
    record.provisioned[target->qualifier] = {
        .requested = *count, .last_modified = FormatLastModified(parts.clock.WallNow())};
    return {};
  };
  const std::string name = target->record->name();
  const auto edited = co_await EditFunction(parts, name, edit);
  if (!edited) co_return ErrorResponse(edited.error());
  co_return JsonResponse(202, json::serialize(ProvisionedJson(parts, **edited, target->qualifier)));
}

awaitable<http::Response> GetProvisioned(ControlParts& parts, ApiCall call) {
  const auto target = ProvisionedTarget(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  if (!target->record->provisioned.contains(target->qualifier)) {
    co_return ErrorResponse(NotProvisioned());
  }
  co_return JsonResponse(
      200, json::serialize(ProvisionedJson(parts, *target->record, target->qualifier)));
}

awaitable<http::Response> DeleteProvisioned(ControlParts& parts, ApiCall call) {
  const auto target = ProvisionedTarget(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  const Edit edit = [&](FunctionRecord& record) -> Done {
    record.provisioned.erase(target->qualifier);
    return {};
  };
  const std::string name = target->record->name();
  co_return co_await EditWithoutAnswer(parts, name, edit);
}

awaitable<http::Response> ListProvisioned(ControlParts& parts, ApiCall call) {
  const auto most = MaxItems(call.route);
  if (!most) co_return ErrorResponse(most.error());
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  const FunctionRecord& record = *target->record;
  co_return ListResponse(call.route, *most, "ProvisionedConcurrencyConfigs", record.provisioned,
                         [&](const std::string& qualifier, const auto&) {
                           json::object config = ProvisionedJson(parts, record, qualifier);
                           config["FunctionArn"] =
                               FunctionArn(parts.place, record.name(), qualifier);
                           return config;
                         });
}

}  // namespace

void AddConcurrencyCalls(Operations& operations, ControlParts& parts) {
  AddControlCall(operations, parts, "PutFunctionConcurrency", PutReserved);
  AddControlCall(operations, parts, "GetFunctionConcurrency", GetReserved);
  AddControlCall(operations, parts, "DeleteFunctionConcurrency", DeleteReserved);
  AddControlCall(operations, parts, "PutProvisionedConcurrencyConfig", PutProvisioned);
  AddControlCall(operations, parts, "GetProvisionedConcurrencyConfig", GetProvisioned);
  AddControlCall(operations, parts, "DeleteProvisionedConcurrencyConfig", DeleteProvisioned);
  AddControlCall(operations, parts, "ListProvisionedConcurrencyConfigs", ListProvisioned);
}

}  // namespace kelvin::service
