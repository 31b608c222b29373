#pragma once

#include <string_view>

namespace kelvin::http {

// "localhost", a name below it, or a loopback address; with or without a port.
bool IsThisMachine(std::string_view host);

}  // namespace kelvin::http
