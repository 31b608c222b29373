#include "package/inspect.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "package/analysis.h"
#include "package/runtime_libraries.h"

namespace kelvin::package {
namespace {

std::vector<SizedName> LargestFirst(std::vector<SizedName> names) {
  std::ranges::sort(names, [](const SizedName& a, const SizedName& b) {
    return a.bytes != b.bytes ? a.bytes > b.bytes : a.name < b.name;
  });
  return names;
}

std::vector<SizedName> FileSizes(const Contents& contents) {
  std::vector<SizedName> files;
  for (const PackagedFile& file : contents.files) {
    files.push_back({file.name, file.content.size()});
  }
  return LargestFirst(std::move(files));
}

std::vector<SizedName> SectionSizes(const Analysis& analysis, const Identity& identity) {
  std::vector<SizedName> sections;
  if (const ElfPart* part = analysis.FindElf(identity.program)) {
    for (const ElfSection& section : part->elf.sections) {
      if (section.size > 0) sections.push_back({section.name, section.size});
    }
  }
  for (const AssemblyPart& part : analysis.assemblies()) {
    if (part.file->name != identity.program) continue;
    for (const PeImage::Section& section : part.image.sections) {
      sections.push_back({std::string(section.name), section.file_size});
    }
  }
  return LargestFirst(std::move(sections));
}

}  // namespace

Severity InspectReport::Worst() const {
  Severity worst = Severity::kNote;
  for (const Finding& finding : findings) worst = std::max(worst, finding.severity);
  return worst;
}

std::size_t InspectReport::Count(Severity severity) const {
  return static_cast<std::size_t>(std::ranges::count(findings, severity, &Finding::severity));
}

std::size_t InspectReport::Count(Area area, Severity at_least) const {
  return static_cast<std::size_t>(std::ranges::count_if(findings, [&](const Finding& finding) {
    return finding.rule->area == area && finding.severity >= at_least;
  }));
}

std::expected<InspectReport, Error> Inspect(const Contents& contents,
                                            const InspectOptions& options) {
  if (!RuntimeLibraries::Of(options.runtime)) {
    return std::unexpected(
        Error{ErrorCode::kInvalidArgument,
              fmt::format("expected the runtime provided.al2023 or provided.al2, got {}",
                          options.runtime)});
  }
  if (!options.architecture.empty() && options.architecture != "x86_64" &&
      options.architecture != "arm64") {
    return std::unexpected(Error{
        ErrorCode::kInvalidArgument,
        fmt::format("expected the architecture x86_64 or arm64, got {}", options.architecture)});
  }
  Analysis analysis(contents, options);
  InspectReport report{.source = contents.source,
                       .container = contents.container,
                       .identity = Identify(analysis),
                       .runtime = options.runtime,
                       .packed_bytes = contents.packed_bytes,
                       .unpacked_bytes = contents.unpacked_bytes,
                       .files = FileSizes(contents),
                       .sections = {},
                       .elf = {},
                       .findings = {}};
  report.sections = SectionSizes(analysis, report.identity);
  if (const ElfPart* part = analysis.FindElf(report.identity.program)) {
    report.elf = part->elf;
    report.elf->functions.clear();
  }
  CheckLayout(analysis, report.identity);
  CheckElves(analysis, report.identity);
  CheckAssemblies(analysis, report.identity);
  CheckSecrets(analysis);
  report.findings = analysis.TakeFindings();
  std::ranges::sort(report.findings, [](const Finding& a, const Finding& b) {
    if (a.severity != b.severity) return a.severity > b.severity;
    return std::tie(a.rule->id, a.file, a.evidence) < std::tie(b.rule->id, b.file, b.evidence);
  });
  return report;
}

}  // namespace kelvin::package
