#include "service/function_api.h"

#include <algorithm>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/time_format.h"
#include "package/bootstrap.h"
#include "service/code_keeper.h"
#include "service/function_rules.h"
#include "service/offload.h"
#include "service/paging.h"
#include "service/publish.h"
#include "service/request_body.h"

namespace kelvin::service {

namespace json = boost::json;
using boost::asio::awaitable;

namespace {

using Done = std::expected<void, ApiError>;

http::Response Describe(const ControlParts& parts, int status, const FunctionConfig& config,
                        Progress progress, std::string_view qualifier = {}) {
  return JsonResponse(status,
                      json::serialize(ConfigurationJson(config, parts.place, progress, qualifier)));
}

ApiError BeingChanged(const ControlParts& parts, std::string_view name) {
  return {ApiErrorKind::kResourceConflict,
          fmt::format("The operation cannot be performed at this time. An update is in progress "
                      "for resource: {}",
                      FunctionArn(parts.place, name))};
}

ApiError Exists(std::string_view name) {
  return {ApiErrorKind::kResourceConflict, fmt::format("Function already exist: {}", name)};
}

// Keeps the package and has the configuration name it.
awaitable<Done> SetCode(ControlParts& parts, FunctionConfig& config, const std::string& zip) {
  const std::string of = "function " + config.name;
  const auto kept = co_await KeepCode(parts.store, parts.workers, parts.log, of, zip);
  if (!kept) co_return std::unexpected(kept.error());
  config.code_sha256 = kept->sha256;
  config.code_size = kept->size;
  config.unpacked_size = kept->unpacked_size;
  co_return Done{};
}

Done SetLayers(const ControlParts& parts, FunctionConfig& config,
               const std::vector<std::string>& arns) {
  auto layers = ResolveLayers(parts.layers, arns, parts.place);
  if (!layers) return std::unexpected(std::move(layers.error()));
  config.layers = std::move(*layers);
  return {};
}

// AWS takes any zip, and fails when it is invoked: do as it does, but say so.
void WarnOfBootstrap(const ControlParts& parts, const FunctionConfig& config) {
  const auto in_code = package::CheckBootstrap(parts.store.code_folder(config.code_sha256));
  if (in_code || (in_code.error().code == ErrorCode::kNotFound && !config.layers.empty() &&
                  package::CheckBootstrap(parts.store.layers_folder(config.layers)))) {
    return;
  }
  parts.log.Write(LogLevel::kWarn, "service", "function {} will not start: {}", config.name,
                  in_code.error().message);
}

// Commits a record whose $LATEST was changed, and publishes it if that was asked for; gives what
// the caller is told of. The caller holds the change.
enum class Publish { kNo, kYes };
awaitable<std::expected<FunctionConfig, ApiError>> CommitLatest(ControlParts& parts,
                                                                FunctionRecord& record,
                                                                Publish publish) {
  if (auto fits = CheckUnpackedSize(record.latest); !fits) co_return std::unexpected(fits.error());
  record.latest.last_modified = FormatLastModified(parts.clock.WallNow());
  record.latest.revision_id = NewUuid(parts.random);
  FunctionConfig told = record.latest;
  if (publish == Publish::kYes)
    told = PublishLatest(record, parts.random, record.latest.description);
  const auto committed = co_await Commit(parts, record);
  if (!committed) co_return std::unexpected(committed.error());
  WarnOfBootstrap(parts, record.latest);
  // On AWS the function gets another one when it has become active, or its update is through.
  told.revision_id = NewUuid(parts.random);
  co_return told;
}

awaitable<http::Response> Create(ControlParts& parts, ApiCall call) {
  auto parsed = co_await Offload(
      parts.workers, [&] { return ParseCreate(call.request.body, parts.place, parts.host); });
  if (!parsed) co_return ErrorResponse(parsed.error());
  if (auto known = CheckRuntime(parts.runtimes, parsed->config.runtime); !known) {
    co_return ErrorResponse(known.error());
  }
  const std::string name = parsed->config.name;
  if (parts.registry.Find(name)) co_return ErrorResponse(Exists(name));
  const auto change = parts.registry.BeginChange(name);
  if (!change) co_return ErrorResponse(BeingChanged(parts, name));
  FunctionRecord record;
  record.latest = std::move(parsed->config);
  const auto layers = SetLayers(parts, record.latest, parsed->layers);
  if (!layers) co_return ErrorResponse(layers.error());
  const auto code = co_await SetCode(parts, record.latest, parsed->zip);
  if (!code) co_return ErrorResponse(code.error());
  const Publish publish = parsed->publish ? Publish::kYes : Publish::kNo;
  const auto told = co_await CommitLatest(parts, record, publish);
  if (!told) co_return ErrorResponse(told.error());
  // Without a qualifier, even when it tells of a version: as AWS does.
  co_return Describe(parts, 201, *told, Progress::kCreating);
}

// Every version of every function, in order, or each function's $LATEST only.
std::vector<const FunctionConfig*> Listed(const ControlParts& parts, const Route& route) {
  const bool all = route.InQuery("FunctionVersion") == "ALL";
  std::vector<const FunctionConfig*> configs;
  for (const auto& [name, record] : parts.registry.all()) {
    configs.push_back(&record->latest);
    if (!all) continue;
    for (const auto& [number, config] : record->versions) configs.push_back(&config);
  }
  return configs;
}

awaitable<http::Response> List(ControlParts& parts, ApiCall call) {
  const auto most = MaxItems(call.route);
  if (!most) co_return ErrorResponse(most.error());
  json::array functions;
  json::object body;
  const std::string_view versions = call.route.InQuery("FunctionVersion");
  if (!versions.empty() && versions != "ALL") {
    co_return ErrorResponse(
        ConstraintError(versions, "functionVersion", "Member must satisfy enum value set: [ALL]"));
  }
  const bool all = !versions.empty();
  const auto marker_of = [](const FunctionConfig& config) {
    return fmt::format("{}:{}", config.name, config.version);
  };
  const std::string_view marker = call.route.InQuery("Marker");
  const auto configs = Listed(parts, call.route);
  auto next = configs.begin();
  if (!marker.empty()) {
    next = std::ranges::find_if(configs, [&](auto* it) { return marker_of(*it) == marker; });
    if (next != configs.end()) ++next;
  }
  for (; next != configs.end() && functions.size() < *most; ++next) {
    const std::string_view qualifier = all ? std::string_view((*next)->version) : "";
    functions.push_back(ConfigurationJson(**next, parts.place, Progress::kUntold, qualifier));
  }
  if (next != configs.end()) body["NextMarker"] = marker_of(**std::prev(next));
  body["Functions"] = std::move(functions);
  co_return JsonResponse(200, json::serialize(body));
}

awaitable<http::Response> Get(ControlParts& parts, ApiCall call) {
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  json::object body;
  body["Configuration"] =
      ConfigurationJson(*target->config, parts.place, Progress::kDone, target->qualifier);
  body["Code"] = json::object{
      {"RepositoryType", "FileSystem"},
      {"Location", "file://" + parts.store.code_folder(target->config->code_sha256).native()}};
  if (const StringMap& tags = target->record->latest.tags; !tags.empty()) {
    json::object& told = body["Tags"].emplace_object();
    for (const auto& [key, value] : tags) told[key] = value;
  }
  if (const auto reserved = target->record->reserved_concurrency) {
    body["Concurrency"] = json::object{{"ReservedConcurrentExecutions", *reserved}};
  }
  co_return JsonResponse(200, json::serialize(body));
}

awaitable<http::Response> GetConfiguration(ControlParts& parts, ApiCall call) {
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  co_return Describe(parts, 200, *target->config, Progress::kDone, target->qualifier);
}

awaitable<http::Response> UpdateCode(ControlParts& parts, ApiCall call) {
  auto parsed =
      co_await Offload(parts.workers, [&] { return ParseCode(call.request.body, parts.host); });
  if (!parsed) co_return ErrorResponse(parsed.error());
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  FunctionRecord record = *target->record;
  FunctionConfig& config = record.latest;
  if (auto current = CheckRevision(parsed->revision_id, config.revision_id); !current) {
    co_return ErrorResponse(current.error());
  }
  const auto change = parts.registry.BeginChange(config.name);
  if (!change) co_return ErrorResponse(BeingChanged(parts, config.name));
  const auto code = co_await SetCode(parts, config, parsed->zip);
  if (!code) co_return ErrorResponse(code.error());
  if (!parsed->architecture.empty()) config.architecture = parsed->architecture;
  if (parsed->dry_run) co_return Describe(parts, 200, config, Progress::kDone);
  const Publish publish = parsed->publish ? Publish::kYes : Publish::kNo;
  const auto told = co_await CommitLatest(parts, record, publish);
  if (!told) co_return ErrorResponse(told.error());
  if (parsed->publish) co_return Describe(parts, 200, *told, Progress::kCreating, told->version);
  co_return Describe(parts, 200, *told, Progress::kUpdating);
}

awaitable<http::Response> UpdateConfiguration(ControlParts& parts, ApiCall call) {
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  FunctionRecord record = *target->record;
  auto parsed = ParseConfiguration(call.request.body, record.latest);
  if (!parsed) co_return ErrorResponse(parsed.error());
  if (auto known = CheckRuntime(parts.runtimes, parsed->config.runtime); !known) {
    co_return ErrorResponse(known.error());
  }
  if (auto current = CheckRevision(parsed->revision_id, record.latest.revision_id); !current) {
    co_return ErrorResponse(current.error());
  }
  record.latest = std::move(parsed->config);
  if (parsed->layers) {
    const auto layers = SetLayers(parts, record.latest, *parsed->layers);
    if (!layers) co_return ErrorResponse(layers.error());
  }
  const auto change = parts.registry.BeginChange(record.name());
  if (!change) co_return ErrorResponse(BeingChanged(parts, record.name()));
  const auto told = co_await CommitLatest(parts, record, Publish::kNo);
  if (!told) co_return ErrorResponse(told.error());
  co_return Describe(parts, 200, *told, Progress::kUpdating);
}

// Of one version that no alias needs.
awaitable<http::Response> DeleteVersion(ControlParts& parts, const Target& target) {
  if (target.alias != nullptr) {
    co_return ErrorResponse(ConstraintError(target.qualifier, "qualifier",
                                            "expected a version; delete aliases by DeleteAlias"));
  }
  const std::string name = target.record->name();
  const std::string version = target.version();
  const Edit edit = [&](FunctionRecord& record) -> Done {
    for (const auto& [alias_name, alias] : record.aliases) {
      if (alias.version != version && !alias.weights.contains(version)) continue;
      return std::unexpected(ApiError{
          ApiErrorKind::kResourceConflict,
          fmt::format("Unable to delete version because the following aliases reference it: [{}]",
                      alias_name)});
    }
    record.versions.erase(std::stoi(version));
    record.provisioned.erase(version);
    record.event_invoke.erase(version);
    record.policies.erase(version);
    record.update_runtime_on.erase(version);
    return {};
  };
  co_return co_await EditWithoutAnswer(parts, name, edit);
}

awaitable<http::Response> Delete(ControlParts& parts, ApiCall call) {
  const auto named = NameOf(parts.place, call.route);
  if (!named) co_return ErrorResponse(named.error());
  if (named->qualifier == "$LATEST") {
    co_return ErrorResponse(
        InvalidParameter("$LATEST version cannot be deleted without deleting the function."));
  }
  const std::string& name = named->name;
  const auto record = parts.registry.Find(name);
  if (!record) co_return ErrorResponse(FunctionNotFound(FunctionArn(parts.place, name)));
  if (!named->qualifier.empty()) {
    const auto target = FindTarget(record, named->qualifier);
    if (!target) co_return NoContent();
    co_return co_await DeleteVersion(parts, *target);
  }
  const auto change = parts.registry.BeginChange(name);
  if (!change) co_return ErrorResponse(BeingChanged(parts, name));
  const auto removed =
      co_await Offload(parts.workers, [&] { return parts.store.RemoveFunction(name); });
  if (!removed) co_return ErrorResponse(ServiceError(removed.error()));
  parts.registry.Remove(name);
  parts.scheduler.Remove(name);
  co_return NoContent();
}

}  // namespace

void AddFunctionCalls(Operations& operations, ControlParts& parts) {
  AddControlCall(operations, parts, "CreateFunction", Create);
  AddControlCall(operations, parts, "ListFunctions", List);
  AddControlCall(operations, parts, "GetFunction", Get);
  AddControlCall(operations, parts, "DeleteFunction", Delete);
  AddControlCall(operations, parts, "GetFunctionConfiguration", GetConfiguration);
  AddControlCall(operations, parts, "UpdateFunctionConfiguration", UpdateConfiguration);
  AddControlCall(operations, parts, "UpdateFunctionCode", UpdateCode);
}

}  // namespace kelvin::service
