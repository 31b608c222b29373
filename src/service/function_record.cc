#include "service/function_record.h"

#include <charconv>
#include <utility>

#include <boost/describe.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace kelvin::service {

BOOST_DESCRIBE_STRUCT(Alias, (), (name, version, description, revision_id, weights))
BOOST_DESCRIBE_STRUCT(ProvisionedConcurrency, (), (requested, last_modified))
BOOST_DESCRIBE_STRUCT(Cors, (),
                      (allow_credentials, allow_headers, allow_methods, allow_origins,
                       expose_headers, max_age))
BOOST_DESCRIBE_STRUCT(FunctionUrl, (), (id, auth_type, invoke_mode, cors, created, last_modified))
BOOST_DESCRIBE_STRUCT(EventInvokeConfig, (),
                      (retries, max_age_seconds, on_success, on_failure, last_modified_ms))

namespace {

namespace json = boost::json;

constexpr int kConfigurationOnly = 1;
constexpr int kStoredVersion = 2;

// The one list of what is stored beside configurations, for both directions.
enum class Since { kFirst, kLater };  // files of earlier versions lack it
template <typename Record, typename Visit>
void VisitSettings(Record& record, Visit&& visit) {
  using enum Since;
  visit("last_version", record.last_version, kFirst);
  visit("published_description", record.published_description, kFirst);
  visit("aliases", record.aliases, kFirst);
  visit("reserved_concurrency", record.reserved_concurrency, kFirst);
  visit("provisioned", record.provisioned, kFirst);
  visit("urls", record.urls, kFirst);
  visit("event_invoke", record.event_invoke, kFirst);
  visit("policies", record.policies, kFirst);
  visit("recursive_loop", record.recursive_loop, kLater);
  visit("update_runtime_on", record.update_runtime_on, kLater);
}

std::unexpected<Error> Corrupt(std::string_view why) {
  return std::unexpected(Error{ErrorCode::kCorrupt, std::string(why)});
}

std::expected<FunctionRecord, Error> ReadSettings(const json::object& object) {
  FunctionRecord record;
  std::string problem;
  VisitSettings(record, [&](std::string_view name, auto& into, Since since) {
    const json::value* value = object.if_contains(name);
    if (value == nullptr) {
      if (since == Since::kFirst && problem.empty()) problem = fmt::format("expected \"{}\"", name);
      return;
    }
    auto read = json::try_value_to<std::remove_reference_t<decltype(into)>>(*value);
    if (read) {
      into = std::move(*read);
    } else if (problem.empty()) {
      problem = fmt::format("\"{}\": {}", name, read.error().message());
    }
  });
  if (!problem.empty()) return Corrupt(problem);
  return record;
}

int NumberOf(std::string_view version) {
  int number = 0;
  const auto parsed = std::from_chars(version.data(), version.data() + version.size(), number);
  return parsed.ptr == version.data() + version.size() ? number : 0;
}

}  // namespace

const FunctionConfig* FindVersion(const FunctionRecord& record, std::string_view version) {
  if (version == "$LATEST") return &record.latest;
  const auto found = record.versions.find(NumberOf(version));
  return found == record.versions.end() ? nullptr : &found->second;
}

std::optional<Target> FindTarget(std::shared_ptr<const FunctionRecord> record,
                                 std::string_view qualifier) {
  Target target{.record = std::move(record), .qualifier = std::string(qualifier)};
  if (qualifier.empty()) {
    target.config = &target.record->latest;
    return target;
  }
  const auto alias = target.record->aliases.find(qualifier);
  if (alias != target.record->aliases.end()) {
    target.alias = &alias->second;
    qualifier = target.alias->version;
  }
  target.config = FindVersion(*target.record, qualifier);
  if (target.config == nullptr) return std::nullopt;
  return target;
}

std::string StoredJson(const FunctionRecord& record) {
  json::object object{{"version", kStoredVersion}, {"latest", StoredConfig(record.latest)}};
  json::array& versions = object["versions"].emplace_array();
  for (const auto& [number, config] : record.versions) versions.push_back(StoredConfig(config));
  VisitSettings(record, [&](std::string_view name, const auto& value, Since) {
    object[name] = json::value_from(value);
  });
  return json::serialize(object);
}

std::expected<FunctionRecord, Error> ReadStoredRecord(std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_object()) return Corrupt("expected a JSON object");
  const json::object& object = value.get_object();
  const json::value* version = object.if_contains("version");
  if (version != nullptr && *version == kConfigurationOnly) {
    auto config = ReadStoredConfig(value);
    if (!config) return std::unexpected(std::move(config.error()));
    FunctionRecord record;
    record.latest = std::move(*config);
    return record;
  }
  if (version == nullptr || *version != kStoredVersion) {
    return Corrupt(fmt::format("expected version {}, got {}", kStoredVersion,
                               version == nullptr ? "none" : json::serialize(*version)));
  }
  auto record = ReadSettings(object);
  if (!record) return record;
  const json::value* latest = object.if_contains("latest");
  const json::value* versions = object.if_contains("versions");
  if (latest == nullptr || versions == nullptr || !versions->is_array()) {
    return Corrupt("expected \"latest\" and an array \"versions\"");
  }
  auto config = ReadStoredConfig(*latest);
  if (!config) return std::unexpected(std::move(config.error()));
  record->latest = std::move(*config);
  for (const json::value& item : versions->get_array()) {
    auto published = ReadStoredConfig(item);
    if (!published) return std::unexpected(std::move(published.error()));
    const int number = NumberOf(published->version);
    if (number < 1) return Corrupt("expected versions with numbers");
    record->versions.emplace(number, std::move(*published));
  }
  return record;
}

}  // namespace kelvin::service
