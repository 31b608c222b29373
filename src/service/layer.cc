#include "service/layer.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "service/function_rules.h"
#include "service/stored_fields.h"

namespace kelvin::service {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostLayers = 5;
constexpr std::uint64_t kMostUnpackedBytes = 262'144'000;
constexpr std::size_t kLongestName = 140;
constexpr std::string_view kVersionPattern =
    "(arn:(aws[a-zA-Z-]*)?:lambda:[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:layer:"
    "[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)";
constexpr std::string_view kNamePattern =
    "(arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\\d{12}:layer:[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+";

template <typename Version, typename Visit>
void VisitVersion(Version& version, Visit&& visit) {
  visit("number", version.number);
  visit("description", version.description);
  visit("license_info", version.license_info);
  visit("created", version.created);
  visit("code_sha256", version.code_sha256);
  visit("code_size", version.code_size);
  visit("unpacked_size", version.unpacked_size);
  visit("runtimes", version.runtimes);
  visit("architectures", version.architectures);
}

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName &&
         std::ranges::all_of(
             text, [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; });
}

bool IsNumber(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

ApiError NoSuchVersion(std::string_view arn) {
  return InvalidParameter(fmt::format("Layer version {} does not exist.", arn));
}

ApiError NotAVersion(std::string_view arn) {
  return ConstraintError(
      fmt::format("[{}]", arn), "layers",
      fmt::format("Member must satisfy constraint: [Member must have length less than or equal to "
                  "2048, Member must have length greater than or equal to 1, Member must satisfy "
                  "regular expression pattern: {}, Member must not be null]",
                  kVersionPattern));
}

std::expected<LayerUse, ApiError> Resolve(const LayerRegistry& layers, const std::string& arn,
                                          const Place& place) {
  const auto named = ParseLayerName(arn, place);
  if (!named && named.error().kind == ApiErrorKind::kResourceNotFound) {
    if (arn.contains(fmt::format(":lambda:{}:", place.region))) {
      return std::unexpected(NoSuchVersion(arn));
    }
    return std::unexpected(InvalidParameter(
        fmt::format("Layers are not in the same region as the function. Layers are expected to be "
                    "in region {}.",
                    place.region)));
  }
  if (!named || named->version.empty()) return std::unexpected(NotAVersion(arn));
  const auto layer = layers.Find(named->name);
  int number = 0;
  std::from_chars(named->version.data(), named->version.data() + named->version.size(), number);
  // Layers of other accounts and regions are not on this machine.
  const bool here = arn == LayerVersionArn(place, named->name, number);
  if (!here || !layer || !layer->versions.contains(number)) {
    return std::unexpected(NoSuchVersion(arn));
  }
  const LayerVersion& version = layer->versions.at(number);
  return LayerUse{arn, version.code_sha256, version.code_size, version.unpacked_size};
}

}  // namespace

std::string LayerArn(const Place& place, std::string_view name) {
  return fmt::format("arn:aws:lambda:{}:{}:layer:{}", place.region, place.account_id, name);
}

std::string LayerVersionArn(const Place& place, std::string_view name, int version) {
  return fmt::format("{}:{}", LayerArn(place, name), version);
}

std::expected<LayerName, ApiError> ParseLayerName(std::string_view text, const Place& place) {
  const auto refuse = [&] {
    return std::unexpected(ConstraintError(
        text, "layerName",
        fmt::format("Member must satisfy regular expression pattern: {}", kNamePattern)));
  };
  if (!text.starts_with("arn:")) {
    if (!IsName(text)) return refuse();
    return LayerName{std::string(text), {}};
  }
  std::vector<std::string_view> parts;
  for (std::string_view rest = text;;) {
    const auto colon = rest.find(':');
    parts.push_back(rest.substr(0, colon));
    if (colon == rest.npos) break;
    rest.remove_prefix(colon + 1);
  }
  const bool valid = (parts.size() == 7 || parts.size() == 8) && parts[2] == "lambda" &&
                     parts[5] == "layer" && IsName(parts[6]) &&
                     (parts.size() == 7 || IsNumber(parts[7]));
  if (!valid) return refuse();
  if (parts[3] != place.region || parts[4] != place.account_id) {
    return std::unexpected(
        ApiError{ApiErrorKind::kResourceNotFound, "The resource you requested does not exist."});
  }
  return LayerName{std::string(parts[6]), parts.size() == 8 ? std::string(parts[7]) : ""};
}

json::object LayerVersionJson(const Layer& layer, const LayerVersion& version, const Place& place) {
  json::object object{{"LayerVersionArn", LayerVersionArn(place, layer.name, version.number)},
                      {"Version", version.number},
                      {"Description", version.description},
                      {"CreatedDate", version.created}};
  if (!version.runtimes.empty()) object["CompatibleRuntimes"] = TextsJson(version.runtimes);
  if (!version.architectures.empty()) {
    object["CompatibleArchitectures"] = TextsJson(version.architectures);
  }
  if (!version.license_info.empty()) object["LicenseInfo"] = version.license_info;
  return object;
}

std::string StoredJson(const Layer& layer) {
  json::object object{{"name", layer.name}, {"last_number", layer.last_number}};
  json::array& versions = object["versions"].emplace_array();
  for (const auto& [number, version] : layer.versions) {
    json::object& stored = versions.emplace_back(json::object{}).get_object();
    VisitVersion(version, [&](std::string_view name, const auto& value) {
      stored[name] = StoredValue(value);
    });
    stored["statements"] = MapJson(version.statements);
  }
  return json::serialize(object);
}

std::expected<Layer, Error> ReadStoredLayer(std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_object()) {
    return std::unexpected(Error{ErrorCode::kCorrupt, "expected a JSON object"});
  }
  FieldReader reader(value.get_object());
  Layer layer;
  reader.Read("name", layer.name);
  reader.Read("last_number", layer.last_number);
  reader.ReadArray("versions", [&](const json::value& item) {
    if (!item.is_object()) return reader.Missing("versions", "an array of objects");
    FieldReader fields(item.get_object());
    LayerVersion version;
    VisitVersion(version, [&](std::string_view name, auto& field) { fields.Read(name, field); });
    fields.ReadIfThere("statements", version.statements);
    if (!fields.problem().empty()) reader.Note(fields.problem());
    layer.versions.emplace(version.number, std::move(version));
  });
  if (!reader.problem().empty()) {
    return std::unexpected(Error{ErrorCode::kCorrupt, reader.problem()});
  }
  return layer;
}

LayerRegistry::Entry LayerRegistry::Find(std::string_view name) const {
  const auto found = layers_.find(name);
  return found == layers_.end() ? nullptr : found->second;
}

void LayerRegistry::Put(Layer layer) {
  std::string name = layer.name;
  layers_.insert_or_assign(std::move(name), std::make_shared<const Layer>(std::move(layer)));
}

std::expected<std::vector<LayerUse>, ApiError> ResolveLayers(const LayerRegistry& layers,
                                                             const std::vector<std::string>& arns,
                                                             const Place& place) {
  if (arns.size() > kMostLayers) {
    return std::unexpected(InvalidParameter("Cannot reference more than 5 layers."));
  }
  std::vector<LayerUse> uses;
  std::map<std::string, std::string> seen;  // version by layer
  for (const std::string& arn : arns) {
    auto use = Resolve(layers, arn, place);
    if (!use) return std::unexpected(std::move(use.error()));
    const auto [other, fresh] = seen.emplace(arn.substr(0, arn.rfind(':')), arn);
    if (!fresh) {
      return std::unexpected(InvalidParameter(
          fmt::format("Two different versions of the same layer are not allowed to be referenced "
                      "in the same function. {} and {} are versions of the same layer.",
                      other->second, arn)));
    }
    uses.push_back(std::move(*use));
  }
  return uses;
}

std::expected<void, ApiError> CheckUnpackedSize(const FunctionConfig& config) {
  std::uint64_t all = config.unpacked_size;
  for (const LayerUse& layer : config.layers) all += layer.unpacked_size;
  if (all <= kMostUnpackedBytes) return {};
  return std::unexpected(InvalidParameter(fmt::format(
      "Function code combined with layers exceeds the maximum allowed size of {} bytes. The "
      "actual size is {} bytes.",
      kMostUnpackedBytes, all)));
}

}  // namespace kelvin::service
