#include "service/function_api.h"

#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/time_format.h"
#include "package/bootstrap.h"
#include "service/code_keeper.h"
#include "service/function_rules.h"
#include "service/offload.h"
#include "service/paging.h"

namespace kelvin::service {

namespace json = boost::json;
using boost::asio::awaitable;

namespace {

ApiError StaleRevision() {
  return {ApiErrorKind::kPreconditionFailed,
          "The Revision Id provided does not match the latest Revision Id. Call the "
          "GetFunction/GetAlias API to retrieve the latest Revision Id"};
}

ApiError Exists(std::string_view name) {
  return {ApiErrorKind::kResourceConflict, fmt::format("Function already exist: {}", name)};
}

}  // namespace

FunctionFolders FoldersOf(const FunctionStore& store, const FunctionConfig& config) {
  return {.code = store.code_folder(config.code_sha256),
          .layers = store.layers_folder(config.layers)};
}

FunctionApi::FunctionApi(const Parts& parts) : parts_(parts) {}

std::expected<FunctionApi::Config, ApiError> FunctionApi::FindFunction(const Route& route) const {
  auto named = ParseFunctionName(route.InPath("FunctionName"), parts_.place);
  if (!named) return std::unexpected(std::move(named.error()));
  const std::string_view asked = route.InQuery("Qualifier");
  const std::string_view qualifier = named->qualifier.empty() ? asked : named->qualifier;
  Config config = parts_.registry.Find(named->name);
  if (!config || (!qualifier.empty() && qualifier != "$LATEST")) {
    return std::unexpected(FunctionNotFound(FunctionArn(parts_.place, named->name, qualifier)));
  }
  return config;
}

http::Response FunctionApi::Describe(int status, const FunctionConfig& config,
                                     Progress progress) const {
  return JsonResponse(status, json::serialize(ConfigurationJson(config, parts_.place, progress)));
}

ApiError FunctionApi::BeingChanged(std::string_view name) const {
  return {ApiErrorKind::kResourceConflict,
          fmt::format("The operation cannot be performed at this time. An update is in progress "
                      "for resource: {}",
                      FunctionArn(parts_.place, name))};
}

void FunctionApi::AddTo(Operations& operations) {
  const auto add = [&](std::string_view name, auto member) {
    operations[name] = [this, member](ApiCall call) { return (this->*member)(std::move(call)); };
  };
  add("CreateFunction", &FunctionApi::Create);
  add("ListFunctions", &FunctionApi::List);
  add("GetFunction", &FunctionApi::Get);
  add("DeleteFunction", &FunctionApi::Delete);
  add("GetFunctionConfiguration", &FunctionApi::GetConfiguration);
  add("UpdateFunctionConfiguration", &FunctionApi::UpdateConfiguration);
  add("UpdateFunctionCode", &FunctionApi::UpdateCode);
}

awaitable<std::expected<void, ApiError>> FunctionApi::SetCode(FunctionConfig& config,
                                                              const std::string& zip) {
  const std::string of = "function " + config.name;
  const auto kept = co_await KeepCode(parts_.store, parts_.workers, parts_.log, of, zip);
  if (!kept) co_return std::unexpected(kept.error());
  config.code_sha256 = kept->sha256;
  config.code_size = kept->size;
  config.unpacked_size = kept->unpacked_size;
  co_return std::expected<void, ApiError>{};
}

std::expected<void, ApiError> FunctionApi::SetLayers(FunctionConfig& config,
                                                     const std::vector<std::string>& arns) const {
  auto layers = ResolveLayers(parts_.layers, arns, parts_.place);
  if (!layers) return std::unexpected(std::move(layers.error()));
  config.layers = std::move(*layers);
  return {};
}

// AWS takes any zip, and fails when it is invoked: do as it does, but say so.
void FunctionApi::WarnOfBootstrap(const FunctionConfig& config) const {
  const auto in_code = package::CheckBootstrap(parts_.store.code_folder(config.code_sha256));
  if (in_code || (in_code.error().code == ErrorCode::kNotFound && !config.layers.empty() &&
                  package::CheckBootstrap(parts_.store.layers_folder(config.layers)))) {
    return;
  }
  parts_.log.Write(LogLevel::kWarn, "service", "function {} will not start: {}", config.name,
                   in_code.error().message);
}

awaitable<std::expected<FunctionApi::Config, ApiError>> FunctionApi::Commit(FunctionConfig config) {
  if (auto fits = CheckUnpackedSize(config); !fits) co_return std::unexpected(fits.error());
  config.last_modified = FormatLastModified(parts_.clock.WallNow());
  config.revision_id = NewUuid(parts_.random);
  const auto shared = std::make_shared<const FunctionConfig>(std::move(config));
  const auto store = [&]() -> std::expected<void, Error> {
    if (auto unpacked = parts_.store.EnsureUnpacked(*shared); !unpacked) return unpacked;
    return parts_.store.PutFunction(*shared);
  };
  const auto stored = co_await Offload(parts_.workers, store);
  if (!stored) {
    parts_.log.Write(LogLevel::kError, "service", "function {} is not stored: {}", shared->name,
                     stored.error().message);
    co_return std::unexpected(ServiceError(stored.error()));
  }
  parts_.registry.Put(shared);
  WarnOfBootstrap(*shared);
  parts_.scheduler.Configure(shared, FoldersOf(parts_.store, *shared));
  co_return shared;
}

awaitable<http::Response> FunctionApi::Create(ApiCall call) {
  auto parsed = co_await Offload(
      parts_.workers, [&] { return ParseCreate(call.request.body, parts_.place, parts_.host); });
  if (!parsed) co_return ErrorResponse(parsed.error());
  const std::string name = parsed->config.name;
  if (parts_.registry.Find(name)) co_return ErrorResponse(Exists(name));
  const auto change = parts_.registry.BeginChange(name);
  if (!change) co_return ErrorResponse(BeingChanged(name));
  const auto layers = SetLayers(parsed->config, parsed->layers);
  if (!layers) co_return ErrorResponse(layers.error());
  const auto code = co_await SetCode(parsed->config, parsed->zip);
  if (!code) co_return ErrorResponse(code.error());
  const auto committed = co_await Commit(std::move(parsed->config));
  if (!committed) co_return ErrorResponse(committed.error());
  co_return Describe(201, **committed, Progress::kCreating);
}

awaitable<http::Response> FunctionApi::List(ApiCall call) {
  const auto most = MaxItems(call.route);
  if (!most) co_return ErrorResponse(most.error());
  json::array functions;
  const auto& all = parts_.registry.all();
  auto next = all.upper_bound(call.route.InQuery("Marker"));
  for (; next != all.end() && functions.size() < *most; ++next) {
    functions.push_back(ConfigurationJson(*next->second, parts_.place, Progress::kDone));
  }
  json::object body;
  if (next != all.end()) body["NextMarker"] = std::prev(next)->first;
  body["Functions"] = std::move(functions);
  co_return JsonResponse(200, json::serialize(body));
}

awaitable<http::Response> FunctionApi::Get(ApiCall call) {
  const auto config = FindFunction(call.route);
  if (!config) co_return ErrorResponse(config.error());
  json::object code;
  code["RepositoryType"] = "FileSystem";
  code["Location"] = "file://" + parts_.store.code_folder((*config)->code_sha256).native();
  json::object body;
  body["Configuration"] = ConfigurationJson(**config, parts_.place, Progress::kDone);
  body["Code"] = std::move(code);
  if (!(*config)->tags.empty()) {
    json::object& tags = body["Tags"].emplace_object();
    for (const auto& [key, value] : (*config)->tags) tags[key] = value;
  }
  co_return JsonResponse(200, json::serialize(body));
}

awaitable<http::Response> FunctionApi::GetConfiguration(ApiCall call) {
  const auto config = FindFunction(call.route);
  if (!config) co_return ErrorResponse(config.error());
  co_return Describe(200, **config, Progress::kDone);
}

awaitable<http::Response> FunctionApi::UpdateCode(ApiCall call) {
  auto parsed =
      co_await Offload(parts_.workers, [&] { return ParseCode(call.request.body, parts_.host); });
  if (!parsed) co_return ErrorResponse(parsed.error());
  const auto current = FindFunction(call.route);
  if (!current) co_return ErrorResponse(current.error());
  if (!parsed->revision_id.empty() && parsed->revision_id != (*current)->revision_id) {
    co_return ErrorResponse(StaleRevision());
  }
  FunctionConfig config = **current;
  const auto change = parts_.registry.BeginChange(config.name);
  if (!change) co_return ErrorResponse(BeingChanged(config.name));
  const auto code = co_await SetCode(config, parsed->zip);
  if (!code) co_return ErrorResponse(code.error());
  if (!parsed->architecture.empty()) config.architecture = parsed->architecture;
  if (parsed->dry_run) co_return Describe(200, config, Progress::kDone);
  const auto committed = co_await Commit(std::move(config));
  if (!committed) co_return ErrorResponse(committed.error());
  co_return Describe(200, **committed, Progress::kUpdating);
}

awaitable<http::Response> FunctionApi::UpdateConfiguration(ApiCall call) {
  const auto current = FindFunction(call.route);
  if (!current) co_return ErrorResponse(current.error());
  auto parsed = ParseConfiguration(call.request.body, **current);
  if (!parsed) co_return ErrorResponse(parsed.error());
  if (!parsed->revision_id.empty() && parsed->revision_id != (*current)->revision_id) {
    co_return ErrorResponse(StaleRevision());
  }
  if (parsed->layers) {
    const auto layers = SetLayers(parsed->config, *parsed->layers);
    if (!layers) co_return ErrorResponse(layers.error());
  }
  const auto change = parts_.registry.BeginChange((*current)->name);
  if (!change) co_return ErrorResponse(BeingChanged((*current)->name));
  const auto committed = co_await Commit(std::move(parsed->config));
  if (!committed) co_return ErrorResponse(committed.error());
  co_return Describe(200, **committed, Progress::kUpdating);
}

awaitable<http::Response> FunctionApi::Delete(ApiCall call) {
  const auto current = FindFunction(call.route);
  if (!current) co_return ErrorResponse(current.error());
  const std::string name = (*current)->name;
  const auto change = parts_.registry.BeginChange(name);
  if (!change) co_return ErrorResponse(BeingChanged(name));
  const auto removed =
      co_await Offload(parts_.workers, [&] { return parts_.store.RemoveFunction(name); });
  if (!removed) co_return ErrorResponse(ServiceError(removed.error()));
  parts_.registry.Remove(name);
  parts_.scheduler.Remove(name);
  http::Response response;
  response.status = 204;
  co_return response;
}

}  // namespace kelvin::service
