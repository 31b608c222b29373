#pragma once

#include <expected>
#include <filesystem>

#include "base/error.h"

namespace kelvin::package {

// Whether `folder`/bootstrap is something that this machine can execute: an ELF program for its
// architecture or a script that begins with "#!". Fails with kNotFound when it is missing,
// kPermissionDenied when it is not executable, kInvalidArgument when it is anything else.
std::expected<void, Error> CheckBootstrap(const std::filesystem::path& folder);

}  // namespace kelvin::package
