#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "base/error.h"
#include "service/api_error.h"
#include "service/function_config.h"
#include "service/string_map.h"

namespace kelvin::service {

struct LayerVersion {
  int number = 0;
  std::string description;
  std::string license_info;
  std::string created;  // as FormatLastModified
  std::string code_sha256;
  std::uint64_t code_size = 0;
  std::uint64_t unpacked_size = 0;
  std::vector<std::string> runtimes;
  std::vector<std::string> architectures;
  StringMap statements = {};  // of its policy: JSON by id; kept for who asks, and nothing else

  friend bool operator==(const LayerVersion&, const LayerVersion&) = default;
};

// A layer with the versions that are left of it. A number is never given twice.
struct Layer {
  std::string name;
  int last_number = 0;
  std::map<int, LayerVersion> versions;

  friend bool operator==(const Layer&, const Layer&) = default;
};

// arn:aws:lambda:<region>:<account>:layer:<name>[:<version>]
std::string LayerArn(const Place& place, std::string_view name);
std::string LayerVersionArn(const Place& place, std::string_view name, int version);

// A layer as a caller names it.
struct LayerName {
  std::string name;
  std::string version;  // empty when none was given
};
// "name", or an ARN with or without a version. Fails with AWS's ValidationException.
std::expected<LayerName, ApiError> ParseLayerName(std::string_view text, const Place& place);

// The API's LayerVersionsListItem: without the content.
boost::json::object LayerVersionJson(const Layer& layer, const LayerVersion& version,
                                     const Place& place);

// The stored form, which ReadStoredLayer reads back. Fails with kCorrupt, saying what is missing.
std::string StoredJson(const Layer& layer);
std::expected<Layer, Error> ReadStoredLayer(std::string_view text);

// The layers there are. Used from one thread.
class LayerRegistry {
 public:
  using Entry = std::shared_ptr<const Layer>;
  // Nothing for a layer that does not exist.
  Entry Find(std::string_view name) const;
  void Put(Layer layer);
  // By name; a layer whose versions are all deleted is still there.
  const std::map<std::string, Entry, std::less<>>& all() const { return layers_; }

 private:
  std::map<std::string, Entry, std::less<>> layers_;
};

// What the ARNs of a function's Layers stand for, in their order. Fails as AWS does: more than
// five, two versions of one, or one that does not exist.
std::expected<std::vector<LayerUse>, ApiError> ResolveLayers(const LayerRegistry& layers,
                                                             const std::vector<std::string>& arns,
                                                             const Place& place);
// Whether a function and its layers together are within Lambda's limit.
std::expected<void, ApiError> CheckUnpackedSize(const FunctionConfig& config);

}  // namespace kelvin::service
