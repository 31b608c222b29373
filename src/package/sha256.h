#pragma once

#include <string>
#include <string_view>

namespace kelvin::package {

// The SHA-256 of the bytes: 32 raw bytes.
std::string Sha256(std::string_view bytes);
// "sha256:" and 64 hexadecimal digits, as images name their blobs.
std::string DigestName(std::string_view bytes);

}  // namespace kelvin::package
