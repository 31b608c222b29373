#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "package/contents.h"
#include "package/elf_file.h"
#include "package/rules.h"

namespace kelvin::package {

// How a package comes to run.
enum class Model { kJit, kReadyToRun, kAot, kInterpreted, kUnknown };
// "jit", "r2r", "aot", "interpreted", "unknown".
std::string_view ModelName(Model model);

// What a package is.
struct Identity {
  std::string what;      // "static native (Kelvin aot)", "Go", ".NET ReadyToRun"
  std::string language;  // "C++", "Go", "Rust", ".NET", "Node.js", "Python", "Java", "native"
  Model model = Model::kUnknown;
  std::string architecture;  // "x86_64", "arm64", "any", or both joined with '+'
  std::string program;       // the file that starts, or the main assembly; may be empty
};

struct Finding {
  const Rule* rule = nullptr;
  Severity severity = Severity::kNote;
  std::string file;          // within the package
  std::string evidence;      // symbol, library, member: what was found
  std::string fix;           // the rule's, unless this finding needs another
  std::uint64_t offset = 0;  // within the file, where has_offset
  bool has_offset = false;
  std::uint64_t count = 1;  // of the places like this one
};

struct SizedName {
  std::string name;
  std::uint64_t bytes = 0;
};

struct InspectOptions {
  std::string runtime = "provided.al2023";  // or provided.al2: whose libraries are counted on
  std::string architecture = {};            // expected; empty: that of the program itself
  bool bootstrap_from_layer = false;        // a layer brings the bootstrap
};

struct InspectReport {
  std::string source;
  Container container = Container::kFolder;
  Identity identity;
  std::string runtime;
  std::uint64_t packed_bytes = 0;
  std::uint64_t unpacked_bytes = 0;
  std::vector<SizedName> files;     // largest first
  std::vector<SizedName> sections;  // of the program, largest first
  std::optional<ElfFile> elf;       // of the program, without its functions
  std::vector<Finding> findings;    // errors first, then by rule

  // The worst of the findings; kNote when there are none, so look at findings.empty() first.
  Severity Worst() const;
  std::size_t Count(Severity severity) const;
  // How many findings are in an area at a severity or worse.
  std::size_t Count(Area area, Severity at_least) const;
};

// Looks at what was read. Never fails: what cannot be understood is a finding. kInvalidArgument for
// a runtime or architecture that is not known.
std::expected<InspectReport, Error> Inspect(const Contents& contents,
                                            const InspectOptions& options);

}  // namespace kelvin::package
