#include "service/alias_api.h"

#include <algorithm>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "service/function_rules.h"
#include "service/paging.h"
#include "service/request_body.h"

namespace kelvin::service {

namespace json = boost::json;
using boost::asio::awaitable;

namespace {

using Done = std::expected<void, ApiError>;

json::object AliasJson(const ControlParts& parts, std::string_view function, const Alias& alias) {
  json::object object{{"AliasArn", FunctionArn(parts.place, function, alias.name)},
                      {"Name", alias.name},
                      {"FunctionVersion", alias.version},
                      {"Description", alias.description},
                      {"RevisionId", alias.revision_id}};
  if (!alias.weights.empty()) {
    object["RoutingConfig"] =
        json::object{{"AdditionalVersionWeights", json::value_from(alias.weights)}};
  }
  return object;
}

http::Response Describe(const ControlParts& parts, int status, std::string_view function,
                        const Alias& alias) {
  return JsonResponse(status, json::serialize(AliasJson(parts, function, alias)));
}

ApiError NoSuchAlias(const ControlParts& parts, std::string_view function, std::string_view name) {
  return {ApiErrorKind::kResourceNotFound,
          fmt::format("Cannot find alias arn: {}", FunctionArn(parts.place, function, name))};
}

// "{2=0.5}", as AWS's messages show such a map.
std::string WeightsText(const ByName<double>& weights) {
  std::string text;
  for (const auto& [version, weight] : weights) {
    const std::string number = fmt::format("{}", weight);
    const bool whole = number.find_first_of(".e") == number.npos;
    text += fmt::format("{}{}={}{}", text.empty() ? "" : ", ", version, number, whole ? ".0" : "");
  }
  return "{" + text + "}";
}

Done CheckWeights(const ByName<double>& weights) {
  const auto refuse = [&](std::string_view constraint) {
    return std::unexpected(ConstraintError(WeightsText(weights),
                                           "routingConfig.additionalVersionWeights", constraint));
  };
  for (const auto& [version, weight] : weights) {
    if (version.empty() || version.find_first_not_of("0123456789") != version.npos) {
      return refuse(
          "Map keys must satisfy constraint: [Member must have length less than or equal to 1024, "
          "Member must have length greater than or equal to 1, Member must satisfy regular "
          "expression pattern: [0-9]+, Member must not be null]");
    }
    if (weight < 0 || weight > 1) {
      return refuse(
          "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, "
          "Member must have value greater than or equal to 0.0, Member must not be null]");
    }
  }
  if (weights.size() <= 1) return {};
  return std::unexpected(
      InvalidParameter("Number of items in AdditionalVersionWeights cannot be greater than 1"));
}

Done CheckName(std::string_view name) {
  const bool valid =
      !name.empty() && name.size() <= 128 &&
      std::ranges::all_of(
          name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; }) &&
      name.find_first_not_of("0123456789") != name.npos;
  if (valid) return {};
  return std::unexpected(ConstraintError(
      name, "name",
      "Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)"));
}

std::expected<ByName<double>, ApiError> ReadWeights(const json::value& routing) {
  const json::value* given =
      routing.is_object() ? routing.get_object().if_contains("AdditionalVersionWeights") : nullptr;
  ByName<double> weights;
  if (given == nullptr || given->is_null()) return weights;
  const auto not_read = [](std::string_view expected) {
    return std::unexpected(
        ApiError{ApiErrorKind::kInvalidRequestContent,
                 fmt::format("Could not parse request body into json: expected {} as "
                             "AdditionalVersionWeights",
                             expected)});
  };
  if (!given->is_object()) return not_read("an object");
  for (const auto& [version, value] : given->get_object()) {
    boost::system::error_code error;
    const double weight = value.to_number<double>(error);
    if (error) return not_read("an object of numbers");
    weights.emplace(version, weight);
  }
  if (auto checked = CheckWeights(weights); !checked) return std::unexpected(checked.error());
  return weights;
}

Done CheckRouting(const ControlParts& parts, const FunctionRecord& record, const Alias& alias) {
  const auto missing = [&](std::string_view version) {
    return std::unexpected(FunctionNotFound(FunctionArn(parts.place, record.name(), version)));
  };
  if (FindVersion(record, alias.version) == nullptr) return missing(alias.version);
  if (alias.weights.empty()) return {};
  if (alias.version == "$LATEST") {
    return std::unexpected(
        InvalidParameter("$LATEST is not supported for an alias pointing to more than 1 version"));
  }
  for (const auto& [version, weight] : alias.weights) {
    if (version == alias.version) {
      return std::unexpected(InvalidParameter(
          fmt::format("Invalid function version {}. Function version {} is already included in "
                      "routing configuration.",
                      version, version)));
    }
    if (FindVersion(record, version) == nullptr) return missing(version);
  }
  return {};
}

// Reads what a body says of an alias over what it was.
Done ApplyFields(const json::object& body, Alias& alias) {
  if (body.contains("FunctionVersion")) alias.version = OptionalText(body, "FunctionVersion");
  if (body.contains("Description")) alias.description = OptionalText(body, "Description");
  if (alias.description.size() > 256) {
    return std::unexpected(ConstraintError(alias.description, "description",
                                           "Member must have length less than or equal to 256"));
  }
  if (const json::value* routing = body.if_contains("RoutingConfig")) {
    auto weights = ReadWeights(*routing);
    if (!weights) return std::unexpected(std::move(weights.error()));
    alias.weights = std::move(*weights);
  }
  return {};
}

awaitable<http::Response> Create(ControlParts& parts, ApiCall call) {
  const auto named = NameOf(parts.place, call.route);
  if (!named) co_return ErrorResponse(named.error());
  const auto body = ParseBody(call.request.body);
  if (!body) co_return ErrorResponse(body.error());
  Alias alias;
  alias.name = OptionalText(*body, "Name");
  if (auto checked = CheckName(alias.name); !checked) co_return ErrorResponse(checked.error());
  if (!body->contains("FunctionVersion")) co_return ErrorResponse(MissingMember("functionVersion"));
  if (auto read = ApplyFields(*body, alias); !read) co_return ErrorResponse(read.error());
  alias.revision_id = NewUuid(parts.random);
  const std::string& name = named->name;
  if (!parts.registry.Find(name)) {
    co_return ErrorResponse(FunctionNotFound(FunctionArn(parts.place, name, alias.version)));
  }
  const Edit edit = [&](FunctionRecord& record) -> Done {
    if (record.aliases.contains(alias.name)) {
      return std::unexpected(
          ApiError{ApiErrorKind::kResourceConflict,
                   fmt::format("Alias already exists: {}",
                               FunctionArn(parts.place, record.name(), alias.name))});
    }
    if (auto checked = CheckRouting(parts, record, alias); !checked) return checked;
    record.aliases[alias.name] = alias;
    return {};
  };
  const auto edited = co_await EditFunction(parts, name, edit);
  if (!edited) co_return ErrorResponse(edited.error());
  co_return Describe(parts, 201, name, alias);
}

awaitable<http::Response> Get(ControlParts& parts, ApiCall call) {
  const auto named = NameOf(parts.place, call.route);
  if (!named) co_return ErrorResponse(named.error());
  const std::string_view name = call.route.InPath("Name");
  const auto record = parts.registry.Find(named->name);
  const auto found = record ? record->aliases.find(name) : ByName<Alias>::const_iterator{};
  if (!record || found == record->aliases.end()) {
    co_return ErrorResponse(NoSuchAlias(parts, named->name, name));
  }
  co_return Describe(parts, 200, named->name, found->second);
}

awaitable<http::Response> Update(ControlParts& parts, ApiCall call) {
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  const auto body = ParseBody(call.request.body);
  if (!body) co_return ErrorResponse(body.error());
  const std::string name(call.route.InPath("Name"));
  Alias alias;
  const Edit edit = [&](FunctionRecord& record) -> Done {
    const auto found = record.aliases.find(name);
    if (found == record.aliases.end()) {
      return std::unexpected(NoSuchAlias(parts, record.name(), name));
    }
    alias = found->second;
    const std::string revision = OptionalText(*body, "RevisionId");
    if (auto current = CheckRevision(revision, alias.revision_id); !current) return current;
    if (auto read = ApplyFields(*body, alias); !read) return read;
    if (auto checked = CheckRouting(parts, record, alias); !checked) return checked;
    alias.revision_id = NewUuid(parts.random);
    found->second = alias;
    return {};
  };
  const std::string function = target->record->name();
  const auto edited = co_await EditFunction(parts, function, edit);
  if (!edited) co_return ErrorResponse(edited.error());
  co_return Describe(parts, 200, function, alias);
}

awaitable<http::Response> Delete(ControlParts& parts, ApiCall call) {
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  const std::string alias(call.route.InPath("Name"));
  const Edit edit = [&](FunctionRecord& record) -> Done {
    record.aliases.erase(alias);
    record.provisioned.erase(alias);
    record.urls.erase(alias);
    record.event_invoke.erase(alias);
    record.policies.erase(alias);
    return {};
  };
  const std::string function = target->record->name();
  co_return co_await EditWithoutAnswer(parts, function, edit);
}

awaitable<http::Response> List(ControlParts& parts, ApiCall call) {
  const auto most = MaxItems(call.route);
  if (!most) co_return ErrorResponse(most.error());
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  const std::string_view version = call.route.InQuery("FunctionVersion");
  const FunctionRecord& record = *target->record;
  co_return ListResponse(
      call.route, *most, "Aliases", record.aliases,
      [&](const std::string&, const Alias& alias) -> std::optional<json::object> {
        if (!version.empty() && alias.version != version) return std::nullopt;
        return AliasJson(parts, record.name(), alias);
      });
}

}  // namespace

const FunctionConfig& ChooseVersion(const Target& target, Random& random) {
  if (target.alias == nullptr || target.alias->weights.empty()) return *target.config;
  // 53 bits are all that a double between 0 and 1 has.
  double at = static_cast<double>(random.Next() >> 11) * 0x1.0p-53;
  for (const auto& [version, weight] : target.alias->weights) {
    if (at < weight) {
      const FunctionConfig* config = FindVersion(*target.record, version);
      if (config != nullptr) return *config;
    }
    at -= weight;
  }
  return *target.config;
}

void AddAliasCalls(Operations& operations, ControlParts& parts) {
  AddControlCall(operations, parts, "CreateAlias", Create);
  AddControlCall(operations, parts, "GetAlias", Get);
  AddControlCall(operations, parts, "UpdateAlias", Update);
  AddControlCall(operations, parts, "DeleteAlias", Delete);
  AddControlCall(operations, parts, "ListAliases", List);
}

}  // namespace kelvin::service
