#include "service/router.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/encoding.h"

namespace kelvin::service {
namespace {

struct Row {
  std::string_view operation;
  std::string_view method;
  std::string_view path;        // {Name} stands for one segment
  std::string_view query = {};  // "name=value" that must be there
};

// More particular rows come before those that would take their requests too.
constexpr Row kRows[] = {
    {"CreateFunction", "POST", "/2015-03-31/functions"},
    {"ListFunctions", "GET", "/2015-03-31/functions"},
    {"GetFunction", "GET", "/2015-03-31/functions/{FunctionName}"},
    {"DeleteFunction", "DELETE", "/2015-03-31/functions/{FunctionName}"},
    {"GetFunctionConfiguration", "GET", "/2015-03-31/functions/{FunctionName}/configuration"},
    {"UpdateFunctionConfiguration", "PUT", "/2015-03-31/functions/{FunctionName}/configuration"},
    {"UpdateFunctionCode", "PUT", "/2015-03-31/functions/{FunctionName}/code"},
    {"Invoke", "POST", "/2015-03-31/functions/{FunctionName}/invocations"},
    {"InvokeAsync", "POST", "/2014-11-13/functions/{FunctionName}/invoke-async"},
    {"InvokeWithResponseStream", "POST",
     "/2021-11-15/functions/{FunctionName}/response-streaming-invocations"},

    {"PublishVersion", "POST", "/2015-03-31/functions/{FunctionName}/versions"},
    {"ListVersionsByFunction", "GET", "/2015-03-31/functions/{FunctionName}/versions"},
    {"CreateAlias", "POST", "/2015-03-31/functions/{FunctionName}/aliases"},
    {"ListAliases", "GET", "/2015-03-31/functions/{FunctionName}/aliases"},
    {"GetAlias", "GET", "/2015-03-31/functions/{FunctionName}/aliases/{Name}"},
    {"UpdateAlias", "PUT", "/2015-03-31/functions/{FunctionName}/aliases/{Name}"},
    {"DeleteAlias", "DELETE", "/2015-03-31/functions/{FunctionName}/aliases/{Name}"},

    {"PutFunctionConcurrency", "PUT", "/2017-10-31/functions/{FunctionName}/concurrency"},
    {"DeleteFunctionConcurrency", "DELETE", "/2017-10-31/functions/{FunctionName}/concurrency"},
    {"GetFunctionConcurrency", "GET", "/2019-09-30/functions/{FunctionName}/concurrency"},
    {"PutProvisionedConcurrencyConfig", "PUT",
     "/2019-09-30/functions/{FunctionName}/provisioned-concurrency"},
    {"ListProvisionedConcurrencyConfigs", "GET",
     "/2019-09-30/functions/{FunctionName}/provisioned-concurrency", "List=ALL"},
    {"GetProvisionedConcurrencyConfig", "GET",
     "/2019-09-30/functions/{FunctionName}/provisioned-concurrency"},
    {"DeleteProvisionedConcurrencyConfig", "DELETE",
     "/2019-09-30/functions/{FunctionName}/provisioned-concurrency"},

    {"CreateFunctionUrlConfig", "POST", "/2021-10-31/functions/{FunctionName}/url"},
    {"GetFunctionUrlConfig", "GET", "/2021-10-31/functions/{FunctionName}/url"},
    {"UpdateFunctionUrlConfig", "PUT", "/2021-10-31/functions/{FunctionName}/url"},
    {"DeleteFunctionUrlConfig", "DELETE", "/2021-10-31/functions/{FunctionName}/url"},
    {"ListFunctionUrlConfigs", "GET", "/2021-10-31/functions/{FunctionName}/urls"},

    {"PutFunctionEventInvokeConfig", "PUT",
     "/2019-09-25/functions/{FunctionName}/event-invoke-config"},
    {"UpdateFunctionEventInvokeConfig", "POST",
     "/2019-09-25/functions/{FunctionName}/event-invoke-config"},
    {"GetFunctionEventInvokeConfig", "GET",
     "/2019-09-25/functions/{FunctionName}/event-invoke-config"},
    {"DeleteFunctionEventInvokeConfig", "DELETE",
     "/2019-09-25/functions/{FunctionName}/event-invoke-config"},
    {"ListFunctionEventInvokeConfigs", "GET",
     "/2019-09-25/functions/{FunctionName}/event-invoke-config/list"},

    {"ListTags", "GET", "/2017-03-31/tags/{Resource}"},
    {"TagResource", "POST", "/2017-03-31/tags/{Resource}"},
    {"UntagResource", "DELETE", "/2017-03-31/tags/{Resource}"},
    {"AddPermission", "POST", "/2015-03-31/functions/{FunctionName}/policy"},
    {"GetPolicy", "GET", "/2015-03-31/functions/{FunctionName}/policy"},
    {"RemovePermission", "DELETE", "/2015-03-31/functions/{FunctionName}/policy/{StatementId}"},

    {"GetAccountSettings", "GET", "/2016-08-19/account-settings"},
    {"GetFunctionCodeSigningConfig", "GET",
     "/2020-06-30/functions/{FunctionName}/code-signing-config"},
    {"PutFunctionCodeSigningConfig", "PUT",
     "/2020-06-30/functions/{FunctionName}/code-signing-config"},
    {"DeleteFunctionCodeSigningConfig", "DELETE",
     "/2020-06-30/functions/{FunctionName}/code-signing-config"},
    {"GetRuntimeManagementConfig", "GET",
     "/2021-07-20/functions/{FunctionName}/runtime-management-config"},
    {"PutRuntimeManagementConfig", "PUT",
     "/2021-07-20/functions/{FunctionName}/runtime-management-config"},
    {"GetFunctionRecursionConfig", "GET", "/2024-08-31/functions/{FunctionName}/recursion-config"},
    {"PutFunctionRecursionConfig", "PUT", "/2024-08-31/functions/{FunctionName}/recursion-config"},
    {"ListEventSourceMappings", "GET", "/2015-03-31/event-source-mappings"},
    {"CreateEventSourceMapping", "POST", "/2015-03-31/event-source-mappings"},
    {"GetEventSourceMapping", "GET", "/2015-03-31/event-source-mappings/{UUID}"},
    {"UpdateEventSourceMapping", "PUT", "/2015-03-31/event-source-mappings/{UUID}"},
    {"DeleteEventSourceMapping", "DELETE", "/2015-03-31/event-source-mappings/{UUID}"},
    {"CreateCodeSigningConfig", "POST", "/2020-04-22/code-signing-configs"},
    {"ListCodeSigningConfigs", "GET", "/2020-04-22/code-signing-configs"},

    {"GetLayerVersionByArn", "GET", "/2018-10-31/layers", "find=LayerVersion"},
    {"ListLayers", "GET", "/2018-10-31/layers"},
    {"PublishLayerVersion", "POST", "/2018-10-31/layers/{LayerName}/versions"},
    {"ListLayerVersions", "GET", "/2018-10-31/layers/{LayerName}/versions"},
    {"GetLayerVersion", "GET", "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}"},
    {"DeleteLayerVersion", "DELETE", "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}"},
    {"AddLayerVersionPermission", "POST",
     "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy"},
    {"GetLayerVersionPolicy", "GET",
     "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy"},
    {"RemoveLayerVersionPermission", "DELETE",
     "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy/{StatementId}"},
};

using Query = std::multimap<std::string, std::string, std::less<>>;

std::optional<Query> ParseQuery(std::string_view query) {
  Query fields;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto field = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto equals = std::min(field.find('='), field.size());
    auto name = PercentDecode(field.substr(0, equals));
    auto value = PercentDecode(field.substr(std::min(equals + 1, field.size())));
    if (!name || !value) return std::nullopt;
    fields.emplace(std::move(*name), std::move(*value));
  }
  return fields;
}

// The text up to the next '/', which goes from `path` together with it.
std::string_view TakeSegment(std::string_view& path) {
  const auto slash = std::min(path.find('/'), path.size());
  const auto segment = path.substr(0, slash);
  path.remove_prefix(std::min(slash + 1, path.size()));
  return segment;
}

bool IsPlaceholder(std::string_view segment) {
  return segment.starts_with('{');
}

// Both without their leading '/'.
bool Matches(std::string_view pattern, std::string_view path) {
  while (!pattern.empty() && !path.empty()) {
    const auto expected = TakeSegment(pattern);
    const auto given = TakeSegment(path);
    if (IsPlaceholder(expected) ? given.empty() : given != expected) return false;
  }
  return pattern.empty() && path.empty();
}

bool Matches(const Row& row, std::string_view method, std::string_view path, const Query& query) {
  if (row.method != method || !Matches(row.path.substr(1), path)) return false;
  if (row.query.empty()) return true;
  const auto equals = row.query.find('=');
  const auto given = query.find(row.query.substr(0, equals));
  return given != query.end() && given->second == row.query.substr(equals + 1);
}

std::optional<StringMap> PlaceholdersOf(std::string_view pattern, std::string_view path) {
  StringMap values;
  while (!pattern.empty()) {
    const auto name = TakeSegment(pattern);
    const auto given = TakeSegment(path);
    if (!IsPlaceholder(name)) continue;
    auto value = PercentDecode(given);
    if (!value) return std::nullopt;
    values.emplace(name.substr(1, name.size() - 2), std::move(*value));
  }
  return values;
}

template <typename Map>
std::string_view ValueOf(const Map& map, std::string_view name) {
  const auto found = map.lower_bound(name);
  if (found == map.end() || found->first != name) return {};
  return found->second;
}

}  // namespace

std::string_view Route::InPath(std::string_view name) const {
  return ValueOf(path, name);
}

std::string_view Route::InQuery(std::string_view name) const {
  return ValueOf(query, name);
}

std::optional<Route> FindRoute(std::string_view method, std::string_view target) {
  const auto mark = std::min(target.find('?'), target.size());
  std::string_view path = target.substr(0, mark);
  auto query = ParseQuery(target.substr(std::min(mark + 1, target.size())));
  if (!query || !path.starts_with('/')) return std::nullopt;
  path.remove_prefix(1);
  if (path.ends_with('/')) path.remove_suffix(1);
  const auto row =
      std::ranges::find_if(kRows, [&](const Row& it) { return Matches(it, method, path, *query); });
  if (row == std::end(kRows)) return std::nullopt;
  auto placeholders = PlaceholdersOf(row->path.substr(1), path);
  if (!placeholders) return std::nullopt;
  return Route{row->operation, std::move(*placeholders), std::move(*query)};
}

}  // namespace kelvin::service
