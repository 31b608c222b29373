#pragma once

#include <expected>
#include <string_view>

#include "base/error.h"
#include "package/contents.h"

namespace kelvin::package {

// The files and the configuration of an image archive in memory: layers put over each other,
// whiteouts applied. An archive with several images is read for the first. Digests are checked.
std::expected<Contents, Error> ReadImage(std::string_view bytes, std::string source,
                                         const ContentsLimits& limits);

}  // namespace kelvin::package
