// kelvin_dotnet_members: prints data/dotnet_members.inc from the reference assemblies of .NET.
//   kelvin_dotnet_members VERSION /usr/share/dotnet/packs/Microsoft.NETCore.App.Ref/VERSION/ref/...
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/file.h"
#include "package/dotnet_annotations.h"
#include "package/dotnet_metadata.h"
#include "package/pe_image.h"

namespace {

using kelvin::package::DotnetMetadata;
using kelvin::package::Table;

struct Group {
  std::map<std::string, int> overloads;  // parameters -> requirements, 0 too
};
using Members = std::map<std::pair<std::string, std::string>, Group>;

bool IsVisible(const DotnetMetadata& metadata, std::uint32_t method) {
  constexpr std::uint32_t kAccess = 7;
  constexpr std::uint32_t kFamily = 4;  // protected, protected internal, public
  return (metadata.Cell(Table::kMethodDef, method, 2) & kAccess) >= kFamily;
}

bool Collect(const std::filesystem::path& path, Members& members) {
  const auto bytes = kelvin::ReadFile(path);
  if (!bytes) return false;
  const auto image = kelvin::package::ReadPe(*bytes);
  if (!image || !image->managed) return false;
  const auto metadata = DotnetMetadata::Parse(image->metadata);
  if (!metadata) return false;
  const kelvin::package::DotnetAnnotations annotations(*metadata);
  for (std::uint32_t row = 1; row <= metadata->Rows(Table::kMethodDef); ++row) {
    if (!IsVisible(*metadata, row)) continue;
    const auto member = metadata->Member({static_cast<std::uint8_t>(Table::kMethodDef), row});
    members[{member.type, member.name}]
        .overloads[fmt::format("{}", fmt::join(member.parameters, ","))] |=
        annotations.Requirements(row);
  }
  return true;
}

void Print(const std::pair<std::string, std::string>& name, const Group& group) {
  bool same = true;
  bool any = false;
  const int first = group.overloads.begin()->second;
  for (const auto& [parameters, requirements] : group.overloads) {
    same = same && requirements == first;
    any = any || requirements != 0;
  }
  if (!any) return;
  if (same) {
    fmt::print("{{\"{}\", \"{}\", \"*\", {}}},\n", name.first, name.second, first);
    return;
  }
  for (const auto& [parameters, requirements] : group.overloads) {
    if (requirements == 0) continue;
    fmt::print("{{\"{}\", \"{}\", \"{}\", {}}},\n", name.first, name.second, parameters,
               requirements);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "kelvin_dotnet_members: expected VERSION DLL...\n");
    return 2;
  }
  Members members;
  for (int i = 2; i < argc; ++i) {
    if (!Collect(argv[i], members)) {
      fmt::print(stderr, "kelvin_dotnet_members: {} is no .NET assembly\n", argv[i]);
      return 1;
    }
  }
  fmt::print("// Printed by kelvin_dotnet_members from the reference assemblies of .NET {}.\n",
             argv[1]);
  for (const auto& [name, group] : members) Print(name, group);
  return 0;
}
