#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string_view>

#include "base/error.h"
#include "package/contents.h"

namespace kelvin::package {

enum class ArchiveFormat { kZip, kTar };

// What one reading of a package may still take; shared by the layers of an image.
struct ReadBudget {
  std::uint64_t bytes = 0;
  std::uint64_t files = 0;
};

// Calls `visit` for each file and link of an archive in memory; folders, and what has no place in
// a package (devices, sockets), are passed over. Tars may be compressed with gzip or zstd. Names
// come without "./". Errors as ReadContents; `what` names the archive in them.
std::expected<void, Error> ReadArchive(std::string_view bytes, ArchiveFormat format,
                                       std::string_view what, ReadBudget& budget,
                                       const std::function<void(PackagedFile file)>& visit);

}  // namespace kelvin::package
