#include "service/layer_api.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "aws/sha256.h"
#include "base/time_format.h"
#include "service/code_keeper.h"
#include "service/control.h"
#include "service/function_rules.h"
#include "service/offload.h"
#include "service/paging.h"
#include "service/policy.h"
#include "service/request_body.h"
#include "service/stored_fields.h"

namespace kelvin::service {

namespace json = boost::json;
using boost::asio::awaitable;

namespace {

std::expected<std::vector<std::string>, ApiError> Texts(const json::object& body,
                                                        std::string_view name, std::size_t most) {
  std::vector<std::string> texts;
  const json::value* value = body.if_contains(name);
  if (value == nullptr || value->is_null()) return texts;
  const bool valid =
      value->is_array() && value->get_array().size() <= most &&
      std::ranges::all_of(value->get_array(), [](const json::value& it) { return it.is_string(); });
  if (!valid) {
    return std::unexpected(
        ConstraintError(json::serialize(*value), name,
                        fmt::format("Member must have length less than or equal to {}", most)));
  }
  for (const json::value& item : value->get_array()) texts.emplace_back(item.get_string());
  return texts;
}

struct PublishRequest {
  LayerVersion version;
  std::string zip;
};

std::expected<PublishRequest, ApiError> ParsePublish(std::string_view text) {
  auto body = ParseBody(text);
  if (!body) return std::unexpected(std::move(body.error()));
  PublishRequest request;
  request.version.description = OptionalText(*body, "Description");
  request.version.license_info = OptionalText(*body, "LicenseInfo");
  if (request.version.description.size() > 256) {
    return std::unexpected(ConstraintError(request.version.description, "description",
                                           "Member must have length less than or equal to 256"));
  }
  if (request.version.license_info.size() > 512) {
    return std::unexpected(ConstraintError(request.version.license_info, "licenseInfo",
                                           "Member must have length less than or equal to 512"));
  }
  auto runtimes = Texts(*body, "CompatibleRuntimes", 15);
  if (!runtimes) return std::unexpected(std::move(runtimes.error()));
  auto architectures = Texts(*body, "CompatibleArchitectures", 2);
  if (!architectures) return std::unexpected(std::move(architectures.error()));
  for (const std::string& name : *architectures) {
    if (name == "x86_64" || name == "arm64") continue;
    return std::unexpected(ConstraintError(
        ListText(*architectures), "compatibleArchitectures",
        "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64]]"));
  }
  request.version.runtimes = std::move(*runtimes);
  request.version.architectures = std::move(*architectures);
  const json::value* content = body->if_contains("Content");
  if (content == nullptr || !content->is_object()) {
    return std::unexpected(MissingMember("content"));
  }
  auto zip = ReadZip(content->get_object(), "PublishLayerVersion");
  if (!zip) return std::unexpected(std::move(zip.error()));
  request.zip = std::move(*zip);
  return request;
}

std::expected<int, ApiError> ParseNumber(std::string_view text) {
  int number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) {
    return std::unexpected(ApiError{ApiErrorKind::kValidation,
                                    fmt::format("expected a version number, got {}", text)});
  }
  if (number < 1) {
    return std::unexpected(InvalidParameter("Layer Version Cannot be less than 1"));
  }
  return number;
}

struct VersionName {
  std::string layer;
  int number;
};

std::expected<VersionName, ApiError> ParseVersion(const Route& route, const Place& place) {
  const auto named = ParseLayerName(route.InPath("LayerName"), place);
  if (!named) return std::unexpected(named.error());
  const auto number = ParseNumber(route.InPath("VersionNumber"));
  if (!number) return std::unexpected(number.error());
  return VersionName{named->name, *number};
}

// Any text that another policy does not have, in the form that AWS gives it.
std::string RevisionOf(const StringMap& statements) {
  const std::string hash = aws::Sha256Hex(PolicyDocument(statements));
  const std::string_view hex = hash;
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4),
                     hex.substr(16, 4), hex.substr(20, 12));
}

// 404 in the words of the calls about a version's permissions.
ApiError NoVersion(const Place& place, const VersionName& named) {
  return {ApiErrorKind::kResourceNotFound,
          fmt::format("Layer version {} does not exist.",
                      LayerVersionArn(place, named.layer, named.number))};
}

std::expected<void, ApiError> CheckPolicyRevision(std::string_view given,
                                                  const StringMap& statements) {
  if (CheckRevision(given, RevisionOf(statements))) return {};
  return std::unexpected(
      ApiError{ApiErrorKind::kPreconditionFailed,
               "The Revision Id provided does not match the latest Revision Id. Call the "
               "GetLayerPolicy API to retrieve the latest Revision Id"});
}

std::expected<std::size_t, ApiError> ReadFilters(const Route& route) {
  const std::string_view architecture = route.InQuery("CompatibleArchitecture");
  if (!architecture.empty() && architecture != "x86_64" && architecture != "arm64") {
    return std::unexpected(ConstraintError(architecture, "compatibleArchitecture",
                                           "Member must satisfy enum value set: [x86_64, arm64]"));
  }
  return MaxItems(route);
}

// What a list's CompatibleRuntime and CompatibleArchitecture let through.
bool IsWanted(const LayerVersion& version, const Route& route) {
  const auto runtime = route.InQuery("CompatibleRuntime");
  const auto architecture = route.InQuery("CompatibleArchitecture");
  return (runtime.empty() || std::ranges::count(version.runtimes, runtime) > 0) &&
         (architecture.empty() || std::ranges::count(version.architectures, architecture) > 0);
}

const LayerVersion* LatestWanted(const Layer& layer, const Route& route) {
  for (auto it = layer.versions.rbegin(); it != layer.versions.rend(); ++it) {
    if (IsWanted(it->second, route)) return &it->second;
  }
  return nullptr;
}

// Held while a layer is being changed.
class Turn {
 public:
  Turn(std::set<std::string, std::less<>>& changing, std::string name)
      : changing_(changing), name_(std::move(name)), mine_(changing_.insert(name_).second) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    if (mine_) changing_.erase(name_);
  }
  explicit operator bool() const { return mine_; }

 private:
  std::set<std::string, std::less<>>& changing_;
  std::string name_;
  bool mine_;
};

ApiError BeingChanged(std::string_view name) {
  return {ApiErrorKind::kResourceConflict,
          fmt::format("The layer {} is being changed by another request; try again.", name)};
}

}  // namespace

LayerApi::LayerApi(const Parts& parts) : parts_(parts) {}

void LayerApi::AddTo(Operations& operations) {
  const auto add = [&](std::string_view name, auto member) {
    operations[name] =
        WholeAnswer([this, member](ApiCall call) { return (this->*member)(std::move(call)); });
  };
  add("PublishLayerVersion", &LayerApi::Publish);
  add("GetLayerVersion", &LayerApi::Get);
  add("GetLayerVersionByArn", &LayerApi::GetByArn);
  add("ListLayers", &LayerApi::List);
  add("ListLayerVersions", &LayerApi::ListVersions);
  add("DeleteLayerVersion", &LayerApi::Delete);
  add("AddLayerVersionPermission", &LayerApi::AddPermission);
  add("GetLayerVersionPolicy", &LayerApi::GetPolicy);
  add("RemoveLayerVersionPermission", &LayerApi::RemovePermission);
}

http::Response LayerApi::Describe(int status, const Layer& layer,
                                  const LayerVersion& version) const {
  json::object body = LayerVersionJson(layer, version, parts_.place);
  body["LayerArn"] = LayerArn(parts_.place, layer.name);
  body["Content"] =
      json::object{{"Location", "file://" + parts_.store.code_folder(version.code_sha256).native()},
                   {"CodeSha256", version.code_sha256},
                   {"CodeSize", version.code_size}};
  return JsonResponse(status, json::serialize(body));
}

awaitable<std::expected<void, ApiError>> LayerApi::Commit(Layer layer) {
  const auto stored =
      co_await Offload(parts_.workers, [&] { return parts_.store.PutLayer(layer); });
  if (!stored) co_return std::unexpected(ServiceError(stored.error()));
  parts_.layers.Put(std::move(layer));
  co_return std::expected<void, ApiError>{};
}

awaitable<http::Response> LayerApi::Publish(ApiCall call) {
  const auto named = ParseLayerName(call.route.InPath("LayerName"), parts_.place);
  if (!named) co_return ErrorResponse(named.error());
  auto parsed = co_await Offload(parts_.workers, [&] { return ParsePublish(call.request.body); });
  if (!parsed) co_return ErrorResponse(parsed.error());
  const Turn turn(changing_, named->name);
  if (!turn) co_return ErrorResponse(BeingChanged(named->name));
  const std::string of = "layer " + named->name;
  const auto code = co_await KeepCode(parts_.store, parts_.workers, parts_.log, of, parsed->zip);
  if (!code) co_return ErrorResponse(code.error());
  Layer layer;
  layer.name = named->name;
  if (const auto current = parts_.layers.Find(named->name)) layer = *current;
  LayerVersion& version = parsed->version;
  version.number = ++layer.last_number;
  version.created = FormatLastModified(parts_.clock.WallNow());
  version.code_sha256 = code->sha256;
  version.code_size = code->size;
  version.unpacked_size = code->unpacked_size;
  layer.versions[version.number] = version;
  const auto committed = co_await Commit(layer);
  if (!committed) co_return ErrorResponse(committed.error());
  co_return Describe(201, layer, version);
}

http::Response LayerApi::Find(std::string_view name, std::string_view number_text) const {
  const auto named = ParseLayerName(name, parts_.place);
  if (!named) return ErrorResponse(named.error());
  const auto number = ParseNumber(number_text);
  if (!number) return ErrorResponse(number.error());
  const auto layer = parts_.layers.Find(named->name);
  if (!layer || !layer->versions.contains(*number)) return ErrorResponse(NoSuchResource());
  return Describe(200, *layer, layer->versions.at(*number));
}

awaitable<http::Response> LayerApi::Get(ApiCall call) {
  co_return Find(call.route.InPath("LayerName"), call.route.InPath("VersionNumber"));
}

awaitable<http::Response> LayerApi::GetByArn(ApiCall call) {
  const std::string_view arn = call.route.InQuery("Arn");
  const auto named = ParseLayerName(arn, parts_.place);
  const bool is_arn =
      named ? !named->version.empty() : named.error().kind == ApiErrorKind::kResourceNotFound;
  if (!is_arn) {
    co_return ErrorResponse(ConstraintError(
        arn, "arn",
        "Member must satisfy regular expression pattern: "
        "arn:(aws[a-zA-Z-]*)?:lambda:[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:layer:"
        "[a-zA-Z0-9-_]+:[0-9]+"));
  }
  if (!named) co_return ErrorResponse(named.error());
  co_return Find(named->name, named->version);
}

awaitable<http::Response> LayerApi::List(ApiCall call) {
  const auto most = ReadFilters(call.route);
  if (!most) co_return ErrorResponse(most.error());
  co_return ListResponse(
      call.route, *most, "Layers", parts_.layers.all(),
      [&](const std::string& name, const auto& layer) -> std::optional<json::object> {
        const LayerVersion* latest = LatestWanted(*layer, call.route);
        if (latest == nullptr) return std::nullopt;
        return json::object{
            {"LayerName", name},
            {"LayerArn", LayerArn(parts_.place, name)},
            {"LatestMatchingVersion", LayerVersionJson(*layer, *latest, parts_.place)}};
      });
}

awaitable<http::Response> LayerApi::ListVersions(ApiCall call) {
  const auto most = ReadFilters(call.route);
  if (!most) co_return ErrorResponse(most.error());
  const auto named = ParseLayerName(call.route.InPath("LayerName"), parts_.place);
  if (!named) co_return ErrorResponse(named.error());
  json::object body;
  json::array versions;
  if (const auto layer = parts_.layers.Find(named->name)) {
    const std::string_view marker = call.route.InQuery("Marker");
    int before = layer->last_number + 1;
    if (!marker.empty()) std::from_chars(marker.data(), marker.data() + marker.size(), before);
    // The newest first.
    for (auto it = layer->versions.rbegin(); it != layer->versions.rend(); ++it) {
      if (it->first >= before || !IsWanted(it->second, call.route)) continue;
      if (versions.size() == *most) {
        body["NextMarker"] = std::to_string(versions.back().at("Version").to_number<int>());
        break;
      }
      versions.push_back(LayerVersionJson(*layer, it->second, parts_.place));
    }
  }
  body["LayerVersions"] = std::move(versions);
  co_return JsonResponse(200, json::serialize(body));
}

awaitable<http::Response> LayerApi::Delete(ApiCall call) {
  const auto named = ParseLayerName(call.route.InPath("LayerName"), parts_.place);
  if (!named) co_return ErrorResponse(named.error());
  const auto number = ParseNumber(call.route.InPath("VersionNumber"));
  if (!number) co_return ErrorResponse(number.error());
  const Turn turn(changing_, named->name);
  if (!turn) co_return ErrorResponse(BeingChanged(named->name));
  const auto current = parts_.layers.Find(named->name);
  if (current && current->versions.contains(*number)) {
    Layer layer = *current;
    layer.versions.erase(*number);
    const auto committed = co_await Commit(std::move(layer));
    if (!committed) co_return ErrorResponse(committed.error());
  }
  http::Response response;
  response.status = 204;
  co_return response;
}

awaitable<std::expected<void, ApiError>> LayerApi::EditPolicy(const Route& route,
                                                              const Edit& edit) {
  const auto named = ParseVersion(route, parts_.place);
  if (!named) co_return std::unexpected(named.error());
  const Turn turn(changing_, named->layer);
  if (!turn) co_return std::unexpected(BeingChanged(named->layer));
  const auto current = parts_.layers.Find(named->layer);
  if (!current || !current->versions.contains(named->number)) {
    co_return std::unexpected(NoVersion(parts_.place, *named));
  }
  Layer layer = *current;
  StringMap& statements = layer.versions.at(named->number).statements;
  auto edited = CheckPolicyRevision(route.InQuery("RevisionId"), statements);
  if (edited) edited = edit(statements);
  if (!edited) co_return edited;
  co_return co_await Commit(std::move(layer));
}

awaitable<http::Response> LayerApi::AddPermission(ApiCall call) {
  const auto named = ParseVersion(call.route, parts_.place);
  if (!named) co_return ErrorResponse(named.error());
  const auto body = ParsePermission(call.request.body);
  if (!body) co_return ErrorResponse(body.error());
  const std::string id = OptionalText(*body, "StatementId");
  if (const auto action = OptionalText(*body, "Action"); action != "lambda:GetLayerVersion") {
    co_return ErrorResponse(
        ConstraintError(action, "action",
                        "Member must satisfy regular expression pattern: lambda:GetLayerVersion"));
  }
  json::object made =
      PermissionStatement(*body, LayerVersionArn(parts_.place, named->layer, named->number));
  if (const auto organization = OptionalText(*body, "OrganizationId"); !organization.empty()) {
    made["Condition"] =
        json::object{{"StringEquals", json::object{{"aws:PrincipalOrgID", organization}}}};
  }
  const std::string statement = json::serialize(made);
  std::string revision;
  const Edit edit = [&](StringMap& statements) -> std::expected<void, ApiError> {
    if (!statements.emplace(id, statement).second) {
      return std::unexpected(
          ApiError{ApiErrorKind::kResourceConflict,
                   fmt::format("The statement id ({}) provided already exists. Please provide a "
                               "new statement id, or remove the existing statement.",
                               id)});
    }
    revision = RevisionOf(statements);
    return {};
  };
  const auto edited = co_await EditPolicy(call.route, edit);
  if (!edited) co_return ErrorResponse(edited.error());
  json::object answer;
  answer["Statement"] = statement;
  answer["RevisionId"] = revision;
  co_return JsonResponse(201, json::serialize(answer));
}

awaitable<http::Response> LayerApi::GetPolicy(ApiCall call) {
  const auto named = ParseVersion(call.route, parts_.place);
  if (!named) co_return ErrorResponse(named.error());
  const auto layer = parts_.layers.Find(named->layer);
  if (!layer || !layer->versions.contains(named->number)) {
    co_return ErrorResponse(NoVersion(parts_.place, *named));
  }
  const StringMap& statements = layer->versions.at(named->number).statements;
  if (statements.empty()) {
    co_return ErrorResponse(
        {ApiErrorKind::kResourceNotFound, "No policy is associated with the given resource."});
  }
  json::object answer;
  answer["Policy"] = PolicyDocument(statements);
  answer["RevisionId"] = RevisionOf(statements);
  co_return JsonResponse(200, json::serialize(answer));
}

awaitable<http::Response> LayerApi::RemovePermission(ApiCall call) {
  const std::string id(call.route.InPath("StatementId"));
  const Edit edit = [&](StringMap& statements) -> std::expected<void, ApiError> {
    if (statements.erase(id) > 0) return {};
    return std::unexpected(
        ApiError{ApiErrorKind::kResourceNotFound,
                 fmt::format("Statement {} is not found in resource policy.", id)});
  };
  const auto edited = co_await EditPolicy(call.route, edit);
  if (!edited) co_return ErrorResponse(edited.error());
  http::Response response;
  response.status = 204;
  co_return response;
}

}  // namespace kelvin::service
