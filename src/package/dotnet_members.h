#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace kelvin::package {

// A member of .NET's own libraries whose callers the trimmer or the AOT compiler warns.
struct DotnetMember {
  std::string_view type;
  std::string_view name;
  std::string_view parameters;  // joined with ','; "*": every overload
  std::uint8_t requirements;    // Requirement bits
};

// Read from the attributes in the reference assemblies of .NET (the version is in the data's first
// line) by kelvin_dotnet_members, which prints the data anew.
std::span<const DotnetMember> DotnetMembers();

}  // namespace kelvin::package
