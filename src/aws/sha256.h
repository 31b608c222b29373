#pragma once

#include <array>
#include <string>
#include <string_view>

namespace kelvin::aws {

// A SHA-256 digest. The functions here need no set-up of the cryptographic library and allocate
// nothing, so that a function pays for them only when it signs.
using Sha256Digest = std::array<char, 32>;

inline std::string_view BytesOf(const Sha256Digest& digest) {
  return {digest.data(), digest.size()};
}

Sha256Digest Sha256(std::string_view bytes);
// The digest in lower-case hexadecimal, as SigV4 writes it.
std::string Sha256Hex(std::string_view bytes);
// RFC 2104 with SHA-256.
Sha256Digest HmacSha256(std::string_view key, std::string_view message);

}  // namespace kelvin::aws
