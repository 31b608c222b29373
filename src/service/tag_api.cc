#include "service/tag_api.h"

#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "service/function_rules.h"
#include "service/request_body.h"
#include "service/stored_fields.h"

namespace kelvin::service {

namespace json = boost::json;
using boost::asio::awaitable;

namespace {

using Done = std::expected<void, ApiError>;

// Tags belong to functions as a whole.
std::expected<FunctionRegistry::Record, ApiError> Tagged(const ControlParts& parts,
                                                         const Route& route) {
  const std::string_view arn = route.InPath("Resource");
  auto named = ParseFunctionName(arn, parts.place);
  const bool is_arn =
      arn.starts_with("arn:") && (named || named.error().kind != ApiErrorKind::kValidation);
  if (!is_arn) {
    return std::unexpected(ConstraintError(
        arn, "resource",
        "Member must satisfy regular expression pattern: "
        "arn:(aws[a-zA-Z-]*):lambda:[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:"
        "(function:[a-zA-Z0-9-_]+(:(\\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|"
        "code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[a-f0-9]{8}-[a-f0-9]{4}-"
        "[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12})"));
  }
  if (!named) return std::unexpected(std::move(named.error()));
  if (!named->qualifier.empty()) {
    return std::unexpected(InvalidParameter(
        "Tags on function aliases and versions are not supported. Please specify a function ARN."));
  }
  auto record = parts.registry.Find(named->name);
  if (!record) return std::unexpected(FunctionNotFound(FunctionArn(parts.place, named->name)));
  return record;
}

awaitable<http::Response> List(ControlParts& parts, ApiCall call) {
  const auto record = Tagged(parts, call.route);
  if (!record) co_return ErrorResponse(record.error());
  json::object body;
  body["Tags"] = MapJson((*record)->latest.tags);
  co_return JsonResponse(200, json::serialize(body));
}

awaitable<http::Response> Tag(ControlParts& parts, ApiCall call) {
  const auto record = Tagged(parts, call.route);
  if (!record) co_return ErrorResponse(record.error());
  const auto body = ParseBody(call.request.body);
  if (!body) co_return ErrorResponse(body.error());
  const json::value* given = body->if_contains("Tags");
  if (given == nullptr || !given->is_object()) co_return ErrorResponse(MissingMember("tags"));
  if (given->get_object().empty()) {
    co_return ErrorResponse(
        InvalidParameter("An error occurred and the request cannot be processed."));
  }
  const Edit edit = [&](FunctionRecord& edited) -> Done {
    for (const auto& [key, value] : given->get_object()) {
      if (!value.is_string()) {
        return std::unexpected(
            ApiError{ApiErrorKind::kInvalidRequestContent,
                     "Could not parse request body into json: expected an object of text as Tags"});
      }
      edited.latest.tags.insert_or_assign(std::string(key), std::string(value.get_string()));
    }
    edited.latest.revision_id = NewUuid(parts.random);
    return CheckTagCount(edited.latest.tags.size());
  };
  const std::string name = (*record)->name();
  co_return co_await EditWithoutAnswer(parts, name, edit);
}

awaitable<http::Response> Untag(ControlParts& parts, ApiCall call) {
  const auto record = Tagged(parts, call.route);
  if (!record) co_return ErrorResponse(record.error());
  const auto [first, last] = call.route.query.equal_range("tagKeys");
  if (first == last) co_return ErrorResponse(MissingMember("tagKeys"));
  const Edit edit = [&](FunctionRecord& edited) -> Done {
    for (auto it = first; it != last; ++it) edited.latest.tags.erase(it->second);
    edited.latest.revision_id = NewUuid(parts.random);
    return {};
  };
  const std::string name = (*record)->name();
  co_return co_await EditWithoutAnswer(parts, name, edit);
}

}  // namespace

void AddTagCalls(Operations& operations, ControlParts& parts) {
  AddControlCall(operations, parts, "ListTags", List);
  AddControlCall(operations, parts, "TagResource", Tag);
  AddControlCall(operations, parts, "UntagResource", Untag);
}

}  // namespace kelvin::service
