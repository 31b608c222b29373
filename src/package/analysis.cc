#include "package/analysis.h"

#include <algorithm>

#include <fmt/format.h>

namespace kelvin::package {

Analysis::Analysis(const Contents& contents, const InspectOptions& options)
    : contents_(contents), options_(options) {
  for (const PackagedFile& file : contents.files) Parse(file);
  program_ = FindProgram();
}

void Analysis::Parse(const PackagedFile& file) {
  const std::string_view content = file.content;
  if (content.starts_with("\177ELF")) {
    auto elf = ReadElf(content);
    if (elf) {
      elves_.push_back({&file, std::move(*elf)});
    } else {
      Add("KV1015", file.name, elf.error().message);
    }
  } else if (content.starts_with("MZ")) {
    ParseAssembly(file);
  } else if (content.starts_with("\xcf\xfa\xed\xfe") || content.starts_with("\xca\xfe\xba\xbe")) {
    // A Java class begins like a macOS program of several architectures, but has a version there.
    if (!file.name.ends_with(".class")) Add("KV1014", file.name, "a macOS program");
  }
}

void Analysis::ParseAssembly(const PackagedFile& file) {
  auto image = ReadPe(file.content);
  if (!image) {
    Add("KV1015", file.name, image.error().message);
    return;
  }
  if (!image->managed) {
    Add("KV1014", file.name, "a Windows program or library");
    return;
  }
  auto metadata = DotnetMetadata::Parse(image->metadata);
  if (!metadata) {
    Add("KV1015", file.name, metadata.error().message);
    return;
  }
  AssemblyPart part{.file = &file,
                    .image = std::move(*image),
                    .metadata = std::make_unique<DotnetMetadata>(std::move(*metadata)),
                    .annotations = nullptr};
  part.annotations = std::make_unique<DotnetAnnotations>(*part.metadata);
  assemblies_.push_back(std::move(part));
}

const ElfPart* Analysis::FindElf(std::string_view name) const {
  const auto found =
      std::ranges::find_if(elves_, [name](const ElfPart& part) { return part.file->name == name; });
  return found != elves_.end() ? &*found : nullptr;
}

const PackagedFile* Analysis::Follow(const PackagedFile* file) const {
  for (int i = 0; file != nullptr && file->is_link(); ++i) {
    if (i == 8) return nullptr;
    std::string target = file->link_target;
    if (!target.starts_with('/')) {
      target = (std::filesystem::path(file->name).parent_path() / target)
                   .lexically_normal()
                   .generic_string();
    } else {
      target.erase(0, target.find_first_not_of('/'));
    }
    file = contents_.Find(target);
  }
  return file;
}

const PackagedFile* Analysis::FindProgram() const {
  if (contents_.container == Container::kElf || contents_.container == Container::kDll) {
    return &contents_.files.front();
  }
  if (!contents_.image) return Follow(contents_.Find("bootstrap"));
  const ImageConfig& image = *contents_.image;
  const auto& words = image.entrypoint.empty() ? image.command : image.entrypoint;
  if (words.empty()) return nullptr;
  const std::string& word = words.front();
  if (word.contains('/')) {
    const auto path =
        std::filesystem::path(image.working_folder.empty() ? "/" : image.working_folder) / word;
    return Follow(contents_.Find(path.lexically_normal().relative_path().generic_string()));
  }
  for (const char* folder :
       {"usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin"}) {
    if (const auto* found = Follow(contents_.Find(fmt::format("{}/{}", folder, word))))
      return found;
  }
  return nullptr;
}

Finding& Analysis::Add(std::string_view rule, std::string_view file, std::string evidence) {
  for (Finding& finding : findings_) {
    if (finding.rule->id == rule && finding.file == file && finding.evidence == evidence) {
      ++finding.count;
      return finding;
    }
  }
  const Rule* known = FindRule(rule);
  findings_.push_back({.rule = known,
                       .severity = known->severity,
                       .file = std::string(file),
                       .evidence = std::move(evidence),
                       .fix = std::string(known->fix)});
  return findings_.back();
}

}  // namespace kelvin::package
