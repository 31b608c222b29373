#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "package/contents.h"

namespace kelvin::package {

// An image as an archive holds it: its configuration (JSON) and its layers, lowest first, each a
// tar, compressed or not.
struct ImageParts {
  std::string config;
  std::vector<std::string> layers;
};

// The parts of the first image in an archive in memory: an OCI layout, or as docker save writes it.
// Digests are checked. Errors as ReadContents.
std::expected<ImageParts, Error> ReadImageParts(std::string_view bytes, std::string_view source,
                                                const ContentsLimits& limits = {});

// The files and the configuration of an image archive in memory: layers put over each other,
// whiteouts applied.
std::expected<Contents, Error> ReadImage(std::string_view bytes, std::string source,
                                         const ContentsLimits& limits);

}  // namespace kelvin::package
