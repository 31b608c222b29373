#include "service/event_invoke_api.h"

#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "service/epoch.h"
#include "service/function_rules.h"
#include "service/paging.h"
#include "service/request_body.h"

namespace kelvin::service {

namespace json = boost::json;
using boost::asio::awaitable;

namespace {

using Done = std::expected<void, ApiError>;

json::object ConfigJson(const ControlParts& parts, std::string_view function,
                        std::string_view qualifier, const EventInvokeConfig& config) {
  json::object object{{"LastModified", static_cast<double>(config.last_modified_ms) / 1000.0},
                      {"FunctionArn", FunctionArn(parts.place, function, qualifier)}};
  if (config.retries) object["MaximumRetryAttempts"] = *config.retries;
  if (config.max_age_seconds) object["MaximumEventAgeInSeconds"] = *config.max_age_seconds;
  json::object& destinations = object["DestinationConfig"].emplace_object();
  const auto add = [&](std::string_view name, const std::string& arn) {
    json::object& destination = destinations[name].emplace_object();
    if (!arn.empty()) destination["Destination"] = arn;
  };
  add("OnSuccess", config.on_success);
  add("OnFailure", config.on_failure);
  return object;
}

Done ReadNumber(const json::object& body, std::string_view name, std::string_view member,
                std::pair<int, int> range, std::optional<int>& into) {
  const json::value* value = body.if_contains(name);
  if (value == nullptr || value->is_null()) return {};
  boost::system::error_code error;
  const int number = value->to_number<int>(error);
  if (!error && number >= range.first && number <= range.second) {
    into = number;
    return {};
  }
  const bool low = !error && number < range.first;
  return std::unexpected(
      ConstraintError(json::serialize(*value), member,
                      fmt::format("Member must have value {} than or equal to {}",
                                  low ? "greater" : "less", low ? range.first : range.second)));
}

Done ReadDestination(const json::object& destinations, std::string_view name, std::string& into) {
  const json::value* destination = destinations.if_contains(name);
  if (destination == nullptr || !destination->is_object()) return {};
  const std::string arn = OptionalText(destination->get_object(), "Destination");
  if (!arn.empty() && !arn.starts_with("arn:")) {
    return std::unexpected(ConstraintError(arn, "destinationConfig.destination",
                                           "Member must satisfy regular expression pattern: "
                                           "^$|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\\-])+:.*"));
  }
  into = arn;
  return {};
}

Done ApplyFields(const json::object& body, EventInvokeConfig& config) {
  auto read =
      ReadNumber(body, "MaximumRetryAttempts", "maximumRetryAttempts", {0, 2}, config.retries);
  if (read) {
    read = ReadNumber(body, "MaximumEventAgeInSeconds", "maximumEventAgeInSeconds", {60, 21600},
                      config.max_age_seconds);
  }
  const json::value* destinations = body.if_contains("DestinationConfig");
  if (!read || destinations == nullptr || !destinations->is_object()) return read;
  read = ReadDestination(destinations->get_object(), "OnSuccess", config.on_success);
  if (read) read = ReadDestination(destinations->get_object(), "OnFailure", config.on_failure);
  return read;
}

std::expected<Target, ApiError> ConfigTarget(const ControlParts& parts, const Route& route) {
  auto target = TargetOf(parts, route);
  if (target && target->qualifier.empty()) target->qualifier = "$LATEST";
  return target;
}

ApiError NotConfigured(const ControlParts& parts, const Target& target) {
  return {ApiErrorKind::kResourceNotFound,
          fmt::format("The function {} doesn't have an EventInvokeConfig",
                      FunctionArn(parts.place, target.record->name(), target.qualifier))};
}

http::Response Describe(const ControlParts& parts, const FunctionRecord& record,
                        const std::string& qualifier) {
  return JsonResponse(200, json::serialize(ConfigJson(parts, record.name(), qualifier,
                                                      record.event_invoke.at(qualifier))));
}

enum class Basis { kNew, kExisting };

awaitable<http::Response> Set(ControlParts& parts, ApiCall call, Basis basis) {
  const auto target = ConfigTarget(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  const auto body = ParseBody(call.request.body);
  if (!body) co_return ErrorResponse(body.error());
  const Edit edit = [&](FunctionRecord& record) -> Done {
    EventInvokeConfig config;
    if (basis == Basis::kExisting) {
      const auto found = record.event_invoke.find(target->qualifier);
      if (found == record.event_invoke.end()) {
        return std::unexpected(NotConfigured(parts, *target));
      }
      config = found->second;
    }
    if (auto read = ApplyFields(*body, config); !read) return read;
    config.last_modified_ms = EpochMilliseconds(parts.clock.WallNow());
    record.event_invoke[target->qualifier] = config;
    return {};
  };
  const std::string name = target->record->name();
  const auto edited = co_await EditFunction(parts, name, edit);
  if (!edited) co_return ErrorResponse(edited.error());
  co_return Describe(parts, **edited, target->qualifier);
}

awaitable<http::Response> Put(ControlParts& parts, ApiCall call) {
  return Set(parts, std::move(call), Basis::kNew);
}

awaitable<http::Response> Update(ControlParts& parts, ApiCall call) {
  return Set(parts, std::move(call), Basis::kExisting);
}

awaitable<http::Response> Get(ControlParts& parts, ApiCall call) {
  const auto target = ConfigTarget(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  if (!target->record->event_invoke.contains(target->qualifier)) {
    co_return ErrorResponse(NotConfigured(parts, *target));
  }
  co_return Describe(parts, *target->record, target->qualifier);
}

awaitable<http::Response> Delete(ControlParts& parts, ApiCall call) {
  const auto target = ConfigTarget(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  const Edit edit = [&](FunctionRecord& record) -> Done {
    if (record.event_invoke.erase(target->qualifier) == 1) return {};
    return std::unexpected(NotConfigured(parts, *target));
  };
  const std::string name = target->record->name();
  co_return co_await EditWithoutAnswer(parts, name, edit);
}

awaitable<http::Response> List(ControlParts& parts, ApiCall call) {
  const auto most = MaxItems(call.route);
  if (!most) co_return ErrorResponse(most.error());
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  const FunctionRecord& record = *target->record;
  co_return ListResponse(call.route, *most, "FunctionEventInvokeConfigs", record.event_invoke,
                         [&](const std::string& qualifier, const auto& config) {
                           return ConfigJson(parts, record.name(), qualifier, config);
                         });
}

}  // namespace

void AddEventInvokeCalls(Operations& operations, ControlParts& parts) {
  AddControlCall(operations, parts, "PutFunctionEventInvokeConfig", Put);
  AddControlCall(operations, parts, "UpdateFunctionEventInvokeConfig", Update);
  AddControlCall(operations, parts, "GetFunctionEventInvokeConfig", Get);
  AddControlCall(operations, parts, "DeleteFunctionEventInvokeConfig", Delete);
  AddControlCall(operations, parts, "ListFunctionEventInvokeConfigs", List);
}

}  // namespace kelvin::service
