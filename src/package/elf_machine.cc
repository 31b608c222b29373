#include "package/elf_machine.h"

#include <elf.h>
#include <fmt/format.h>

namespace kelvin::package {

std::string ElfMachineName(std::uint16_t machine) {
  switch (machine) {
    case EM_X86_64:
      return "x86_64";
    case EM_AARCH64:
      return "arm64";
    case EM_386:
      return "32-bit x86";
    case EM_ARM:
      return "32-bit arm";
    case EM_RISCV:
      return "RISC-V";
    default:
      return fmt::format("ELF machine {}", machine);
  }
}

}  // namespace kelvin::package
