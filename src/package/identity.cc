#include <algorithm>
#include <set>

#include <elf.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "package/analysis.h"
#include "package/elf_machine.h"

namespace kelvin::package {
namespace {

std::string_view SectionBytes(const ElfPart& part, std::string_view name) {
  const ElfSection* section = part.elf.Section(name);
  if (section == nullptr || !section->in_file) return {};
  return std::string_view(part.file->content).substr(section->offset, section->size);
}

bool Has(const ElfPart& part, std::string_view section, std::string_view text) {
  return SectionBytes(part, section).contains(text);
}

// The version that a Go program says it was built with: after the magic, as a string or a pointer.
std::string GoVersion(const ElfPart& part) {
  const std::string_view info = SectionBytes(part, ".go.buildinfo");
  const std::size_t at = info.find("go1.");
  if (at == std::string_view::npos) return {};
  const std::string_view text = info.substr(at, 16);
  return std::string(text.substr(0, text.find_first_not_of("go0123456789.")));
}

bool IsGo(const ElfPart& part) {
  return part.elf.Section(".go.buildinfo") != nullptr ||
         part.elf.Section(".note.go.buildid") != nullptr;
}

bool IsRust(const ElfPart& part) {
  return Has(part, ".comment", "rustc version") || Has(part, ".rodata", "/rustc/") ||
         Has(part, ".rodata", "RUST_BACKTRACE");
}

bool IsDotnetNative(const ElfPart& part) {
  return part.elf.Section("__managedcode") != nullptr || part.elf.Section(".managed") != nullptr ||
         part.elf.Section("__modules") != nullptr;
}

bool IsKelvin(const ElfPart& part) {
  return Has(part, ".rodata", "N6kelvin") && Has(part, ".rodata", "/2018-06-01/runtime/");
}

std::string_view LinkName(const ElfFile& elf) {
  if (elf.kind == ElfKind::kSharedLibrary) return "shared library";
  if (elf.kind == ElfKind::kObject) return "object file";
  return elf.dynamic ? "dynamic native" : "static native";
}

Identity OfElf(const ElfPart& part) {
  Identity identity{.what = std::string(LinkName(part.elf)),
                    .language = "native",
                    .model = Model::kAot,
                    .architecture = {},
                    .program = part.file->name};
  if (IsGo(part)) {
    const std::string version = GoVersion(part);
    identity.language = "Go";
    identity.what =
        fmt::format("Go{}{}, {}", version.empty() ? "" : " ",
                    version.starts_with("go") ? version.substr(2) : version, LinkName(part.elf));
  } else if (IsDotnetNative(part)) {
    identity.language = ".NET";
    identity.what = fmt::format(".NET NativeAOT, {}", LinkName(part.elf));
  } else if (IsKelvin(part)) {
    identity.language = "C++";
    identity.what = fmt::format("Kelvin aot, {}", LinkName(part.elf));
  } else if (IsRust(part)) {
    identity.language = "Rust";
    identity.what = fmt::format("Rust, {}", LinkName(part.elf));
  }
  return identity;
}

bool Ends(const Contents& contents, std::string_view suffix) {
  return std::ranges::any_of(
      contents.files, [suffix](const PackagedFile& file) { return file.name.ends_with(suffix); });
}

// The assembly whose runtimeconfig or deps.json is there, else the one nobody refers to.
const AssemblyPart* MainAssembly(const Analysis& analysis) {
  for (const AssemblyPart& part : analysis.assemblies()) {
    const std::string stem = part.file->name.substr(0, part.file->name.rfind('.'));
    if (analysis.contents().Find(stem + ".runtimeconfig.json") != nullptr ||
        analysis.contents().Find(stem + ".deps.json") != nullptr) {
      return &part;
    }
  }
  std::set<std::string> referred;
  for (const AssemblyPart& part : analysis.assemblies()) {
    for (std::string& name : part.metadata->References()) referred.insert(std::move(name));
  }
  for (const AssemblyPart& part : analysis.assemblies()) {
    if (!referred.contains(part.metadata->AssemblyName())) return &part;
  }
  return analysis.assemblies().empty() ? nullptr : &analysis.assemblies().front();
}

Identity OfDotnet(const Analysis& analysis) {
  const AssemblyPart* main = MainAssembly(analysis);
  const bool ready = main->image.ready_to_run;
  return {.what = ready ? ".NET ReadyToRun" : ".NET Regular",
          .language = ".NET",
          .model = ready ? Model::kReadyToRun : Model::kJit,
          .architecture = {},
          .program = main->file->name};
}

Identity Interpreted(std::string_view language, std::string program) {
  return {.what = std::string(language),
          .language = std::string(language),
          .model = language == "Java" ? Model::kJit : Model::kInterpreted,
          .architecture = "any",
          .program = std::move(program)};
}

std::string FirstEnding(const Contents& contents, std::string_view suffix) {
  for (const PackagedFile& file : contents.files) {
    if (!file.name.contains('/') && file.name.ends_with(suffix)) return file.name;
  }
  return {};
}

std::optional<Identity> OfKelvinEngine(const Analysis& analysis) {
  const Contents& contents = analysis.contents();
  if (contents.Find("function.bc") == nullptr) return std::nullopt;
  // Beside the bitcode, mode r2r has its image: any ELF file that is not the bootstrap.
  const bool image = std::ranges::any_of(analysis.elves(), [](const ElfPart& part) {
    return part.file->name.starts_with("function.");
  });
  return Identity{.what = image ? "Kelvin r2r" : "Kelvin jit",
                  .language = "C++",
                  .model = image ? Model::kReadyToRun : Model::kJit,
                  .architecture = {},
                  .program = "function.bc"};
}

std::optional<Identity> ByFiles(const Analysis& analysis) {
  const Contents& contents = analysis.contents();
  if (!analysis.assemblies().empty()) return OfDotnet(analysis);
  for (const char* suffix : {".mjs", ".cjs", ".js"}) {
    if (std::string name = FirstEnding(contents, suffix); !name.empty()) {
      return Interpreted("Node.js", std::move(name));
    }
  }
  if (std::string name = FirstEnding(contents, ".py"); !name.empty()) {
    return Interpreted("Python", std::move(name));
  }
  if (Ends(contents, ".class") || Ends(contents, ".jar")) {
    std::string name = FirstEnding(contents, ".jar");
    return Interpreted("Java", std::move(name));
  }
  return std::nullopt;
}

std::string Architectures(const Analysis& analysis) {
  std::set<std::string> names;
  for (const ElfPart& part : analysis.elves()) names.insert(ElfMachineName(part.elf.machine));
  for (const AssemblyPart& part : analysis.assemblies()) {
    if (part.image.ready_to_run) names.insert(std::string(PeMachineName(part.image)));
  }
  if (names.empty()) return analysis.assemblies().empty() ? "" : "any";
  return fmt::format("{}", fmt::join(names, "+"));
}

Identity WithoutArchitecture(const Analysis& analysis) {
  if (auto engine = OfKelvinEngine(analysis)) return *engine;
  const PackagedFile* program = analysis.program();
  const ElfPart* elf = program != nullptr ? analysis.FindElf(program->name) : nullptr;
  if (elf != nullptr) {
    Identity identity = OfElf(*elf);
    // An apphost or a wrapper beside assemblies only starts them.
    if (!analysis.assemblies().empty() && identity.language == "native") {
      Identity managed = OfDotnet(analysis);
      managed.what += ", with a native host";
      return managed;
    }
    return identity;
  }
  if (auto by_files = ByFiles(analysis)) return *by_files;
  if (program != nullptr && program->content.starts_with("#!")) {
    const std::string_view line =
        std::string_view(program->content).substr(0, program->content.find('\n'));
    return {.what = fmt::format("script ({})", line.substr(0, 60)),
            .language = "script",
            .model = Model::kInterpreted,
            .architecture = {},
            .program = program->name};
  }
  if (analysis.elves().size() == 1) return OfElf(analysis.elves().front());
  return {.what = "unknown",
          .language = "unknown",
          .model = Model::kUnknown,
          .architecture = {},
          .program = {}};
}

}  // namespace

std::string_view ModelName(Model model) {
  switch (model) {
    case Model::kJit:
      return "jit";
    case Model::kReadyToRun:
      return "r2r";
    case Model::kAot:
      return "aot";
    case Model::kInterpreted:
      return "interpreted";
    case Model::kUnknown:
      return "unknown";
  }
  return "unknown";
}

Identity Identify(const Analysis& analysis) {
  Identity identity = WithoutArchitecture(analysis);
  const ElfPart* program = analysis.FindElf(identity.program);
  if (program != nullptr) {
    identity.architecture = ElfMachineName(program->elf.machine);
  } else if (identity.architecture.empty()) {
    identity.architecture = Architectures(analysis);
  }
  return identity;
}

}  // namespace kelvin::package
