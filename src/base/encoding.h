#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/error.h"

namespace kelvin {

// Lower-case hexadecimal of the bytes.
std::string HexEncode(std::string_view bytes);

// RFC 4648 base64 with padding.
std::string Base64Encode(std::string_view bytes);
// Refuses characters outside the alphabet, wrong length and wrong padding.
std::expected<std::string, Error> Base64Decode(std::string_view text);

// RFC 3986: every byte but A-Z a-z 0-9 - _ . ~ becomes %XX; '/' stays where `keep_slash` says so.
enum class Slash { kEncode, kKeep };
std::string PercentEncode(std::string_view text, Slash slash = Slash::kEncode);
// Refuses a '%' that two hexadecimal digits do not follow.
std::expected<std::string, Error> PercentDecode(std::string_view text);

}  // namespace kelvin
