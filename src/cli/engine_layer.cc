#include "cli/engine_layer.h"

#include <fmt/format.h>

namespace kelvin::cli {

// Packages of modes jit and r2r bring code, but no program to run it.
std::expected<std::string, Error> EngineLayerOf(const std::filesystem::path& package,
                                                const package::Contents& contents) {
  if (contents.Find("function.bc") == nullptr || contents.Find("bootstrap") != nullptr) {
    return std::string();
  }
  const std::filesystem::path layer = package.parent_path() / "kelvin-engine.zip";
  if (!std::filesystem::exists(layer)) {
    return std::unexpected(Error{
        ErrorCode::kInvalidArgument,
        fmt::format("{} needs Kelvin's engine to run: expected its layer beside it, as {}, found "
                    "no such file; build the package with kelvin_add_function, or copy the layer "
                    "there",
                    package.native(), layer.native())});
  }
  return layer.native();
}

}  // namespace kelvin::cli
