#include <algorithm>

#include <fmt/format.h>

#include "package/analysis.h"
#include "package/dotnet_code.h"

namespace kelvin::package {
namespace {

// Libraries whose own authors say that they are not ready for trimming or AOT.
constexpr std::pair<std::string_view, std::string_view> kNotReady[] = {
    {"Newtonsoft.Json", "serialises by reflection; System.Text.Json has a source generator"},
    {"Microsoft.EntityFrameworkCore", "supports AOT in part; Dapper.AOT or ADO.NET do fully"},
    {"AutoMapper", "maps by reflection; Mapperly generates the code"},
    {"Castle.Core", "makes proxies at run time"},
    {"Castle.Windsor", "finds types by reflection"},
    {"NHibernate", "makes proxies at run time"},
    {"Autofac", "finds types by reflection"},
    {"MediatR", "finds handlers by reflection"},
    {"FluentValidation", "compiles expressions at run time"},
    {"Dapper", "makes methods at run time; Dapper.AOT generates them"},
};

void CheckReferences(Analysis& analysis, const AssemblyPart& part) {
  for (const std::string& reference : part.metadata->References()) {
    for (const auto& [name, why] : kNotReady) {
      if (reference != name && !reference.starts_with(fmt::format("{}.", name))) continue;
      if (name == "Dapper" && reference != name) continue;
      analysis.Add("KV3003", part.file->name, fmt::format("{} {}", reference, why));
    }
  }
}

void CheckSerializer(Analysis& analysis, const AssemblyPart& part) {
  const auto& attributes = part.annotations->assembly();
  const auto [first, last] = attributes.equal_range("Amazon.Lambda.Core.LambdaSerializerAttribute");
  for (auto at = first; at != last; ++at) {
    const std::string_view type = std::string_view(at->second).substr(0, at->second.find(','));
    if (type.contains("SourceGenerator")) continue;
    analysis.Add("KV3005", part.file->name, std::string(type));
  }
}

void CheckCode(Analysis& analysis, const AssemblyPart& part, const KnownMembers& known) {
  for (const DotnetUse& use : FindUses(part.image, *part.metadata, *part.annotations, known)) {
    Finding& finding = analysis.Add(use.code, part.file->name, use.member);
    if (finding.count > 1) continue;
    finding.fix = fmt::format("{} First called by {} at IL_{:04x}.", finding.rule->fix, use.caller,
                              use.il_offset);
  }
}

// Of a self-contained application .NET itself is in the package; its insides are not the user's.
bool IsDotnetItself(const AssemblyPart& part) {
  const std::string name = part.metadata->AssemblyName();
  return name.starts_with("System.") || name == "System" || name == "mscorlib" ||
         name == "netstandard" || name.starts_with("Microsoft.CSharp") ||
         name.starts_with("Microsoft.VisualBasic") || name.starts_with("Microsoft.Win32") ||
         name == "WindowsBase";
}

void CheckManagedLayout(Analysis& analysis, const Identity& identity) {
  const Contents& contents = analysis.contents();
  if (contents.container != Container::kZip && contents.container != Container::kFolder) return;
  if (identity.language != ".NET" || !identity.program.ends_with(".dll")) return;
  if (contents.Find("bootstrap") != nullptr) return;
  const std::string stem = identity.program.substr(0, identity.program.size() - 4);
  if (contents.Find(stem + ".runtimeconfig.json") == nullptr) {
    analysis.Add("KV1013", identity.program, fmt::format("no {}.runtimeconfig.json", stem));
  }
}

}  // namespace

void CheckAssemblies(Analysis& analysis, const Identity& identity) {
  if (analysis.assemblies().empty()) return;
  CheckManagedLayout(analysis, identity);
  KnownMembers known;
  for (const AssemblyPart& part : analysis.assemblies()) {
    if (!IsDotnetItself(part)) known.Add(*part.metadata, *part.annotations);
  }
  for (const AssemblyPart& part : analysis.assemblies()) {
    const std::string machine(PeMachineName(part.image));
    const std::string& expected = analysis.options().architecture;
    if (part.image.ready_to_run && !expected.empty() && machine != expected) {
      analysis
          .Add("KV1005", part.file->name,
               fmt::format("ReadyToRun code for {}, the function is {}", machine, expected))
          .severity = Severity::kWarning;
    }
    if (IsDotnetItself(part) && analysis.assemblies().size() > 1) continue;
    CheckReferences(analysis, part);
    CheckSerializer(analysis, part);
    CheckCode(analysis, part, known);
  }
}

}  // namespace kelvin::package
