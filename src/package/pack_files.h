#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "package/zip.h"

namespace kelvin::package {

// Reads "NAME=PATH": the name in the zip, and the file, which must exist; executable there where
// it is executable here. Fails with kInvalidArgument, or as reading the file would.
std::expected<PackEntry, Error> ParsePackEntry(std::string_view argument);

// What a path stands for in a package: of a folder, everything below it, with links kept; a program
// becomes "bootstrap"; any other file keeps its name. `prefix`, when not empty, is the folder in
// the package where it goes ("lib"). Sockets and devices give kInvalidArgument.
std::expected<std::vector<PackEntry>, Error> CollectEntries(const std::filesystem::path& path,
                                                            std::string_view prefix = {});

// Packs the files that such arguments name into the zip `output`, and gives its size in bytes.
std::expected<std::size_t, Error> PackFiles(const std::vector<std::string>& arguments,
                                            const std::filesystem::path& output);

}  // namespace kelvin::package
