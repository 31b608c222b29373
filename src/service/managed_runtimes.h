#pragma once

#include <expected>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "service/api_error.h"

namespace kelvin::service {

// Folders of the host that functions of a managed runtime see, read-only.
struct RuntimeFolders {
  std::filesystem::path runtime;   // /var/runtime; holds the bootstrap
  std::filesystem::path language;  // /var/lang; may be empty
};
// By Lambda's name of the runtime, such as nodejs20.x.
using ManagedRuntimes = std::map<std::string, RuntimeFolders, std::less<>>;

// Whether functions bring a bootstrap of their own.
bool IsProvided(std::string_view runtime);

// Fails with kInvalidParameterValue, saying how to have a runtime that is not there.
std::expected<void, ApiError> CheckRuntime(const ManagedRuntimes& runtimes,
                                           std::string_view runtime);

}  // namespace kelvin::service
