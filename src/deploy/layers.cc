#include "deploy/layers.h"

#include <fmt/format.h>

namespace kelvin::deploy {
namespace {

namespace json = boost::json;

std::string DescribeDigest(const LayerSpec& layer) {
  return "sha256 " + layer.package.sha256;
}

}  // namespace

std::string LayerName(std::string_view arn) {
  constexpr std::string_view kBefore = ":layer:";
  const std::size_t at = arn.find(kBefore);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = arn.substr(at + kBefore.size());
  return std::string(rest.substr(0, rest.find(':')));
}

std::expected<std::vector<PlannedLayer>, Error> FindLayers(Lambda& lambda,
                                                           const std::vector<LayerSpec>& layers) {
  std::vector<PlannedLayer> planned;
  for (const LayerSpec& layer : layers) {
    PlannedLayer next{.arn = layer.arn, .name = layer.arn, .spec = &layer};
    if (layer.arn.empty()) {
      auto arn = lambda.LayerVersion(layer.name, DescribeDigest(layer));
      if (!arn) return std::unexpected(std::move(arn.error()));
      next.arn = std::move(*arn);
      next.name = next.arn.empty() ? layer.name + " (new version)" : next.arn;
    }
    planned.push_back(std::move(next));
  }
  return planned;
}

std::expected<std::string, Error> PublishLayer(Api& api, Lambda& lambda,
                                               const UploadOptions& options, const LayerSpec& layer,
                                               const FunctionSpec& function,
                                               std::vector<std::string>& done) {
  auto content = CodeFor(api, options, layer.package, "layers/" + layer.name, done);
  if (!content) return std::unexpected(std::move(content.error()));
  const json::object body{
      {"Description", DescribeDigest(layer)},
      {"Content", std::move(*content)},
      {"CompatibleRuntimes", json::array{json::string(function.runtime)}},
      {"CompatibleArchitectures", json::array{json::string(function.architecture)}}};
  auto arn = lambda.PublishLayer(layer.name, body);
  if (arn) done.push_back(fmt::format("published layer {}", *arn));
  return arn;
}

}  // namespace kelvin::deploy
