#pragma once

#include <expected>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kelvin::package {

// The components of a name within a package: "lib/./x.so" gives {"lib", "x.so"}, "./" gives {}.
// Refuses (kInvalidArgument) what could reach outside: empty and absolute names, "..", and NUL.
// The views point into `name`.
std::expected<std::vector<std::string_view>, Error> SplitEntryName(std::string_view name);

// Whether a symbolic link that lies `depth` folders deep and points to `target` stays inside.
// Only leading ".." count as staying inside, because a ".." behind a name may follow another link
// and come out elsewhere than it reads.
bool LinkStaysInside(std::string_view target, std::size_t depth);

}  // namespace kelvin::package
