#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace kelvin::aws {

// Looks up an environment variable; nullopt when it is not set. The process environment is read
// only at a program's entry, which passes it on as this.
using EnvironmentLookup = std::function<std::optional<std::string>(std::string_view name)>;

}  // namespace kelvin::aws
