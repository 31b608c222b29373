#include "deploy/lambda.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/encoding.h"

namespace kelvin::deploy {
namespace {

namespace json = boost::json;

constexpr std::string_view kFunctions = "/2015-03-31/functions";

std::string PathOf(const std::string& name) {
  return fmt::format("{}/{}", kFunctions, PercentEncode(name));
}

std::string Text(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains(key);
  const json::string* text = found != nullptr ? found->if_string() : nullptr;
  return text != nullptr ? std::string(*text) : std::string();
}

int Number(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains(key);
  return found != nullptr && found->is_int64() ? static_cast<int>(found->as_int64()) : 0;
}

const json::object* Object(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains(key);
  return found != nullptr ? found->if_object() : nullptr;
}

std::map<std::string, std::string> Map(const json::object* object) {
  std::map<std::string, std::string> map;
  if (object == nullptr) return map;
  for (const auto& [key, value] : *object) {
    if (const json::string* text = value.if_string()) map[std::string(key)] = std::string(*text);
  }
  return map;
}

std::expected<json::object, Error> Parse(std::string_view action, const std::string& body) {
  boost::system::error_code failed;
  json::value value = json::parse(body, failed);
  if (failed || !value.is_object()) {
    return std::unexpected(Error{
        ErrorCode::kCorrupt,
        fmt::format("expected a JSON object in the answer of {}, got something else", action)});
  }
  return std::move(value.as_object());
}

RemoteConfiguration ToConfiguration(const json::object& object) {
  RemoteConfiguration remote{.arn = Text(object, "FunctionArn"),
                             .version = Text(object, "Version"),
                             .runtime = Text(object, "Runtime"),
                             .handler = Text(object, "Handler"),
                             .role = Text(object, "Role"),
                             .code_sha256 = Text(object, "CodeSha256"),
                             .revision = Text(object, "RevisionId"),
                             .state = Text(object, "State"),
                             .update_status = Text(object, "LastUpdateStatus"),
                             .reason = Text(object, "LastUpdateStatusReason"),
                             .memory_mb = Number(object, "MemorySize"),
                             .timeout_seconds = Number(object, "Timeout"),
                             .environment = {},
                             .layers = {},
                             .tags = {}};
  if (remote.reason.empty()) remote.reason = Text(object, "StateReason");
  if (const json::object* environment = Object(object, "Environment")) {
    remote.environment = Map(Object(*environment, "Variables"));
  }
  const json::value* architectures = object.if_contains("Architectures");
  if (architectures != nullptr && architectures->is_array() && !architectures->as_array().empty() &&
      architectures->as_array()[0].is_string()) {
    remote.architecture = architectures->as_array()[0].as_string();
  }
  const json::value* layers = object.if_contains("Layers");
  if (layers != nullptr && layers->is_array()) {
    for (const json::value& layer : layers->as_array()) {
      if (layer.is_object()) remote.layers.push_back(Text(layer.as_object(), "Arn"));
    }
  }
  return remote;
}

RemoteAlias ToAlias(const json::object& object) {
  RemoteAlias alias{.arn = Text(object, "AliasArn"),
                    .version = Text(object, "FunctionVersion"),
                    .description = Text(object, "Description"),
                    .revision = Text(object, "RevisionId"),
                    .weights = {}};
  if (const json::object* routing = Object(object, "RoutingConfig")) {
    if (const json::object* weights = Object(*routing, "AdditionalVersionWeights")) {
      for (const auto& [version, weight] : *weights) {
        boost::system::error_code failed;
        alias.weights[std::string(version)] = weight.to_number<double>(failed);
      }
    }
  }
  return alias;
}

template <typename Read>
auto ParseAs(std::string_view action, std::expected<std::string, Error> body, Read read)
    -> std::expected<decltype(read(json::object())), Error> {
  if (!body) return std::unexpected(std::move(body.error()));
  const auto object = Parse(action, *body);
  if (!object) return std::unexpected(object.error());
  return read(*object);
}

// Turns "there is none" into an empty value.
template <typename Value>
std::expected<std::optional<Value>, Error> OrNone(std::expected<Value, Error> result) {
  if (result) return std::optional<Value>(std::move(*result));
  if (result.error().code == ErrorCode::kNotFound) return std::optional<Value>();
  return std::unexpected(std::move(result.error()));
}

std::string Qualified(const std::string& qualifier) {
  return qualifier.empty() ? std::string() : "?Qualifier=" + PercentEncode(qualifier);
}

std::string UrlPath(const std::string& name, const std::string& qualifier) {
  return fmt::format("/2021-10-31/functions/{}/url{}", PercentEncode(name), Qualified(qualifier));
}

std::expected<void, Error> Ignored(std::expected<std::string, Error> result) {
  if (!result) return std::unexpected(std::move(result.error()));
  return {};
}

}  // namespace

std::expected<std::string, Error> Lambda::Call(std::string_view action, std::string_view method,
                                               std::string target, const json::object* body) {
  return api_.Send({.service = "lambda",
                    .action = "lambda:" + std::string(action),
                    .method = std::string(method),
                    .target = std::move(target),
                    .body = body != nullptr ? json::serialize(*body) : std::string()});
}

std::expected<std::optional<RemoteConfiguration>, Error> Lambda::Get(const std::string& name) {
  return OrNone(ParseAs(
      "GetFunction", Call("GetFunction", "GET", PathOf(name)), [](const json::object& object) {
        const json::object* configuration = Object(object, "Configuration");
        RemoteConfiguration remote =
            configuration != nullptr ? ToConfiguration(*configuration) : RemoteConfiguration();
        remote.tags = Map(Object(object, "Tags"));
        return remote;
      }));
}

std::expected<std::optional<RemoteConfiguration>, Error> Lambda::Configuration(
    const std::string& name, const std::string& qualifier) {
  return OrNone(ParseAs("GetFunctionConfiguration",
                        Call("GetFunctionConfiguration", "GET",
                             PathOf(name) + "/configuration" + Qualified(qualifier)),
                        ToConfiguration));
}

std::expected<std::optional<RemoteAlias>, Error> Lambda::Alias(const std::string& name,
                                                               const std::string& alias) {
  return OrNone(ParseAs(
      "GetAlias",
      Call("GetAlias", "GET", fmt::format("{}/aliases/{}", PathOf(name), PercentEncode(alias))),
      ToAlias));
}

std::expected<std::optional<std::string>, Error> Lambda::UrlAuth(const std::string& name,
                                                                 const std::string& qualifier,
                                                                 std::string* url) {
  return OrNone(ParseAs("GetFunctionUrlConfig",
                        Call("GetFunctionUrlConfig", "GET", UrlPath(name, qualifier)),
                        [url](const json::object& object) {
                          if (url != nullptr) *url = Text(object, "FunctionUrl");
                          return Text(object, "AuthType");
                        }));
}

std::expected<std::vector<std::string>, Error> Lambda::Versions(const std::string& name) {
  std::vector<std::string> versions;
  std::string marker;
  for (int page = 0; page < 1000; ++page) {
    const std::string query = marker.empty() ? "" : "&Marker=" + PercentEncode(marker);
    const auto read = ParseAs("ListVersionsByFunction",
                              Call("ListVersionsByFunction", "GET",
                                   fmt::format("{}/versions?MaxItems=50{}", PathOf(name), query)),
                              [&](const json::object& object) {
                                const json::value* list = object.if_contains("Versions");
                                if (list != nullptr && list->is_array()) {
                                  for (const json::value& version : list->as_array()) {
                                    if (version.is_object())
                                      versions.push_back(Text(version.as_object(), "Version"));
                                  }
                                }
                                return Text(object, "NextMarker");
                              });
    if (!read) return std::unexpected(read.error());
    marker = *read;
    if (marker.empty()) break;
  }
  std::erase(versions, "$LATEST");
  std::ranges::sort(versions, [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  return versions;
}

std::expected<RemoteConfiguration, Error> Lambda::Create(const json::object& body) {
  return ParseAs("CreateFunction", Call("CreateFunction", "POST", std::string(kFunctions), &body),
                 ToConfiguration);
}

std::expected<RemoteConfiguration, Error> Lambda::UpdateCode(const std::string& name,
                                                             const json::object& body) {
  return ParseAs("UpdateFunctionCode",
                 Call("UpdateFunctionCode", "PUT", PathOf(name) + "/code", &body), ToConfiguration);
}

std::expected<RemoteConfiguration, Error> Lambda::UpdateConfiguration(const std::string& name,
                                                                      const json::object& body) {
  return ParseAs("UpdateFunctionConfiguration",
                 Call("UpdateFunctionConfiguration", "PUT", PathOf(name) + "/configuration", &body),
                 ToConfiguration);
}

std::expected<RemoteConfiguration, Error> Lambda::Publish(const std::string& name,
                                                          const json::object& body) {
  return ParseAs("PublishVersion",
                 Call("PublishVersion", "POST", PathOf(name) + "/versions", &body),
                 ToConfiguration);
}

std::expected<RemoteAlias, Error> Lambda::CreateAlias(const std::string& name,
                                                      const json::object& body) {
  return ParseAs("CreateAlias", Call("CreateAlias", "POST", PathOf(name) + "/aliases", &body),
                 ToAlias);
}

std::expected<RemoteAlias, Error> Lambda::UpdateAlias(const std::string& name,
                                                      const std::string& alias,
                                                      const json::object& body) {
  return ParseAs("UpdateAlias",
                 Call("UpdateAlias", "PUT",
                      fmt::format("{}/aliases/{}", PathOf(name), PercentEncode(alias)), &body),
                 ToAlias);
}

std::expected<void, Error> Lambda::Tag(const std::string& arn,
                                       const std::map<std::string, std::string>& tags) {
  json::object of;
  for (const auto& [key, value] : tags) of[key] = value;
  const json::object body{{"Tags", std::move(of)}};
  return Ignored(Call("TagResource", "POST", "/2017-03-31/tags/" + PercentEncode(arn), &body));
}

std::expected<void, Error> Lambda::CreateUrl(const std::string& name, const std::string& qualifier,
                                             const std::string& auth) {
  const json::object body{{"AuthType", auth}};
  return Ignored(Call("CreateFunctionUrlConfig", "POST", UrlPath(name, qualifier), &body));
}

std::expected<void, Error> Lambda::UpdateUrl(const std::string& name, const std::string& qualifier,
                                             const std::string& auth) {
  const json::object body{{"AuthType", auth}};
  return Ignored(Call("UpdateFunctionUrlConfig", "PUT", UrlPath(name, qualifier), &body));
}

std::expected<std::set<std::string>, Error> Lambda::PolicyStatements(const std::string& name,
                                                                     const std::string& qualifier) {
  const auto policy = OrNone(ParseAs(
      "GetPolicy", Call("GetPolicy", "GET", PathOf(name) + "/policy" + Qualified(qualifier)),
      [](const json::object& object) { return Text(object, "Policy"); }));
  if (!policy) return std::unexpected(policy.error());
  std::set<std::string> ids;
  if (!*policy) return ids;
  const auto document = Parse("GetPolicy", **policy);
  if (!document) return std::unexpected(document.error());
  const json::value* statements = document->if_contains("Statement");
  if (statements == nullptr || !statements->is_array()) return ids;
  for (const json::value& statement : statements->as_array()) {
    if (statement.is_object()) ids.insert(Text(statement.as_object(), "Sid"));
  }
  return ids;
}

std::expected<void, Error> Lambda::AddPermission(const std::string& name,
                                                 const std::string& qualifier,
                                                 const json::object& body) {
  return Ignored(
      Call("AddPermission", "POST", PathOf(name) + "/policy" + Qualified(qualifier), &body));
}

std::expected<void, Error> Lambda::RemovePermission(const std::string& name,
                                                    const std::string& qualifier,
                                                    const std::string& statement) {
  return Ignored(Call(
      "RemovePermission", "DELETE",
      fmt::format("{}/policy/{}{}", PathOf(name), PercentEncode(statement), Qualified(qualifier))));
}

std::expected<std::string, Error> Lambda::LayerVersion(const std::string& layer,
                                                       const std::string& description) {
  std::string arn;
  std::string marker;
  for (int page = 0; page < 1000 && arn.empty(); ++page) {
    const std::string query = marker.empty() ? "" : "&Marker=" + PercentEncode(marker);
    const auto read =
        OrNone(ParseAs("ListLayerVersions",
                       Call("ListLayerVersions", "GET",
                            fmt::format("/2018-10-31/layers/{}/versions?MaxItems=50{}",
                                        PercentEncode(layer), query)),
                       [&](const json::object& object) {
                         const json::value* list = object.if_contains("LayerVersions");
                         if (list == nullptr || !list->is_array()) return std::string();
                         for (const json::value& version : list->as_array()) {
                           if (!version.is_object() || !arn.empty()) continue;
                           if (Text(version.as_object(), "Description") != description) continue;
                           arn = Text(version.as_object(), "LayerVersionArn");
                         }
                         return Text(object, "NextMarker");
                       }));
    if (!read) return std::unexpected(read.error());
    marker = read->value_or("");
    if (marker.empty()) break;
  }
  return arn;
}

std::expected<std::string, Error> Lambda::PublishLayer(const std::string& layer,
                                                       const json::object& body) {
  return ParseAs("PublishLayerVersion",
                 Call("PublishLayerVersion", "POST",
                      fmt::format("/2018-10-31/layers/{}/versions", PercentEncode(layer)), &body),
                 [](const json::object& object) { return Text(object, "LayerVersionArn"); });
}

std::expected<void, Error> Lambda::DeleteAlias(const std::string& name, const std::string& alias) {
  return Ignored(Call("DeleteAlias", "DELETE",
                      fmt::format("{}/aliases/{}", PathOf(name), PercentEncode(alias))));
}

std::expected<void, Error> Lambda::DeleteUrl(const std::string& name,
                                             const std::string& qualifier) {
  return Ignored(Call("DeleteFunctionUrlConfig", "DELETE", UrlPath(name, qualifier)));
}

std::expected<void, Error> Lambda::Delete(const std::string& name) {
  return Ignored(Call("DeleteFunction", "DELETE", PathOf(name)));
}

}  // namespace kelvin::deploy
