// Whatever an ELF file's headers say, reading stays within its bytes; so does reading its code.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "package/cpu_instructions.h"
#include "package/elf_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kelvin::package;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto elf = ReadElf(bytes);
  if (!elf) return 0;
  for (const ElfSection& section : elf->sections) {
    if (!section.in_file) continue;
    if (section.offset > size || section.size > size - section.offset) std::abort();
    const auto code = std::string_view(bytes).substr(section.offset, section.size);
    ScanX86(code);
    ScanArm64(code);
    elf->FunctionAt(section.address);
  }
  return 0;
}
