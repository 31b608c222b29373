#include "service/function_api.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/time_format.h"
#include "package/bootstrap.h"
#include "service/function_rules.h"
#include "service/offload.h"

namespace kelvin::service {

namespace json = boost::json;
using boost::asio::awaitable;

namespace {

constexpr std::size_t kMostListed = 50;  // as AWS, whatever MaxItems says

std::string_view QueryField(const Route& route, std::string_view name) {
  const auto found = route.query.find(name);
  return found == route.query.end() ? std::string_view{} : std::string_view(found->second);
}

// From 1 to kMostListed.
std::expected<std::size_t, ApiError> MaxItems(const Route& route) {
  const std::string_view text = QueryField(route, "MaxItems");
  if (text.empty()) return kMostListed;
  int number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || number < 1) {
    return std::unexpected(
        ConstraintError(text, "maxItems", "Member must have value greater than or equal to 1"));
  }
  return std::min(static_cast<std::size_t>(number), kMostListed);
}

// What the operating system says reads "cannot ..." (ErrnoError); the rest is about the zip.
bool IsFromSystem(const Error& error) {
  return error.message.starts_with("cannot ");
}

ApiError CodeError(const Error& error) {
  if (IsFromSystem(error)) return ServiceError(error);
  if (error.code == ErrorCode::kResourceExhausted) {
    return InvalidParameter("Unzipped size must be smaller than 262144000 bytes");
  }
  if (error.code != ErrorCode::kInvalidArgument) return ServiceError(error);
  return InvalidParameter(
      "Could not unzip uploaded file. Please check your file, then try to upload again.");
}

ApiError StaleRevision() {
  return {ApiErrorKind::kPreconditionFailed,
          "The Revision Id provided does not match the latest Revision Id. Call the "
          "GetFunction/GetAlias API to retrieve the latest Revision Id"};
}

ApiError Exists(std::string_view name) {
  return {ApiErrorKind::kResourceConflict, fmt::format("Function already exist: {}", name)};
}

}  // namespace

FunctionApi::FunctionApi(const Parts& parts) : parts_(parts) {}

std::expected<FunctionApi::Config, ApiError> FunctionApi::FindFunction(const Route& route) const {
  auto named = ParseFunctionName(route.function, parts_.place);
  if (!named) return std::unexpected(std::move(named.error()));
  const std::string_view asked = QueryField(route, "Qualifier");
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

awaitable<std::expected<StoredCode, ApiError>> FunctionApi::KeepCode(const std::string& name,
                                                                     const std::string& zip) {
  auto kept = co_await Offload(parts_.workers, [&] { return parts_.store.PutCode(zip); });
  if (!kept) {
    parts_.log.Write(LogLevel::kWarn, "service", "the package of function {} is refused: {}", name,
                     kept.error().message);
    co_return std::unexpected(CodeError(kept.error()));
  }
  // AWS takes any zip, and fails when it is invoked: do as it does, but say so.
  const auto bootstrap = package::CheckBootstrap(parts_.store.code_folder(kept->sha256));
  if (!bootstrap) {
    parts_.log.Write(LogLevel::kWarn, "service", "function {} will not start: {}", name,
                     bootstrap.error().message);
  }
  co_return *kept;
}

awaitable<std::expected<FunctionApi::Config, ApiError>> FunctionApi::Commit(FunctionConfig config) {
  config.last_modified = FormatLastModified(parts_.clock.WallNow());
  config.revision_id = NewUuid(parts_.random);
  const auto shared = std::make_shared<const FunctionConfig>(std::move(config));
  const auto stored =
      co_await Offload(parts_.workers, [&] { return parts_.store.PutFunction(*shared); });
  if (!stored) {
    parts_.log.Write(LogLevel::kError, "service", "function {} is not stored: {}", shared->name,
                     stored.error().message);
    co_return std::unexpected(ServiceError(stored.error()));
  }
  parts_.registry.Put(shared);
  parts_.scheduler.Configure(shared, parts_.store.code_folder(shared->code_sha256));
  co_return shared;
}

awaitable<http::Response> FunctionApi::Create(Route, http::Request request) {
  auto parsed = co_await Offload(
      parts_.workers, [&] { return ParseCreate(request.body, parts_.place, parts_.host); });
  if (!parsed) co_return ErrorResponse(parsed.error());
  const std::string name = parsed->config.name;
  if (parts_.registry.Find(name)) co_return ErrorResponse(Exists(name));
  const auto change = parts_.registry.BeginChange(name);
  if (!change) co_return ErrorResponse(BeingChanged(name));
  const auto code = co_await KeepCode(name, parsed->zip);
  if (!code) co_return ErrorResponse(code.error());
  parsed->config.code_sha256 = code->sha256;
  parsed->config.code_size = code->size;
  const auto committed = co_await Commit(std::move(parsed->config));
  if (!committed) co_return ErrorResponse(committed.error());
  co_return Describe(201, **committed, Progress::kCreating);
}

awaitable<http::Response> FunctionApi::List(Route route, http::Request) {
  const auto most = MaxItems(route);
  if (!most) co_return ErrorResponse(most.error());
  json::array functions;
  const auto& all = parts_.registry.all();
  auto next = all.upper_bound(QueryField(route, "Marker"));
  for (; next != all.end() && functions.size() < *most; ++next) {
    functions.push_back(ConfigurationJson(*next->second, parts_.place, Progress::kDone));
  }
  json::object body;
  if (next != all.end()) body["NextMarker"] = std::prev(next)->first;
  body["Functions"] = std::move(functions);
  co_return JsonResponse(200, json::serialize(body));
}

awaitable<http::Response> FunctionApi::Get(Route route, http::Request) {
  const auto config = FindFunction(route);
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

awaitable<http::Response> FunctionApi::GetConfiguration(Route route, http::Request) {
  const auto config = FindFunction(route);
  if (!config) co_return ErrorResponse(config.error());
  co_return Describe(200, **config, Progress::kDone);
}

awaitable<http::Response> FunctionApi::UpdateCode(Route route, http::Request request) {
  auto parsed =
      co_await Offload(parts_.workers, [&] { return ParseCode(request.body, parts_.host); });
  if (!parsed) co_return ErrorResponse(parsed.error());
  const auto current = FindFunction(route);
  if (!current) co_return ErrorResponse(current.error());
  if (!parsed->revision_id.empty() && parsed->revision_id != (*current)->revision_id) {
    co_return ErrorResponse(StaleRevision());
  }
  FunctionConfig config = **current;
  const auto change = parts_.registry.BeginChange(config.name);
  if (!change) co_return ErrorResponse(BeingChanged(config.name));
  const auto code = co_await KeepCode(config.name, parsed->zip);
  if (!code) co_return ErrorResponse(code.error());
  config.code_sha256 = code->sha256;
  config.code_size = code->size;
  if (!parsed->architecture.empty()) config.architecture = parsed->architecture;
  if (parsed->dry_run) co_return Describe(200, config, Progress::kDone);
  const auto committed = co_await Commit(std::move(config));
  if (!committed) co_return ErrorResponse(committed.error());
  co_return Describe(200, **committed, Progress::kUpdating);
}

awaitable<http::Response> FunctionApi::UpdateConfiguration(Route route, http::Request request) {
  const auto current = FindFunction(route);
  if (!current) co_return ErrorResponse(current.error());
  auto parsed = ParseConfiguration(request.body, **current);
  if (!parsed) co_return ErrorResponse(parsed.error());
  if (!parsed->revision_id.empty() && parsed->revision_id != (*current)->revision_id) {
    co_return ErrorResponse(StaleRevision());
  }
  const auto change = parts_.registry.BeginChange((*current)->name);
  if (!change) co_return ErrorResponse(BeingChanged((*current)->name));
  const auto committed = co_await Commit(std::move(parsed->config));
  if (!committed) co_return ErrorResponse(committed.error());
  co_return Describe(200, **committed, Progress::kUpdating);
}

awaitable<http::Response> FunctionApi::Delete(Route route, http::Request) {
  const auto current = FindFunction(route);
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
