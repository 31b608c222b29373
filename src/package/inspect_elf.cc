#include <algorithm>

#include <elf.h>
#include <fmt/format.h>

#include "package/analysis.h"
#include "package/cpu_instructions.h"
#include "package/elf_machine.h"
#include "package/runtime_libraries.h"

namespace kelvin::package {
namespace {

// Below these, what they cost is lost in the noise of an init.
constexpr std::size_t kFewLibraries = 2;
constexpr std::uint64_t kFewRelocations = 2000;
constexpr std::uint64_t kFewInitialisers = 40;
constexpr std::uint64_t kLittleDebug = 256 * 1024;
constexpr std::uint64_t kLittleData = 8 << 20;
constexpr std::uint64_t kFewInstructions = 4;  // fewer may be data that looks like code

class Checker {
 public:
  Checker(Analysis& analysis, const ElfPart& part, const Identity& identity)
      : analysis_(analysis),
        name_(part.file->name),
        content_(part.file->content),
        elf_(part.elf),
        identity_(identity),
        libraries_(*RuntimeLibraries::Of(analysis.options().runtime)) {}

  void Run() {
    CheckMachine();
    if (!elf_.is_64_bit || !elf_.little_endian || elf_.kind == ElfKind::kObject) return;
    // An image brings its own libraries.
    if (!analysis_.contents().image) {
      CheckLoader();
      CheckLibraries();
      CheckVersions();
    }
    CheckInstructions();
    CheckStartTime();
    CheckDynamicLoading();
    CheckHardening();
  }

 private:
  Finding& Add(std::string_view rule, std::string evidence) {
    return analysis_.Add(rule, name_, std::move(evidence));
  }
  bool IsProgram() const { return identity_.program == name_; }

  void CheckMachine() {
    const std::string machine = ElfMachineName(elf_.machine);
    std::string expected = analysis_.options().architecture;
    if (expected.empty() && !IsProgram() && identity_.architecture != "any") {
      expected = identity_.architecture;
    }
    const bool lambda_has = machine == "x86_64" || machine == "arm64";
    if (!lambda_has || !elf_.is_64_bit) {
      Add("KV1005", fmt::format("for {}, Lambda has x86_64 and arm64", machine));
    } else if (!expected.empty() && !expected.contains('+') && machine != expected) {
      Add("KV1005", fmt::format("for {}, the function is {}", machine, expected));
    }
  }

  void CheckLoader() {
    if (!elf_.interpreter.empty() && !libraries_.HasLoader(elf_.interpreter)) {
      Add("KV1008", elf_.interpreter);
    }
  }

  bool InPackage(const std::string& library) const {
    return std::ranges::any_of(analysis_.contents().files, [&](const PackagedFile& file) {
      return file.name == library || file.name.ends_with("/" + library);
    });
  }

  void CheckLibraries() {
    for (const std::string& library : elf_.needed) {
      if (!libraries_.Has(library) && !InPackage(library)) {
        Add("KV1007", library);
      }
    }
  }

  void CheckVersions() {
    for (const ElfVersionNeed& need : elf_.versions) {
      if (libraries_.HasVersion(need.version) || InPackage(need.library)) continue;
      std::string evidence =
          fmt::format("{} of {}, {} has {}", need.version, need.library,
                      analysis_.options().runtime, libraries_.NewestLike(need.version));
      if (!need.symbols.empty()) evidence += fmt::format(" (for {})", need.symbols.front());
      Add("KV1006", std::move(evidence));
    }
  }

  void CheckInstructions() {
    constexpr std::uint32_t kV4 = 1U << 3;
    if ((elf_.needed_isa & kV4) != 0) {
      Add("KV1009", "the program says that it needs x86-64-v4 (GNU property)").severity =
          Severity::kError;
      return;
    }
    CpuScan all;
    const ElfSection* where = nullptr;
    for (const ElfSection& section : elf_.sections) {
      if (!section.executable || !section.in_file) continue;
      const auto code = content_.substr(section.offset, section.size);
      const CpuScan scan = elf_.machine == EM_AARCH64 ? ScanArm64(code) : ScanX86(code);
      if (scan.beyond > 0 && where == nullptr) {
        where = &section;
        all.first_offset = scan.first_offset;
      }
      all.beyond += scan.beyond;
      all.asks_the_cpu |= scan.asks_the_cpu;
    }
    if (where == nullptr || all.beyond < kFewInstructions) return;
    const std::string_view function = elf_.FunctionAt(where->address + all.first_offset);
    const bool chooses = all.asks_the_cpu || elf_.indirect_relocations > 0 ||
                         elf_.Imports("getauxval") || elf_.Imports("__getauxval");
    Finding& finding =
        Add("KV1009", fmt::format("{} {} instructions, the first in {}{}{}", all.beyond,
                                  elf_.machine == EM_AARCH64 ? "SVE" : "AVX-512", where->name,
                                  function.empty() ? "" : fmt::format(", function {}", function),
                                  chooses ? "; the program asks the processor first" : ""));
    finding.offset = where->offset + all.first_offset;
    finding.has_offset = true;
    if (chooses) finding.severity = Severity::kNote;
  }

  std::uint64_t DebugBytes() const {
    std::uint64_t bytes = 0;
    for (const ElfSection& section : elf_.sections) {
      if (!section.loaded && section.in_file &&
          (section.name.starts_with(".debug") || section.name.starts_with(".zdebug") ||
           section.name == ".symtab" || section.name == ".strtab")) {
        bytes += section.size;
      }
    }
    return bytes;
  }

  void CheckStartTime() {
    if (IsProgram() && elf_.needed.size() > kFewLibraries) {
      Add("KV2001", fmt::format("{} libraries: {}", elf_.needed.size(), Joined(elf_.needed)));
    }
    const std::uint64_t relocations = elf_.relative_relocations + elf_.symbol_relocations;
    if (relocations > kFewRelocations) {
      Add("KV2002", fmt::format("{} relative, {} by symbol", elf_.relative_relocations,
                                elf_.symbol_relocations));
    }
    if (elf_.initialisers > kFewInitialisers) {
      Add("KV2003", fmt::format("{} functions in .init_array", elf_.initialisers));
    }
    if (const std::uint64_t debug = DebugBytes(); debug > kLittleDebug) {
      const std::uint64_t share = debug * 100 / std::max<std::uint64_t>(1, content_.size());
      Add("KV2004",
          fmt::format("{} bytes of symbols and debug information, {}% of the file", debug, share));
    }
    for (const ElfSection& section : elf_.sections) {
      const bool data = section.loaded && section.in_file && !section.executable &&
                        !section.name.starts_with(".eh_frame");
      if (!data || section.size <= kLittleData) continue;
      Finding& finding = Add("KV2005", fmt::format("{} bytes in {}", section.size, section.name));
      finding.offset = section.offset;
      finding.has_offset = true;
    }
  }

  static std::string Joined(const std::vector<std::string>& names) {
    constexpr std::size_t kShown = 6;
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i) {
      text += (i == 0 ? "" : ", ") + names[i];
    }
    return names.size() > kShown ? text + ", ..." : text;
  }

  void CheckDynamicLoading() {
    for (const char* symbol : {"dlopen", "dlmopen"}) {
      if (!elf_.Imports(symbol)) continue;
      Add("KV3001", fmt::format("imports {}", symbol));
      if (IsProgram()) Add("KV2006", fmt::format("imports {}", symbol));
    }
    if (elf_.Imports("dlsym") && !elf_.Imports("dlopen")) Add("KV3001", "imports dlsym");
    const auto loads = [](std::string_view name) {
      return name.contains("kelvin") && name.contains("LoadModule");
    };
    for (const std::string& symbol : elf_.imports) {
      if (loads(symbol)) Add("KV3002", fmt::format("imports {}", symbol));
    }
    for (const ElfFunction& function : elf_.functions) {
      if (!loads(function.name)) continue;
      Add("KV3002", fmt::format("contains {}", function.name));
      break;
    }
  }

  void CheckHardening() {
    if (elf_.kind == ElfKind::kExecutable) Add("KV4001", "the program is of type EXEC");
    if (elf_.relro == Relro::kNone && !elf_.segments.empty()) Add("KV4002", "no RELRO");
    if (elf_.relro == Relro::kPartial) Add("KV4002", "partial RELRO: lazy binding");
    for (const ElfSegment& segment : elf_.segments) {
      if (segment.type != PT_LOAD || !segment.writable || !segment.executable) continue;
      Finding& finding = Add("KV4003", fmt::format("LOAD segment at {:#x}", segment.address));
      finding.offset = segment.offset;
      finding.has_offset = true;
    }
    if (elf_.stack_execution == StackExecution::kYes) Add("KV4004", "PT_GNU_STACK is executable");
    if (elf_.stack_execution == StackExecution::kUnsaid && !elf_.segments.empty()) {
      Add("KV4004", "no PT_GNU_STACK").severity = Severity::kNote;
    }
    for (const std::string& path : elf_.search_paths) {
      if (!path.starts_with("$ORIGIN") && !path.starts_with("/opt") &&
          !path.starts_with("/var/task")) {
        Add("KV4006", path);
      }
    }
  }

  Analysis& analysis_;
  const std::string& name_;
  std::string_view content_;
  const ElfFile& elf_;
  const Identity& identity_;
  RuntimeLibraries libraries_;
};

}  // namespace

void CheckElves(Analysis& analysis, const Identity& identity) {
  // Of an image only the program counts: what a base system holds is its distribution's affair.
  for (const ElfPart& part : analysis.elves()) {
    if (analysis.contents().image && part.file->name != identity.program) continue;
    Checker(analysis, part, identity).Run();
  }
}

}  // namespace kelvin::package
