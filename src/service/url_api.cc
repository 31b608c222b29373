#include "service/url_api.h"

#include <algorithm>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/time_format.h"
#include "service/function_rules.h"
#include "service/function_url.h"
#include "service/paging.h"
#include "service/request_body.h"
#include "service/stored_fields.h"

namespace kelvin::service {

namespace json = boost::json;
using boost::asio::awaitable;

namespace {

using Done = std::expected<void, ApiError>;

json::object CorsJson(const Cors& cors) {
  json::object object;
  const auto add = [&](std::string_view name, const std::vector<std::string>& values) {
    if (!values.empty()) object[name] = TextsJson(values);
  };
  if (cors.allow_credentials) object["AllowCredentials"] = true;
  add("AllowHeaders", cors.allow_headers);
  add("AllowMethods", cors.allow_methods);
  add("AllowOrigins", cors.allow_origins);
  add("ExposeHeaders", cors.expose_headers);
  if (cors.max_age > 0) object["MaxAge"] = cors.max_age;
  return object;
}

json::object UrlJson(const ControlParts& parts, std::string_view function,
                     std::string_view qualifier, const FunctionUrl& url) {
  json::object object{
      {"FunctionUrl", UrlOf(parts.url, url)},
      {"FunctionArn", FunctionArn(parts.place, function, qualifier == "$LATEST" ? "" : qualifier)},
      {"AuthType", url.auth_type},
      {"CreationTime", url.created},
      {"LastModifiedTime", url.last_modified},
      {"InvokeMode", url.invoke_mode}};
  if (url.cors) object["Cors"] = CorsJson(*url.cors);
  return object;
}

std::expected<std::vector<std::string>, ApiError> ReadTexts(const json::object& object,
                                                            std::string_view name) {
  std::vector<std::string> texts;
  const json::value* value = object.if_contains(name);
  if (value == nullptr || value->is_null()) return texts;
  const bool valid =
      value->is_array() &&
      std::ranges::all_of(value->get_array(), [](const json::value& it) { return it.is_string(); });
  if (!valid) {
    return std::unexpected(ApiError{
        ApiErrorKind::kInvalidRequestContent,
        fmt::format("Could not parse request body into json: expected an array of text as {}",
                    name)});
  }
  for (const json::value& item : value->get_array()) texts.emplace_back(item.get_string());
  return texts;
}

std::expected<Cors, ApiError> ReadCors(const json::object& object) {
  Cors cors;
  cors.allow_credentials = IsTrue(object, "AllowCredentials");
  const std::pair<std::string_view, std::vector<std::string>*> lists[] = {
      {"AllowHeaders", &cors.allow_headers},
      {"AllowMethods", &cors.allow_methods},
      {"AllowOrigins", &cors.allow_origins},
      {"ExposeHeaders", &cors.expose_headers}};
  for (const auto& [name, into] : lists) {
    auto texts = ReadTexts(object, name);
    if (!texts) return std::unexpected(std::move(texts.error()));
    *into = std::move(*texts);
  }
  if (const json::value* age = object.if_contains("MaxAge"); age != nullptr && !age->is_null()) {
    boost::system::error_code error;
    cors.max_age = age->to_number<int>(error);
    if (error || cors.max_age < 0 || cors.max_age > 86400) {
      return std::unexpected(ConstraintError(json::serialize(*age), "cors.maxAge",
                                             "Member must have value less than or equal to 86400"));
    }
  }
  return cors;
}

Done OneOf(std::string_view value, std::string_view member,
           std::initializer_list<std::string_view> allowed) {
  if (std::ranges::find(allowed, value) != allowed.end()) return {};
  return std::unexpected(ConstraintError(
      value, member,
      fmt::format("Member must satisfy enum value set: [{}]", fmt::join(allowed, ", "))));
}

Done ApplyFields(const json::object& body, FunctionUrl& url) {
  if (body.contains("AuthType")) url.auth_type = OptionalText(body, "AuthType");
  const std::string mode = OptionalText(body, "InvokeMode");
  if (!mode.empty()) url.invoke_mode = mode;
  if (auto checked = OneOf(url.auth_type, "authType", {"NONE", "AWS_IAM"}); !checked) {
    return checked;
  }
  if (auto checked = OneOf(url.invoke_mode, "invokeMode", {"RESPONSE_STREAM", "BUFFERED"});
      !checked) {
    return checked;
  }
  const json::value* cors = body.if_contains("Cors");
  if (cors == nullptr || !cors->is_object()) return {};
  auto read = ReadCors(cors->get_object());
  if (!read) return std::unexpected(std::move(read.error()));
  url.cors = cors->get_object().empty() ? std::nullopt : std::optional(std::move(*read));
  return {};
}

ApiError NothingToReach(const Place&, const FunctionName&) {
  return {ApiErrorKind::kResourceNotFound, "Function does not exist"};
}

ApiError NoUrl(const Place&, const FunctionName&) {
  return NoSuchResource();
}

// $LATEST or an alias; AWS gives versions no URLs.
std::expected<Target, ApiError> UrlTarget(const ControlParts& parts, const Route& route,
                                          NotThere not_there) {
  const std::string_view asked = route.InQuery("Qualifier");
  const bool valid = asked.empty() || asked.find_first_not_of("0123456789") != asked.npos;
  if (!valid || asked == "$LATEST") {
    return std::unexpected(ConstraintError(
        asked, "qualifier",
        "Member must satisfy regular expression pattern: ((?!^\\d+$)^[0-9a-zA-Z-_]+$)"));
  }
  auto target = TargetOf(parts, route, not_there);
  if (!target) return target;
  if (target->qualifier.empty()) target->qualifier = "$LATEST";
  return target;
}

http::Response Describe(const ControlParts& parts, int status, const FunctionRecord& record,
                        const std::string& qualifier) {
  const json::object body = UrlJson(parts, record.name(), qualifier, record.urls.at(qualifier));
  return JsonResponse(status, json::serialize(body));
}

awaitable<http::Response> Create(ControlParts& parts, ApiCall call) {
  const auto target = UrlTarget(parts, call.route, NothingToReach);
  if (!target) co_return ErrorResponse(target.error());
  const auto body = ParseBody(call.request.body);
  if (!body) co_return ErrorResponse(body.error());
  if (!body->contains("AuthType")) co_return ErrorResponse(MissingMember("authType"));
  FunctionUrl url;
  url.id = NewHex(parts.random, 32);
  url.invoke_mode = "BUFFERED";
  url.created = url.last_modified = FormatIso8601(parts.clock.WallNow());
  if (auto read = ApplyFields(*body, url); !read) co_return ErrorResponse(read.error());
  const Edit edit = [&](FunctionRecord& record) -> Done {
    if (record.urls.emplace(target->qualifier, url).second) return {};
    return std::unexpected(ApiError{
        ApiErrorKind::kResourceConflict,
        fmt::format("Failed to create function url config for [functionArn = {}]. Error message:  "
                    "FunctionUrlConfig exists for this Lambda function",
                    FunctionArn(parts.place, record.name()))});
  };
  const std::string name = target->record->name();
  const auto edited = co_await EditFunction(parts, name, edit);
  if (!edited) co_return ErrorResponse(edited.error());
  json::object told = UrlJson(parts, name, target->qualifier, url);
  told.erase("LastModifiedTime");
  if (!body->contains("InvokeMode")) told.erase("InvokeMode");
  co_return JsonResponse(201, json::serialize(told));
}

awaitable<http::Response> Get(ControlParts& parts, ApiCall call) {
  const auto target = UrlTarget(parts, call.route, NoUrl);
  if (!target) co_return ErrorResponse(target.error());
  if (!target->record->urls.contains(target->qualifier)) co_return ErrorResponse(NoSuchResource());
  co_return Describe(parts, 200, *target->record, target->qualifier);
}

awaitable<http::Response> Update(ControlParts& parts, ApiCall call) {
  const auto target = UrlTarget(parts, call.route, NothingToReach);
  if (!target) co_return ErrorResponse(target.error());
  const auto body = ParseBody(call.request.body);
  if (!body) co_return ErrorResponse(body.error());
  const Edit edit = [&](FunctionRecord& record) -> Done {
    const auto found = record.urls.find(target->qualifier);
    if (found == record.urls.end()) return std::unexpected(NoSuchResource());
    found->second.last_modified = FormatIso8601(parts.clock.WallNow());
    return ApplyFields(*body, found->second);
  };
  const std::string name = target->record->name();
  const auto edited = co_await EditFunction(parts, name, edit);
  if (!edited) co_return ErrorResponse(edited.error());
  co_return Describe(parts, 200, **edited, target->qualifier);
}

awaitable<http::Response> Delete(ControlParts& parts, ApiCall call) {
  const auto target = UrlTarget(parts, call.route, NoUrl);
  if (!target) co_return ErrorResponse(target.error());
  const Edit edit = [&](FunctionRecord& record) -> Done {
    if (record.urls.erase(target->qualifier) == 1) return {};
    return std::unexpected(NoSuchResource());
  };
  const std::string name = target->record->name();
  co_return co_await EditWithoutAnswer(parts, name, edit);
}

awaitable<http::Response> List(ControlParts& parts, ApiCall call) {
  const auto most = MaxItems(call.route);
  if (!most) co_return ErrorResponse(most.error());
  const auto target = TargetOf(parts, call.route, NothingToReach);
  if (!target) co_return ErrorResponse(target.error());
  const FunctionRecord& record = *target->record;
  co_return ListResponse(call.route, *most, "FunctionUrlConfigs", record.urls,
                         [&](const std::string& qualifier, const auto& url) {
                           return UrlJson(parts, record.name(), qualifier, url);
                         });
}

}  // namespace

void AddUrlCalls(Operations& operations, ControlParts& parts) {
  AddControlCall(operations, parts, "CreateFunctionUrlConfig", Create);
  AddControlCall(operations, parts, "GetFunctionUrlConfig", Get);
  AddControlCall(operations, parts, "UpdateFunctionUrlConfig", Update);
  AddControlCall(operations, parts, "DeleteFunctionUrlConfig", Delete);
  AddControlCall(operations, parts, "ListFunctionUrlConfigs", List);
}

}  // namespace kelvin::service
