#pragma once

#include <cstdint>
#include <string>

namespace kelvin::package {

// "x86_64", "arm64", "32-bit arm", "ELF machine 99": e_machine as people say it.
std::string ElfMachineName(std::uint16_t machine);

}  // namespace kelvin::package
