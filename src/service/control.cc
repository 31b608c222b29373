#include "service/control.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "service/function_rules.h"
#include "service/offload.h"

namespace kelvin::service {

using boost::asio::awaitable;

namespace {

// Tags are no business of environments, nor is what changes with them.
bool IsRunAsBefore(const FunctionConfig& before, const FunctionConfig& after) {
  FunctionConfig same = before;
  same.tags = after.tags;
  same.revision_id = after.revision_id;
  return same == after;
}

std::expected<void, ApiError> CheckQualifier(std::string_view qualifier) {
  const bool valid = std::ranges::all_of(qualifier, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '$' || c == '_' || c == '-';
  });
  if (valid) return {};
  return std::unexpected(
      ConstraintError(qualifier, "qualifier",
                      "Member must satisfy regular expression pattern: (|[a-zA-Z0-9$_-]+)"));
}

// How many environments each version is to have ahead.
ByName<int> ProvisionedByVersion(const FunctionRecord& record) {
  ByName<int> wanted;
  for (const auto& [qualifier, provisioned] : record.provisioned) {
    const auto alias = record.aliases.find(qualifier);
    const std::string& version = alias == record.aliases.end() ? qualifier : alias->second.version;
    wanted[version] = std::max(wanted[version], provisioned.requested);
  }
  return wanted;
}

void ConfigureVersion(Scheduler& scheduler, const FunctionStore& store,
                      const FunctionConfig* before, const FunctionConfig& after) {
  if (before != nullptr && IsRunAsBefore(*before, after)) return;
  scheduler.Configure(std::make_shared<const FunctionConfig>(after), FoldersOf(store, after));
}

}  // namespace

void AddControlCall(Operations& operations, ControlParts& parts, std::string_view name,
                    ControlCall call) {
  operations[name] =
      WholeAnswer([&parts, call](ApiCall asked) { return call(parts, std::move(asked)); });
}

ApiError NoFunction(const Place& place, const FunctionName& named) {
  return FunctionNotFound(FunctionArn(place, named.name, named.qualifier));
}

ApiError NoAliasOrVersion(const Place& place, const FunctionName& named) {
  const bool is_alias = named.qualifier.find_first_not_of("0123456789") != std::string::npos &&
                        !named.qualifier.contains('$');
  if (!is_alias) return NoFunction(place, named);
  return {ApiErrorKind::kResourceNotFound,
          "Cannot find alias arn: " + FunctionArn(place, named.name, named.qualifier)};
}

std::expected<FunctionName, ApiError> NameOf(const Place& place, const Route& route) {
  const std::string_view asked = route.InQuery("Qualifier");
  if (auto checked = CheckQualifier(asked); !checked) return std::unexpected(checked.error());
  auto named = ParseFunctionName(route.InPath("FunctionName"), place);
  if (!named || asked.empty()) return named;
  if (!named->qualifier.empty() && named->qualifier != asked) {
    return std::unexpected(InvalidParameter(
        "The derived qualifier from the function name does not match the specified qualifier."));
  }
  named->qualifier = asked;
  return named;
}

std::expected<Target, ApiError> TargetOf(const FunctionRegistry& registry, const Place& place,
                                         const Route& route, NotThere not_there) {
  const auto named = NameOf(place, route);
  if (!named) return std::unexpected(named.error());
  auto record = registry.Find(named->name);
  auto target = record ? FindTarget(std::move(record), named->qualifier) : std::nullopt;
  if (!target) return std::unexpected(not_there(place, *named));
  return std::move(*target);
}

std::expected<Target, ApiError> TargetOf(const ControlParts& parts, const Route& route,
                                         NotThere not_there) {
  return TargetOf(parts.registry, parts.place, route, not_there);
}

std::expected<Target, ApiError> FunctionOf(const ControlParts& parts, const Route& route,
                                           NotThere not_there) {
  const auto named = NameOf(parts.place, route);
  if (!named) return std::unexpected(named.error());
  if (!named->qualifier.empty()) {
    return std::unexpected(InvalidParameter(
        "This operation is permitted on Lambda functions only. Aliases and versions do not support "
        "this operation. Please specify either a function name or an unqualified function ARN."));
  }
  return TargetOf(parts, route, not_there);
}

FunctionFolders FoldersOf(const FunctionStore& store, const FunctionConfig& config) {
  return {.code = store.code_folder(config.code_sha256),
          .layers = store.layers_folder(config.layers)};
}

void Schedule(Scheduler& scheduler, const FunctionStore& store, const FunctionRecord* before,
              const FunctionRecord& after) {
  ConfigureVersion(scheduler, store, before == nullptr ? nullptr : &before->latest, after.latest);
  for (const auto& [number, config] : after.versions) {
    const bool known = before != nullptr && before->versions.contains(number);
    ConfigureVersion(scheduler, store, known ? &before->versions.at(number) : nullptr, config);
  }
  if (before != nullptr) {
    for (const auto& [number, config] : before->versions) {
      if (!after.versions.contains(number)) scheduler.Remove(after.name(), config.version);
    }
  }
  scheduler.SetReserved(after.name(), after.reserved_concurrency);
  scheduler.SetProvisioned(after.name(), ProvisionedByVersion(after));
}

awaitable<std::expected<FunctionRegistry::Record, ApiError>> Commit(ControlParts& parts,
                                                                    const FunctionRecord& record) {
  const auto shared = std::make_shared<const FunctionRecord>(record);
  const auto store = [&]() -> std::expected<void, Error> {
    if (auto unpacked = parts.store.EnsureUnpacked(shared->latest); !unpacked) return unpacked;
    return parts.store.PutFunction(*shared);
  };
  const auto stored = co_await Offload(parts.workers, store);
  if (!stored) {
    parts.log.Write(LogLevel::kError, "service", "function {} is not stored: {}", shared->name(),
                    stored.error().message);
    co_return std::unexpected(ServiceError(stored.error()));
  }
  const auto before = parts.registry.Find(shared->name());
  parts.registry.Put(shared);
  Schedule(parts.scheduler, parts.store, before.get(), *shared);
  co_return shared;
}

awaitable<std::expected<FunctionRegistry::Record, ApiError>> EditFunction(ControlParts& parts,
                                                                          const std::string& name,
                                                                          const Edit& edit) {
  const auto change = co_await parts.registry.AwaitChange(name);
  const auto current = parts.registry.Find(name);
  if (!current) {
    co_return std::unexpected(FunctionNotFound(FunctionArn(parts.place, name)));
  }
  FunctionRecord record = *current;
  auto edited = edit(record);
  if (!edited) co_return std::unexpected(std::move(edited.error()));
  co_return co_await Commit(parts, record);
}

awaitable<http::Response> EditWithoutAnswer(ControlParts& parts, const std::string& name,
                                            const Edit& edit) {
  const auto edited = co_await EditFunction(parts, name, edit);
  if (!edited) co_return ErrorResponse(edited.error());
  co_return NoContent();
}

std::expected<void, ApiError> CheckRevision(std::string_view given, std::string_view current) {
  if (given.empty() || given == current) return {};
  return std::unexpected(
      ApiError{ApiErrorKind::kPreconditionFailed,
               "The Revision Id provided does not match the latest Revision Id. Call the "
               "GetFunction/GetAlias API to retrieve the latest Revision Id"});
}

ApiError NoSuchResource() {
  return {ApiErrorKind::kResourceNotFound, "The resource you requested does not exist."};
}

http::Response NoContent() {
  http::Response response;
  response.status = 204;
  return response;
}

}  // namespace kelvin::service
