#include "service/machine.h"

#include <string>

#include "base/file.h"

namespace kelvin::service {
namespace {

#if defined(__aarch64__)
constexpr Architecture kNative = Architecture::kArm;
#else
constexpr Architecture kNative = Architecture::kX86;
#endif

// What follows a word at a line's start, up to the line's end.
std::string_view After(std::string_view text, std::string_view word) {
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view line = text.substr(at, text.find('\n', at) - at);
    if (line.starts_with(word)) return line.substr(word.size());
    at += line.size() + 1;
  }
  return {};
}

// An entry is lines such as "enabled", "flags: OCF", "offset 0" and "magic 7f454c46...".
bool Emulates(std::string_view entry, Architecture architecture) {
  // A 64-bit little-endian ELF file; its machine stands 18 bytes in, as two hexadecimal digits
  // each.
  constexpr std::string_view kElf = "7f454c460201";
  constexpr std::size_t kMachineAt = 36;
  const std::string_view machine = architecture == Architecture::kArm ? "b700" : "3e00";
  const std::string_view magic = After(entry, "magic ");
  return entry.starts_with("enabled\n") && After(entry, "flags: ").contains('F') &&
         After(entry, "offset ") == "0" && magic.starts_with(kElf) && magic.size() > kMachineAt &&
         magic.substr(kMachineAt).starts_with(machine);
}

}  // namespace

std::string_view ArchitectureName(Architecture architecture) {
  return architecture == Architecture::kArm ? "arm64" : "x86_64";
}

Machine HostMachine(const std::filesystem::path& binfmt_misc) {
  const Architecture other =
      kNative == Architecture::kArm ? Architecture::kX86 : Architecture::kArm;
  std::error_code failed;
  for (auto at = std::filesystem::directory_iterator(binfmt_misc, failed);
       !failed && at != std::filesystem::directory_iterator(); at.increment(failed)) {
    const auto entry = ReadFile(at->path());  // "register" cannot be read
    if (entry && Emulates(*entry, other)) return {kNative, Emulation::kYes};
  }
  return {kNative};
}

}  // namespace kelvin::service
