#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace kelvin::service {

// Whether `text` is one JSON document, and if not, why: "syntax error at byte 3". Keeps nothing of
// it, so it costs no memory.
std::expected<void, std::string> CheckJson(std::string_view text);

}  // namespace kelvin::service
