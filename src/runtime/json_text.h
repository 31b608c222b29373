#pragma once

#include <string>
#include <string_view>

namespace kelvin {

// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD, so that
// a log line or an error document stays readable whatever a function puts into it.
void AppendJsonString(std::string& out, std::string_view text);

}  // namespace kelvin
