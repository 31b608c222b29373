#include "service/function_config.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "service/stored_fields.h"

namespace kelvin::service {
namespace {

namespace json = boost::json;

json::object LoggingJson(const FunctionConfig& config) {
  json::object logging{{"LogFormat", config.log_format == LogFormat::kJson ? "JSON" : "Text"},
                       {"LogGroup", config.log_group}};
  if (config.log_format == LogFormat::kJson) {
    logging["ApplicationLogLevel"] = config.application_log_level;
    logging["SystemLogLevel"] = config.system_log_level;
  }
  return logging;
}

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

// What files of earlier versions lack.
template <typename Config, typename Visit>
void VisitAdded(Config& config, Visit&& visit) {
  visit("unpacked_size", config.unpacked_size);
  visit("function_version", config.version);
  visit("dead_letter_arn", config.dead_letter_arn);
  visit("environment_given", config.environment_given);
  visit("kms_key_arn", config.kms_key_arn);
}

json::object StoredLayer(const LayerUse& layer) {
  return {{"arn", layer.arn},
          {"code_sha256", layer.code_sha256},
          {"code_size", layer.code_size},
          {"unpacked_size", layer.unpacked_size}};
}

void ReadLayer(const json::value& value, FieldReader& reader, std::vector<LayerUse>& into) {
  if (!value.is_object()) return reader.Missing("layers", "an array of objects");
  FieldReader fields(value.get_object());
  LayerUse layer;
  fields.Read("arn", layer.arn);
  fields.Read("code_sha256", layer.code_sha256);
  fields.Read("code_size", layer.code_size);
  fields.Read("unpacked_size", layer.unpacked_size);
  if (!fields.problem().empty()) reader.Note(fields.problem());
  into.push_back(std::move(layer));
}

void AddProgress(json::object& object, const Place& place, Progress progress) {
  if (progress == Progress::kUntold) return;
  object["RuntimeVersionConfig"] = json::object{
      {"RuntimeVersionArn", fmt::format("arn:aws:lambda:{}::runtime:kelvin", place.region)}};
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

json::object ConfigurationJson(const FunctionConfig& config, const Place& place, Progress progress,
                               std::string_view qualifier) {
  json::object object{
      {"FunctionName", config.name},
      {"FunctionArn", FunctionArn(place, config.name, qualifier)},
      {"Runtime", config.runtime},
      {"Role", config.role},
      {"Handler", config.handler},
      {"CodeSize", config.code_size},
      {"Description", config.description},
      {"Timeout", config.timeout_seconds},
      {"MemorySize", config.memory_mb},
      {"LastModified", config.last_modified},
      {"CodeSha256", config.code_sha256},
      {"Version", config.version},
      {"TracingConfig", {{"Mode", config.tracing_mode}}},
      {"RevisionId", config.revision_id},
      {"PackageType", "Zip"},
      {"Architectures", json::array{config.architecture}},
      {"EphemeralStorage", {{"Size", config.tmp_mb}}},
      {"SnapStart", {{"ApplyOn", "None"}, {"OptimizationStatus", "Off"}}},
      {"LoggingConfig", LoggingJson(config)},
  };
  if (!config.environment.empty() || config.environment_given) {
    object["Environment"] = json::object{{"Variables", MapJson(config.environment)}};
  }
  if (!config.dead_letter_arn.empty()) {
    object["DeadLetterConfig"] = json::object{{"TargetArn", config.dead_letter_arn}};
  }
  if (!config.kms_key_arn.empty()) object["KMSKeyArn"] = config.kms_key_arn;
  if (!config.layers.empty()) {
    json::array& layers = object["Layers"].emplace_array();
    for (const LayerUse& layer : config.layers) {
      layers.push_back(json::object{{"Arn", layer.arn}, {"CodeSize", layer.code_size}});
    }
  }
  AddProgress(object, place, progress);
  return object;
}

json::object StoredConfig(const FunctionConfig& config) {
  json::object object;
  const auto store = [&](std::string_view name, const auto& value) {
    object[name] = StoredValue(value);
  };
  VisitStored(config, store);
  VisitAdded(config, store);
  json::array& layers = object["layers"].emplace_array();
  for (const LayerUse& layer : config.layers) layers.push_back(StoredLayer(layer));
  object["log_format"] = config.log_format == LogFormat::kJson ? "JSON" : "Text";
  return object;
}

std::expected<FunctionConfig, Error> ReadStoredConfig(const json::value& value) {
  if (!value.is_object()) {
    return std::unexpected(Error{ErrorCode::kCorrupt, "expected a JSON object"});
  }
  FieldReader reader(value.get_object());
  FunctionConfig config;
  std::string log_format;
  VisitStored(config, [&](std::string_view name, auto& field) { reader.Read(name, field); });
  VisitAdded(config, [&](std::string_view name, auto& field) { reader.ReadIfThere(name, field); });
  if (reader.Has("layers")) {
    reader.ReadArray("layers",
                     [&](const json::value& it) { ReadLayer(it, reader, config.layers); });
  }
  reader.Read("log_format", log_format);
  if (!reader.problem().empty()) {
    return std::unexpected(Error{ErrorCode::kCorrupt, reader.problem()});
  }
  config.log_format = log_format == "JSON" ? LogFormat::kJson : LogFormat::kText;
  return config;
}

}  // namespace kelvin::service
