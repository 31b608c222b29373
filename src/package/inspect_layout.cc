#include <algorithm>

#include <fmt/format.h>

#include "package/analysis.h"
#include "package/entry_name.h"

namespace kelvin::package {
namespace {

constexpr std::uint64_t kMaxZip = 52'428'800;
constexpr std::uint64_t kMaxUnpacked = 262'144'000;
constexpr std::uint64_t kMaxImage = std::uint64_t{10} << 30;
constexpr std::size_t kManyFiles = 2000;

// Whether an OS-only runtime looks for a bootstrap in this package.
bool NeedsBootstrap(const Analysis& analysis, const Identity& identity) {
  const Contents& contents = analysis.contents();
  if (contents.container == Container::kElf || contents.container == Container::kDll ||
      contents.container == Container::kImage || analysis.options().bootstrap_from_layer) {
    return false;
  }
  // Managed languages bring theirs; a Kelvin jit or r2r function takes the engine's from its layer.
  return identity.language != ".NET" && identity.model != Model::kInterpreted &&
         identity.language != "Java" && identity.program != "function.bc";
}

std::string_view BaseName(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  return slash == std::string_view::npos ? name : name.substr(slash + 1);
}

void CheckBootstrapIsThere(Analysis& analysis) {
  std::string evidence = "no file named bootstrap at the top";
  for (const PackagedFile& file : analysis.contents().files) {
    if (BaseName(file.name) == "bootstrap") {
      evidence = fmt::format("{} is in a folder", file.name);
      break;
    }
  }
  if (evidence.starts_with("no file") && analysis.elves().size() == 1) {
    evidence += fmt::format("; the only program is {}", analysis.elves().front().file->name);
  }
  analysis.Add("KV1001", "", std::move(evidence));
}

void CheckScript(Analysis& analysis, const PackagedFile& program) {
  std::string_view line = program.content;
  line = line.substr(0, line.find('\n'));
  if (line.ends_with('\r')) {
    analysis.Add("KV1004", program.name, "the first line ends with a carriage return");
    return;
  }
  analysis.Add("KV1003", program.name, std::string(line.substr(0, 80)));
  line.remove_prefix(2);
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::string_view interpreter = line.substr(0, line.find(' '));
  constexpr std::string_view kThere[] = {"/bin/sh", "/bin/bash", "/usr/bin/sh", "/usr/bin/bash",
                                         "/usr/bin/env"};
  const bool packaged = interpreter.starts_with("/var/task/") || interpreter.starts_with("/opt/") ||
                        analysis.contents().image.has_value();
  if (!packaged && std::ranges::find(kThere, interpreter) == std::end(kThere)) {
    analysis.Add("KV1004", program.name,
                 fmt::format("{} has no {}", analysis.options().runtime, interpreter));
  }
}

void CheckProgram(Analysis& analysis) {
  const PackagedFile* program = analysis.program();
  if (program == nullptr || analysis.contents().container == Container::kDll) return;
  if ((program->mode & 0111) == 0 && analysis.contents().container != Container::kElf) {
    analysis.Add("KV1002", program->name, fmt::format("mode {:04o}", program->mode));
  }
  if (program->content.starts_with("#!")) {
    CheckScript(analysis, *program);
  } else if (!program->content.starts_with("\177ELF")) {
    analysis.Add("KV1004", program->name,
                 program->content.starts_with("MZ") ? "a Windows program"
                                                    : "neither an ELF program nor a script");
  }
}

void CheckSizes(Analysis& analysis) {
  const Contents& contents = analysis.contents();
  const bool image = contents.container == Container::kImage;
  const std::uint64_t most = image ? kMaxImage : kMaxUnpacked;
  if (contents.unpacked_bytes > most) {
    analysis.Add("KV1010", "",
                 fmt::format("{} bytes unpacked, {} more than allowed", contents.unpacked_bytes,
                             contents.unpacked_bytes - most));
  }
  if (contents.container == Container::kZip && contents.packed_bytes > kMaxZip) {
    analysis.Add("KV1011", "", fmt::format("{} bytes packed", contents.packed_bytes));
  }
  if (!image && contents.files.size() > kManyFiles) {
    analysis.Add("KV2008", "", fmt::format("{} files", contents.files.size()));
  }
}

void CheckModes(Analysis& analysis) {
  const Contents& contents = analysis.contents();
  // An image's own files belong to its users.
  const bool ours = contents.container == Container::kZip;
  for (const PackagedFile& file : contents.files) {
    if (file.is_link()) continue;
    // A zip made on Windows has no modes at all; Lambda then takes 0644 or so.
    if (ours && file.mode != 0 && (file.mode & 0004) == 0) {
      analysis.Add("KV1012", file.name, fmt::format("mode {:04o}", file.mode));
    }
    if ((file.mode & 06000) != 0 && contents.container != Container::kImage) {
      analysis.Add("KV4007", file.name, fmt::format("mode {:04o}", file.mode));
    }
  }
}

void CheckDebugFiles(Analysis& analysis) {
  for (const PackagedFile& file : analysis.contents().files) {
    for (const char* suffix : {".pdb", ".dbg", ".debug", ".js.map", ".mjs.map"}) {
      if (!file.name.ends_with(suffix) || analysis.contents().image) continue;
      analysis.Add("KV2004", file.name, fmt::format("{} bytes", file.content.size()));
    }
  }
}

void CheckInterpreted(Analysis& analysis, const Identity& identity) {
  if (identity.model == Model::kInterpreted && identity.language != "script") {
    analysis.Add("KV3006", identity.program, identity.language);
  }
  if (identity.model == Model::kJit) {
    analysis.Add("KV2007", identity.program, identity.what);
  }
}

}  // namespace

void CheckLayout(Analysis& analysis, const Identity& identity) {
  if (analysis.program() == nullptr && NeedsBootstrap(analysis, identity)) {
    CheckBootstrapIsThere(analysis);
  }
  if (analysis.contents().image && analysis.program() == nullptr) {
    const ImageConfig& image = *analysis.contents().image;
    const auto& words = image.entrypoint.empty() ? image.command : image.entrypoint;
    analysis.Add("KV1016", "",
                 words.empty() ? std::string("neither ENTRYPOINT nor CMD")
                               : fmt::format("{} is not in the image", words.front()));
  }
  CheckProgram(analysis);
  CheckSizes(analysis);
  CheckModes(analysis);
  CheckDebugFiles(analysis);
  CheckInterpreted(analysis, identity);
}

}  // namespace kelvin::package
