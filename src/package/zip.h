#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kelvin::package {

struct ZipLimits {
  std::uint64_t max_unpacked_bytes = 262'144'000;  // Lambda's, for function and layers together
  std::uint64_t max_entries = 100'000;
};

struct UnpackedZip {
  std::uint64_t bytes = 0;  // of all files
  std::uint64_t files = 0;
};

// Unpacks into `folder`, which must exist and be empty. Refuses (kInvalidArgument) what is not a
// whole zip, absolute paths, "..", anything but files, folders and links that stay inside;
// kResourceExhausted beyond the limits, counted while unpacking, not by what the headers claim, and
// when the disk is full. After a failure the folder is empty again. Files become read-only for all,
// the executable bit is kept; folders, `folder` itself too, get mode 0755.
std::expected<UnpackedZip, Error> UnpackZip(std::string_view zip,
                                            const std::filesystem::path& folder,
                                            const ZipLimits& limits = {});

// A file to pack: its name within the package and where its bytes are.
struct PackEntry {
  std::string name;
  std::filesystem::path source;
  bool executable = false;
  std::string link_target = {};  // of a symbolic link; then `source` is not read
};

// Sorts by name. Fails with kInvalidArgument on a doubled or escaping name, a file that is also a
// folder, and a link that leads outside.
std::expected<void, Error> SortAndCheck(std::vector<PackEntry>& entries);

// A zip that depends only on names, bytes, links and the executable bits: sorted, one fixed time
// stamp, one compressor at one level. Errors as SortAndCheck and as reading the files;
// kResourceExhausted beyond what a zip without extensions holds (4 GB).
std::expected<std::string, Error> MakeZip(std::vector<PackEntry> entries);

// Base64 of the SHA-256, as in CodeSha256.
std::string CodeSha256(std::string_view zip);

}  // namespace kelvin::package
