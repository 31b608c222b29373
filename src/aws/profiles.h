#pragma once

#include <map>
#include <string>
#include <string_view>

namespace kelvin::aws {

// Settings by section.
using Sections = std::map<std::string, std::map<std::string, std::string>, std::less<>>;

// What ~/.aws/config or ~/.aws/credentials holds.
struct ProfileFileContent {
  Sections profiles;
  Sections sso_sessions;  // [sso-session NAME], of the configuration only
};

enum class ProfileFile {
  kConfig,  // sections are [default], [profile NAME] and [sso-session NAME]; others are left out
  kCredentials,  // sections are [NAME]
};

// Reads what the AWS CLI reads: lines "key = value" or "key: value" whose keys are lower-cased,
// comments after '#' or ';' at a line's start, indented lines (settings of a service) left out,
// names in quotes. Lines that are none of these are passed over.
ProfileFileContent ParseProfiles(std::string_view text, ProfileFile file);

}  // namespace kelvin::aws
