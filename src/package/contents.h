#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kelvin::package {

// In what a package came.
enum class Container { kZip, kFolder, kElf, kDll, kImage };

// "zip", "folder", "ELF file", "dll", "container image".
std::string_view ContainerName(Container container);

struct PackagedFile {
  std::string name;  // within the package: "lib/libfoo.so"; of an image, without the leading '/'
  std::string content;
  unsigned int mode = 0644;      // permissions, as Unix has them
  std::string link_target = {};  // of a symbolic link; then there is no content

  bool is_link() const { return !link_target.empty(); }
};

// What an image's configuration says of the process to start.
struct ImageConfig {
  std::string architecture;  // "amd64", "arm64"
  std::string os;
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;
  std::string working_folder;
  std::size_t layers = 0;
};

// Everything in a package, whatever it came in. Files are sorted by name.
struct Contents {
  Container container = Container::kFolder;
  std::string source;              // the path that was given
  std::uint64_t packed_bytes = 0;  // of the zip or archive; of what is not packed, as unpacked
  std::uint64_t unpacked_bytes = 0;
  std::vector<PackagedFile> files;
  std::optional<ImageConfig> image = {};

  const PackagedFile* Find(std::string_view name) const;
};

// Images may hold 10 GB; what is read into memory is bounded by these.
struct ContentsLimits {
  std::uint64_t max_bytes = std::uint64_t{2} << 30;
  std::uint64_t max_files = 300'000;
};

// Reads a zip, a folder, an ELF file, a .NET dll, or an image archive (OCI layout, or as `docker
// save` writes it) in a tar. Fails with kNotFound, kInvalidArgument when it is none of them or is
// damaged or hostile (names that lead outside, blobs that differ from their digest), and
// kResourceExhausted beyond the limits, counted while unpacking.
std::expected<Contents, Error> ReadContents(const std::filesystem::path& path,
                                            const ContentsLimits& limits = {});

// The same from bytes, for all but folders. `source` is only named.
std::expected<Contents, Error> ReadContents(std::string bytes, std::string source,
                                            const ContentsLimits& limits = {});

}  // namespace kelvin::package
