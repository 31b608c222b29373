#include "aws/lambda_json.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/encoding.h"

namespace kelvin::aws {
namespace {

namespace json = boost::json;

Error Corrupt(std::string_view expected) {
  return Error{ErrorCode::kCorrupt,
               fmt::format("expected {} in Lambda's answer, got something else", expected)};
}

const json::object* Object(const json::object& parent, std::string_view key) {
  const json::value* value = parent.if_contains(key);
  return value != nullptr ? value->if_object() : nullptr;
}

const json::array* Array(const json::object& parent, std::string_view key) {
  const json::value* value = parent.if_contains(key);
  return value != nullptr ? value->if_array() : nullptr;
}

std::string Text(const json::object& parent, std::string_view key) {
  const json::value* value = parent.if_contains(key);
  const json::string* text = value != nullptr ? value->if_string() : nullptr;
  return text != nullptr ? std::string(*text) : std::string();
}

template <typename Number>
Number NumberOr(const json::object& parent, std::string_view key, Number otherwise) {
  const json::value* value = parent.if_contains(key);
  if (value == nullptr) return otherwise;
  json::error_code failure;
  const auto number = value->to_number<Number>(failure);
  return failure ? otherwise : number;
}

std::map<std::string, std::string> TextMap(const json::object* object) {
  std::map<std::string, std::string> out;
  if (object == nullptr) return out;
  for (const auto& [key, value] : *object) {
    if (const json::string* text = value.if_string()) out.emplace(key, *text);
  }
  return out;
}

std::expected<json::object, Error> ParseObject(std::string_view body) {
  json::error_code failure;
  json::value parsed = json::parse(body, failure);
  if (failure || !parsed.is_object()) return std::unexpected(Corrupt("a JSON object"));
  return std::move(parsed.as_object());
}

std::expected<FunctionConfiguration, Error> FromObject(const json::object& object) {
  FunctionConfiguration out;
  out.name = Text(object, "FunctionName");
  if (out.name.empty()) return std::unexpected(Corrupt("a FunctionName"));
  out.arn = Text(object, "FunctionArn");
  out.runtime = Text(object, "Runtime");
  const json::array* architectures = Array(object, "Architectures");
  if (architectures != nullptr && !architectures->empty() && architectures->front().is_string()) {
    out.architecture = architectures->front().get_string();
  }
  out.code_sha256 = Text(object, "CodeSha256");
  out.code_size = NumberOr<std::uint64_t>(object, "CodeSize", 0);
  out.memory_mb = NumberOr(object, "MemorySize", 0);
  out.timeout_seconds = NumberOr(object, "Timeout", 0);
  if (const json::object* tmp = Object(object, "EphemeralStorage")) {
    out.tmp_mb = NumberOr(*tmp, "Size", out.tmp_mb);
  }
  out.state = Text(object, "State");
  out.last_update_status = Text(object, "LastUpdateStatus");
  out.state_reason = Text(object, "StateReason");
  out.description = Text(object, "Description");
  if (const json::object* environment = Object(object, "Environment")) {
    out.environment = TextMap(Object(*environment, "Variables"));
  }
  return out;
}

json::object FromTextMap(const std::map<std::string, std::string>& texts) {
  json::object out;
  for (const auto& [key, value] : texts) out.emplace(key, value);
  return out;
}

}  // namespace

std::expected<FunctionConfiguration, Error> ParseFunctionConfiguration(std::string_view body) {
  const auto parsed = ParseObject(body);
  if (!parsed) return std::unexpected(parsed.error());
  return FromObject(*parsed);
}

std::expected<FunctionConfiguration, Error> ParseGetFunction(std::string_view body) {
  const auto parsed = ParseObject(body);
  if (!parsed) return std::unexpected(parsed.error());
  const json::object* configuration = Object(*parsed, "Configuration");
  if (configuration == nullptr) return std::unexpected(Corrupt("a Configuration"));
  auto out = FromObject(*configuration);
  if (out) out->tags = TextMap(Object(*parsed, "Tags"));
  return out;
}

std::expected<FunctionPage, Error> ParseListFunctions(std::string_view body) {
  const auto parsed = ParseObject(body);
  if (!parsed) return std::unexpected(parsed.error());
  const json::array* functions = Array(*parsed, "Functions");
  if (functions == nullptr) return std::unexpected(Corrupt("a list of Functions"));
  FunctionPage page;
  for (const json::value& function : *functions) {
    if (!function.is_object()) return std::unexpected(Corrupt("a function"));
    auto one = FromObject(function.get_object());
    if (!one) return std::unexpected(std::move(one.error()));
    page.functions.push_back(std::move(*one));
  }
  page.next_marker = Text(*parsed, "NextMarker");
  return page;
}

std::expected<std::string, Error> ParsePublishLayer(std::string_view body) {
  const auto parsed = ParseObject(body);
  if (!parsed) return std::unexpected(parsed.error());
  std::string arn = Text(*parsed, "LayerVersionArn");
  if (arn.empty()) return std::unexpected(Corrupt("a LayerVersionArn"));
  return arn;
}

std::string PublishLayerBody(std::string_view zip) {
  return json::serialize(json::value{{"Content", {{"ZipFile", Base64Encode(zip)}}}});
}

std::string CreateFunctionBody(const CreateFunctionInput& input) {
  json::array layers;
  for (const std::string& layer : input.layers) layers.emplace_back(layer);
  return json::serialize(json::value{
      {"FunctionName", input.name},
      {"Runtime", input.runtime},
      {"Handler", input.handler},
      {"Role", input.role},
      {"MemorySize", input.memory_mb},
      {"Timeout", input.timeout_seconds},
      {"Architectures", json::array{json::value(input.architecture)}},
      {"Environment", {{"Variables", FromTextMap(input.environment)}}},
      {"Tags", FromTextMap(input.tags)},
      {"Layers", std::move(layers)},
      {"Code", {{"ZipFile", Base64Encode(input.zip)}}},
  });
}

std::string UpdateConfigurationBody(const UpdateConfigurationInput& input) {
  json::object out;
  if (input.memory_mb) out["MemorySize"] = *input.memory_mb;
  if (input.description) out["Description"] = *input.description;
  if (input.environment) {
    out["Environment"] = json::object{{"Variables", FromTextMap(*input.environment)}};
  }
  return json::serialize(out);
}

}  // namespace kelvin::aws
