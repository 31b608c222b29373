#include "package/dotnet_members.h"

namespace kelvin::package {
namespace {

constexpr DotnetMember kMembers[] = {
#include "package/data/dotnet_members.inc"
};

}  // namespace

std::span<const DotnetMember> DotnetMembers() {
  return kMembers;
}

}  // namespace kelvin::package
