#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "package/contents.h"
#include "package/dotnet_annotations.h"
#include "package/dotnet_metadata.h"
#include "package/elf_file.h"
#include "package/inspect.h"
#include "package/pe_image.h"

namespace kelvin::package {

struct ElfPart {
  const PackagedFile* file;
  ElfFile elf;
};

struct AssemblyPart {
  const PackagedFile* file;
  PeImage image;
  std::unique_ptr<DotnetMetadata> metadata;
  std::unique_ptr<DotnetAnnotations> annotations;
};

// A package with its programs and assemblies parsed, and the findings so far. The contents outlive
// the object.
class Analysis {
 public:
  Analysis(const Contents& contents, const InspectOptions& options);

  const Contents& contents() const { return contents_; }
  const InspectOptions& options() const { return options_; }
  const std::vector<ElfPart>& elves() const { return elves_; }
  const std::vector<AssemblyPart>& assemblies() const { return assemblies_; }
  const ElfPart* FindElf(std::string_view name) const;

  // The file that starts: the bootstrap, the single ELF file, the image's entry point. Links within
  // the package are followed. nullptr when there is none.
  const PackagedFile* program() const { return program_; }

  // Adds a finding; further ones of the same rule, file and evidence only count.
  Finding& Add(std::string_view rule, std::string_view file, std::string evidence);
  std::vector<Finding> TakeFindings() { return std::move(findings_); }

 private:
  void Parse(const PackagedFile& file);
  void ParseAssembly(const PackagedFile& file);
  const PackagedFile* FindProgram() const;
  const PackagedFile* Follow(const PackagedFile* file) const;

  const Contents& contents_;
  const InspectOptions& options_;
  std::vector<ElfPart> elves_;
  std::vector<AssemblyPart> assemblies_;
  const PackagedFile* program_ = nullptr;
  std::vector<Finding> findings_;
};

// The parts of inspect, each a family of rules.
Identity Identify(const Analysis& analysis);
void CheckLayout(Analysis& analysis, const Identity& identity);
void CheckElves(Analysis& analysis, const Identity& identity);
void CheckAssemblies(Analysis& analysis, const Identity& identity);
void CheckSecrets(Analysis& analysis);

}  // namespace kelvin::package
