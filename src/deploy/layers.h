#pragma once

#include <expected>
#include <string>
#include <vector>

#include "deploy/lambda.h"
#include "deploy/upload.h"

namespace kelvin::deploy {

// The layer with the engine of modes jit and r2r.
inline constexpr std::string_view kEngineLayer = "kelvin-engine";

// A layer that a function is to have: a version that exists, or a zip that is to become one.
struct LayerSpec {
  std::string arn = {};  // of a version; empty for a zip
  std::string name = {};
  Package package = {};
};

// What of it is there.
struct PlannedLayer {
  std::string arn;                  // empty: it is to be published
  std::string name;                 // for people
  const LayerSpec* spec = nullptr;  // of what is to be published; outlives it
};

// Finds the version of each zip by its digest, which its description holds. Reads only.
std::expected<std::vector<PlannedLayer>, Error> FindLayers(Lambda& lambda,
                                                           const std::vector<LayerSpec>& layers);

// Publishes it and gives the ARN of the version.
std::expected<std::string, Error> PublishLayer(Api& api, Lambda& lambda,
                                               const UploadOptions& options, const LayerSpec& layer,
                                               const FunctionSpec& function,
                                               std::vector<std::string>& done);

// "kelvin-engine" of "arn:aws:lambda:eu-west-1:1:layer:kelvin-engine:3".
std::string LayerName(std::string_view arn);

}  // namespace kelvin::deploy
