#include "service/version_api.h"

#include <charconv>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "service/function_rules.h"
#include "service/paging.h"
#include "service/publish.h"
#include "service/request_body.h"

namespace kelvin::service {

namespace json = boost::json;
using boost::asio::awaitable;

namespace {

// Whether a version is what $LATEST would be published as.
bool IsSame(const FunctionConfig& version, const FunctionConfig& latest) {
  FunctionConfig same = latest;
  same.version = version.version;
  same.description = version.description;
  same.revision_id = version.revision_id;
  same.last_modified = version.last_modified;
  same.tags = version.tags;
  return same == version;
}

awaitable<http::Response> PublishVersion(ControlParts& parts, ApiCall call) {
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  json::object body;
  if (!call.request.body.empty()) {
    auto parsed = ParseBody(call.request.body);
    if (!parsed) co_return ErrorResponse(parsed.error());
    body = std::move(*parsed);
  }
  FunctionConfig published;
  const Edit edit = [&](FunctionRecord& record) -> std::expected<void, ApiError> {
    const std::string revision = OptionalText(body, "RevisionId");
    if (auto current = CheckRevision(revision, record.latest.revision_id); !current) return current;
    const std::string sha256 = OptionalText(body, "CodeSha256");
    if (!sha256.empty() && sha256 != record.latest.code_sha256) {
      return std::unexpected(InvalidParameter(fmt::format(
          "CodeSHA256 ({}) is different from current CodeSHA256 in $LATEST ({}). Please try again "
          "with the CodeSHA256 in $LATEST.",
          sha256, record.latest.code_sha256)));
    }
    published = PublishLatest(record, parts.random, OptionalText(body, "Description"));
    return {};
  };
  const std::string name = target->record->name();
  const auto edited = co_await EditFunction(parts, name, edit);
  if (!edited) co_return ErrorResponse(edited.error());
  const auto told = ConfigurationJson(published, parts.place, Progress::kDone, published.version);
  co_return JsonResponse(201, json::serialize(told));
}

awaitable<http::Response> ListVersions(ControlParts& parts, ApiCall call) {
  const auto most = MaxItems(call.route);
  if (!most) co_return ErrorResponse(most.error());
  const auto target = TargetOf(parts, call.route);
  if (!target) co_return ErrorResponse(target.error());
  json::array versions;
  json::object body;
  const auto add = [&](const FunctionConfig& config) {
    versions.push_back(ConfigurationJson(config, parts.place, Progress::kUntold, config.version));
  };
  const std::string_view marker = call.route.InQuery("Marker");
  if (marker.empty()) add(target->record->latest);
  const auto& published = target->record->versions;
  int after = 0;
  std::from_chars(marker.data(), marker.data() + marker.size(), after);
  auto next = published.upper_bound(after);
  for (; next != published.end() && versions.size() < *most; ++next) add(next->second);
  if (next != published.end()) body["NextMarker"] = std::to_string(std::prev(next)->first);
  // With room for $LATEST only, the next page begins with the first version.
  if (next == published.begin() && next != published.end()) body["NextMarker"] = "0";
  body["Versions"] = std::move(versions);
  co_return JsonResponse(200, json::serialize(body));
}

}  // namespace

FunctionConfig PublishLatest(FunctionRecord& record, Random& random,
                             const std::string& description) {
  const auto last = record.versions.find(record.last_version);
  if (last != record.versions.end() && IsSame(last->second, record.latest) &&
      record.published_description == record.latest.description) {
    return last->second;
  }
  record.published_description = record.latest.description;
  FunctionConfig version = record.latest;
  const int number = ++record.last_version;
  version.version = std::to_string(number);
  if (!description.empty()) version.description = description;
  version.revision_id = NewUuid(random);
  record.versions[number] = version;
  record.latest.revision_id = NewUuid(random);
  return version;
}

void AddVersionCalls(Operations& operations, ControlParts& parts) {
  AddControlCall(operations, parts, "PublishVersion", PublishVersion);
  AddControlCall(operations, parts, "ListVersionsByFunction", ListVersions);
}

}  // namespace kelvin::service
