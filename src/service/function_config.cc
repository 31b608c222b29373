#include "service/function_config.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace kelvin::service {
namespace {

namespace json = boost::json;

constexpr int kStoredVersion = 1;

json::object MapJson(const StringMap& map) {
  json::object object;
  for (const auto& [key, value] : map) object[key] = value;
  return object;
}

json::object LoggingJson(const FunctionConfig& config) {
  json::object logging{{"LogFormat", config.log_format == LogFormat::kJson ? "JSON" : "Text"},
                       {"LogGroup", config.log_group}};
  if (config.log_format == LogFormat::kJson) {
    logging["ApplicationLogLevel"] = config.application_log_level;
    logging["SystemLogLevel"] = config.system_log_level;
  }
  return logging;
}

// Reads fields by name, and remembers the first one that is missing or of another kind.
class FieldReader {
 public:
  explicit FieldReader(const json::object& object) : object_(object) {}

  void Read(std::string_view name, std::string& into) {
    const json::value* value = object_.if_contains(name);
    if (value == nullptr || !value->is_string()) return Missing(name, "text");
    into.assign(value->get_string().data(), value->get_string().size());
  }
  template <typename Integer>
    requires std::is_integral_v<Integer>
  void Read(std::string_view name, Integer& into) {
    const json::value* value = object_.if_contains(name);
    boost::system::error_code error;
    if (value != nullptr) into = value->to_number<Integer>(error);
    if (value == nullptr || error) Missing(name, "a number");
  }
  void Read(std::string_view name, StringMap& into) {
    const json::value* value = object_.if_contains(name);
    if (value == nullptr || !value->is_object()) return Missing(name, "an object");
    for (const auto& [key, text] : value->get_object()) {
      if (!text.is_string()) return Missing(name, "an object of text");
      into.emplace(std::string(key), std::string(text.get_string()));
    }
  }
  const std::string& problem() const { return problem_; }

 private:
  void Missing(std::string_view name, std::string_view kind) {
    if (problem_.empty()) problem_ = fmt::format("expected {} as \"{}\"", kind, name);
  }

  const json::object& object_;
  std::string problem_;
};

// The one list of what is stored, for both directions.
template <typename Config, typename Visit>
void VisitStored(Config& config, Visit&& visit) {
  visit("name", config.name);
  visit("runtime", config.runtime);
  visit("role", config.role);
  visit("handler", config.handler);
  visit("description", config.description);
  visit("timeout_seconds", config.timeout_seconds);
  visit("memory_mb", config.memory_mb);
  visit("tmp_mb", config.tmp_mb);
  visit("architecture", config.architecture);
  visit("environment", config.environment);
  visit("tags", config.tags);
  visit("application_log_level", config.application_log_level);
  visit("system_log_level", config.system_log_level);
  visit("log_group", config.log_group);
  visit("tracing_mode", config.tracing_mode);
  visit("code_sha256", config.code_sha256);
  visit("code_size", config.code_size);
  visit("last_modified", config.last_modified);
  visit("revision_id", config.revision_id);
}

json::value StoredValue(const std::string& text) {
  return json::value(text);
}
json::value StoredValue(int number) {
  return json::value(number);
}
json::value StoredValue(std::uint64_t number) {
  return json::value(number);
}
json::value StoredValue(const StringMap& map) {
  return MapJson(map);
}

void AddProgress(json::object& object, Progress progress) {
  object["State"] = progress == Progress::kCreating ? "Pending" : "Active";
  if (progress == Progress::kCreating) {
    object["StateReason"] = "The function is being created.";
    object["StateReasonCode"] = "Creating";
  }
  if (progress == Progress::kUpdating) {
    object["LastUpdateStatus"] = "InProgress";
    object["LastUpdateStatusReason"] = "The function is being created.";
    object["LastUpdateStatusReasonCode"] = "Creating";
  }
  if (progress == Progress::kDone) object["LastUpdateStatus"] = "Successful";
}

}  // namespace

json::object ConfigurationJson(const FunctionConfig& config, const Place& place,
                               Progress progress) {
  json::object object{
      {"FunctionName", config.name},
      {"FunctionArn", FunctionArn(place, config.name)},
      {"Runtime", config.runtime},
      {"Role", config.role},
      {"Handler", config.handler},
      {"CodeSize", config.code_size},
      {"Description", config.description},
      {"Timeout", config.timeout_seconds},
      {"MemorySize", config.memory_mb},
      {"LastModified", config.last_modified},
      {"CodeSha256", config.code_sha256},
      {"Version", "$LATEST"},
      {"TracingConfig", {{"Mode", config.tracing_mode}}},
      {"RevisionId", config.revision_id},
      {"PackageType", "Zip"},
      {"Architectures", json::array{config.architecture}},
      {"EphemeralStorage", {{"Size", config.tmp_mb}}},
      {"SnapStart", {{"ApplyOn", "None"}, {"OptimizationStatus", "Off"}}},
      {"RuntimeVersionConfig",
       {{"RuntimeVersionArn", fmt::format("arn:aws:lambda:{}::runtime:kelvin", place.region)}}},
      {"LoggingConfig", LoggingJson(config)},
  };
  if (!config.environment.empty()) {
    object["Environment"] = json::object{{"Variables", MapJson(config.environment)}};
  }
  AddProgress(object, progress);
  return object;
}

std::string StoredJson(const FunctionConfig& config) {
  json::object object{{"version", kStoredVersion}};
  VisitStored(config,
              [&](std::string_view name, const auto& value) { object[name] = StoredValue(value); });
  object["log_format"] = config.log_format == LogFormat::kJson ? "JSON" : "Text";
  return json::serialize(object);
}

std::expected<FunctionConfig, Error> ReadStored(std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_object()) {
    return std::unexpected(Error{ErrorCode::kCorrupt, "expected a JSON object"});
  }
  FieldReader reader(value.get_object());
  int version = 0;
  reader.Read("version", version);
  FunctionConfig config;
  std::string log_format;
  VisitStored(config, [&](std::string_view name, auto& field) { reader.Read(name, field); });
  reader.Read("log_format", log_format);
  if (!reader.problem().empty()) {
    return std::unexpected(Error{ErrorCode::kCorrupt, reader.problem()});
  }
  if (version != kStoredVersion) {
    return std::unexpected(Error{
        ErrorCode::kCorrupt, fmt::format("expected version {}, got {}", kStoredVersion, version)});
  }
  config.log_format = log_format == "JSON" ? LogFormat::kJson : LogFormat::kText;
  return config;
}

}  // namespace kelvin::service
