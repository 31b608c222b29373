#include "service/destinations.h"

#include <algorithm>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/time_format.h"

namespace kelvin::service {
namespace {

namespace json = boost::json;

// As a document where it is one.
json::value Payload(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  if (error) return json::value(text);
  return value;
}

bool IsError(const EventEnd& end) {
  return end.outcome && end.outcome->kind != InvokeOutcome::Kind::kResponse;
}

// What a dead letter says of the failure: the function's own words, where there are any.
std::string ErrorMessage(const EventEnd& end) {
  if (!end.outcome) return std::string(end.condition);
  const json::value payload = Payload(end.outcome->payload);
  const json::object* error = payload.if_object();
  const json::value* message = error == nullptr ? nullptr : error->if_contains("errorMessage");
  const bool has_words = message != nullptr && message->is_string();
  return (has_words ? std::string(message->get_string()) : end.outcome->payload).substr(0, 1024);
}

}  // namespace

std::string DestinationRecord(const StoredEvent& event, const EventEnd& end, const Place& place,
                              Clock::WallTime now) {
  const std::string qualifier = event.qualifier.empty() ? "$LATEST" : event.qualifier;
  json::object record{
      {"version", "1.0"},
      {"timestamp", FormatIso8601(now)},
      {"requestContext",
       {{"requestId", event.request_id},
        {"functionArn", FunctionArn(place, event.function, qualifier)},
        {"condition", end.condition},
        {"approximateInvokeCount", event.attempts}}},
      {"requestPayload", Payload(event.payload)},
  };
  if (end.outcome) {
    json::object& context = record["responseContext"].emplace_object();
    context["statusCode"] = 200;
    context["executedVersion"] = end.version;
    if (IsError(end)) context["functionError"] = "Unhandled";
    record["responsePayload"] = Payload(end.outcome->payload);
  }
  return json::serialize(record);
}

std::string DeadLetterRecord(const StoredEvent& event, const EventEnd& end, Clock::WallTime now) {
  json::object attributes{{"RequestID", event.request_id}, {"ErrorCode", "200"}};
  attributes["ErrorMessage"] = ErrorMessage(end);
  return json::serialize(json::object{{"timestamp", FormatIso8601(now)},
                                      {"body", Payload(event.payload)},
                                      {"messageAttributes", std::move(attributes)}});
}

std::filesystem::path DestinationFile(const std::filesystem::path& logs, std::string_view arn) {
  std::string name(arn);
  std::ranges::replace_if(
      name, [](unsigned char c) { return std::isalnum(c) == 0 && c != '-' && c != '_'; }, '_');
  return logs / "destinations" / (name.substr(0, 200) + ".log");
}

}  // namespace kelvin::service
