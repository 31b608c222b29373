#include "service/event_invoke_api.h"

#include <algorithm>
#include <array>
#include <cctype>
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

// What a destination's ARN begins with; nothing when it is no ARN.
struct ArnHead {
  std::string_view service;
};

std::optional<ArnHead> ReadArn(std::string_view arn) {
  std::array<std::string_view, 5> parts;  // arn, partition, service, region, account
  for (std::string_view& part : parts) {
    const auto colon = arn.find(':');
    if (colon == arn.npos) return std::nullopt;
    part = arn.substr(0, colon);
    arn.remove_prefix(colon + 1);
  }
  const auto is_word = [](std::string_view text) {
    return std::ranges::all_of(text,
                               [](unsigned char c) { return std::isalnum(c) != 0 || c == '-'; });
  };
  const auto& [arn_word, partition, service, region, account] = parts;
  const bool valid = arn_word == "arn" && partition.starts_with("aws") && is_word(partition) &&
                     !service.empty() && is_word(service) && is_word(region) &&
                     account.find_first_not_of("0123456789") == account.npos;
  if (!valid) return std::nullopt;
  return ArnHead{service};
}

Done ReadDestination(const json::object& destinations, std::string_view name,
                     std::string_view member, std::string& into) {
  const json::value* destination = destinations.if_contains(name);
  if (destination == nullptr || !destination->is_object()) return {};
  const std::string arn = OptionalText(destination->get_object(), "Destination");
  if (!arn.empty() && !ReadArn(arn)) {
    return std::unexpected(ConstraintError(
        arn, member,
        "Member must satisfy regular expression pattern: "
        "^$|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\\-])+:([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-"
        "\\d{1})?:(\\d{12})?:(.*)"));
  }
  into = arn;
  return {};
}

// As AWS's messages show it.
std::string DestinationsText(const json::object& destinations) {
  const auto text = [&](std::string_view name, std::string_view type) -> std::string {
    const json::value* given = destinations.if_contains(name);
    if (given == nullptr || !given->is_object()) return "null";
    const std::string arn = OptionalText(given->get_object(), "Destination");
    return fmt::format("{}(destination={})", type, arn.empty() ? "null" : arn);
  };
  return fmt::format("DestinationConfig(onSuccess={}, onFailure={})",
                     text("OnSuccess", "OnSuccess"), text("OnFailure", "OnFailure"));
}

// Whether events of the function may go to `arn`: another function that is there, or a queue,
// topic, bus or bucket, which nobody here can look at.
Done CheckDestination(const ControlParts& parts, std::string_view function,
                      const json::object& destinations, const std::string& arn) {
  constexpr std::string_view kServices[] = {"lambda", "sqs", "sns", "events", "s3"};
  const auto head = ReadArn(arn);
  if (!head) return {};  // there is none
  if (std::ranges::find(kServices, head->service) == std::end(kServices)) {
    return std::unexpected(InvalidParameter(fmt::format(
        "The provided destination config {} is invalid.", DestinationsText(destinations))));
  }
  if (head->service != "lambda") return {};
  const auto named = ParseFunctionName(arn, parts.place);
  if (named && named->name == function) {
    return std::unexpected(
        InvalidParameter("You can't specify the function as a destination for itself."));
  }
  const auto record = named ? parts.registry.Find(named->name) : nullptr;
  if (record && FindTarget(record, named->qualifier)) return {};
  return std::unexpected(InvalidParameter(fmt::format("The destination ARN {} is invalid.", arn)));
}

Done ApplyFields(const ControlParts& parts, std::string_view function, const json::object& body,
                 EventInvokeConfig& config) {
  auto read =
      ReadNumber(body, "MaximumRetryAttempts", "maximumRetryAttempts", {0, 2}, config.retries);
  if (read) {
    read = ReadNumber(body, "MaximumEventAgeInSeconds", "maximumEventAgeInSeconds", {60, 21600},
                      config.max_age_seconds);
  }
  const json::value* destinations = body.if_contains("DestinationConfig");
  if (!read || destinations == nullptr || !destinations->is_object()) return read;
  const json::object& given = destinations->get_object();
  read = ReadDestination(given, "OnSuccess", "destinationConfig.onSuccess.destination",
                         config.on_success);
  if (read) {
    read = ReadDestination(given, "OnFailure", "destinationConfig.onFailure.destination",
                           config.on_failure);
  }
  if (read) read = CheckDestination(parts, function, given, config.on_success);
  if (read) read = CheckDestination(parts, function, given, config.on_failure);
  return read;
}

ApiError NotConfigured(const Place& place, const FunctionName& named) {
  return {ApiErrorKind::kResourceNotFound,
          fmt::format("The function {} doesn't have an EventInvokeConfig",
                      FunctionArn(place, named.name,
                                  named.qualifier.empty() ? "$LATEST" : named.qualifier))};
}
ApiError NotConfigured(const ControlParts& parts, const Target& target) {
  return NotConfigured(parts.place, FunctionName{target.record->name(), target.qualifier});
}

ApiError NothingToConfigure(const Place&, const FunctionName&) {
  return {ApiErrorKind::kResourceNotFound, "The function doesn't exist."};
}

std::expected<Target, ApiError> ConfigTarget(const ControlParts& parts, const Route& route,
                                             NotThere not_there) {
  auto target = TargetOf(parts, route, not_there);
  if (target && target->qualifier.empty()) target->qualifier = "$LATEST";
  return target;
}

Done CheckAsksForSomething(const json::object& body) {
  for (const std::string_view name :
       {"MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig"}) {
    const json::value* value = body.if_contains(name);
    if (value != nullptr && !value->is_null()) return {};
  }
  return std::unexpected(
      InvalidParameter("You must specify at least one of error handling or destination setting."));
}

http::Response Describe(const ControlParts& parts, const FunctionRecord& record,
                        const std::string& qualifier) {
  return JsonResponse(200, json::serialize(ConfigJson(parts, record.name(), qualifier,
                                                      record.event_invoke.at(qualifier))));
}

enum class Basis { kNew, kExisting };

awaitable<http::Response> Set(ControlParts& parts, ApiCall call, Basis basis) {
  const auto body = ParseBody(call.request.body);
  if (!body) co_return ErrorResponse(body.error());
  if (auto asks = CheckAsksForSomething(*body); !asks) co_return ErrorResponse(asks.error());
  const auto target = ConfigTarget(parts, call.route, NothingToConfigure);
  if (!target) co_return ErrorResponse(target.error());
  const Edit edit = [&](FunctionRecord& record) -> Done {
    EventInvokeConfig config;
    if (basis == Basis::kExisting) {
      const auto found = record.event_invoke.find(target->qualifier);
      if (found == record.event_invoke.end()) {
        return std::unexpected(NotConfigured(parts, *target));
      }
      config = found->second;
    }
    auto read = ApplyFields(parts, record.name(), *body, config);
    if (!read) return read;
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
  const auto target = ConfigTarget(parts, call.route, NotConfigured);
  if (!target) co_return ErrorResponse(target.error());
  if (!target->record->event_invoke.contains(target->qualifier)) {
    co_return ErrorResponse(NotConfigured(parts, *target));
  }
  co_return Describe(parts, *target->record, target->qualifier);
}

awaitable<http::Response> Delete(ControlParts& parts, ApiCall call) {
  const auto target = ConfigTarget(parts, call.route, NotConfigured);
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
  const auto target = TargetOf(parts, call.route, NothingToConfigure);
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
