#pragma once

#include <string>

namespace kelvin {

// Whether a character cannot stand as it is within a JSON string: quote, backslash, control.
constexpr bool NeedsJsonEscape(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

// Appends the escape of a character that needs one.
void AppendJsonEscape(std::string& out, char c);

}  // namespace kelvin
