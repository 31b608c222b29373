#pragma once

#include <map>
#include <string>
#include <string_view>

namespace kelvin::aws {

// The settings of each profile of ~/.aws/config or ~/.aws/credentials.
using Profiles = std::map<std::string, std::map<std::string, std::string>, std::less<>>;

enum class ProfileFile {
  kConfig,       // sections are [default] and [profile NAME]; others are left out
  kCredentials,  // sections are [NAME]
};

// Reads what the AWS CLI writes: lines "key = value", comments after '#' or ';' at a line's start,
// indented lines (settings of a service) left out. Lines that are none of these are passed over, as
// the CLI passes over them.
Profiles ParseProfiles(std::string_view text, ProfileFile file);

}  // namespace kelvin::aws
