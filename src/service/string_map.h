#pragma once

#include <functional>
#include <map>
#include <string>

namespace kelvin::service {

using StringMap = std::map<std::string, std::string, std::less<>>;

}  // namespace kelvin::service
